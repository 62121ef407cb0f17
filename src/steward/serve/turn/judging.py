"""A second model that reads an answer before it's said, where a mistake is dear.

It's asked once per try, with everything that passed the other checks. Whatever isn't a clear "supported"
in time isn't: the answer is then given in the knowledge base's own words, which need no judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import structlog

from steward.serve.turn.drafts import as_data
from steward.supply.assistant.folder import Prompt
from steward.supply.assistant.prompts import render
from steward.supply.knowledge.contracts import Passage
from steward.supply.models.contracts import ChatMessage, ChatRequest, Role, TextPiece, Usage
from steward.supply.models.errors import ModelError
from steward.supply.models.pricing import Prices, cost_of
from steward.supply.models.resilience import Chosen, ModelChain

_MOST_TOKENS = 120
_WORD = re.compile(r"[^\W_]+")
_KEPT_CHARACTERS = 300

log = structlog.get_logger(__name__)


class Verdict(StrEnum):
    """What came of asking."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    UNCLEAR = "unclear"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, the judge's own words or the failure's sentence, and what it took."""

    verdict: Verdict
    says: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """The judge of one release. `chain` is None where its model's secret isn't installed."""

    chain: ModelChain | None
    prompt: Prompt
    categories: frozenset[str]
    deadline_s: float
    prices: Prices | None = None

    def concerns(self, category: str | None) -> bool:
        """Tell whether answers of a category are judged."""
        return category in self.categories

    async def judge(self, question: str, answer: str, passages: Sequence[Passage]) -> Judged:
        """Ask whether passages say what an answer says; a failure is a verdict too."""
        if self.chain is None:
            return Judged(Verdict.NO_ANSWER, "The judge's secret isn't installed.")
        text, used = "", Usage(0, 0)
        try:
            async with aclosing(self.chain.stream(self._request(question, answer, passages))) as pieces:
                async for piece in pieces:
                    match piece:
                        case TextPiece():
                            text += piece.text
                        case Usage():
                            used = piece
                        case Chosen():
                            pass
        except ModelError as error:
            log.warning("judge_failed", sentence=str(error))
            return Judged(Verdict.NO_ANSWER, str(error))
        return Judged(
            verdict_in(text), text[:_KEPT_CHARACTERS], used.prompt_tokens, used.completion_tokens,
            cost_of(used, self.prices),
        )  # fmt: skip

    def _request(self, question: str, answer: str, passages: Sequence[Passage]) -> ChatRequest:
        instructions = render(
            self.prompt,
            question=as_data(question),
            answer=as_data(answer),
            passages=[{"title": as_data(item.title), "text": as_data(item.body)} for item in passages],
        )
        return ChatRequest(
            messages=(ChatMessage(Role.USER, instructions),),
            max_output_tokens=_MOST_TOKENS,
            temperature=0.0,
            deadline_s=self.deadline_s,
        )


def verdict_in(text: str) -> Verdict:
    """Read a verdict: the first word that is one decides, and "not supported" is "unsupported"."""
    words = [word.upper() for word in _WORD.findall(text)]
    for at, word in enumerate(words):
        if word == "UNSUPPORTED" or (word == "SUPPORTED" and words[at - 1 : at] == ["NOT"]):
            return Verdict.UNSUPPORTED
        if word == "SUPPORTED":
            return Verdict.SUPPORTED
    return Verdict.UNCLEAR
