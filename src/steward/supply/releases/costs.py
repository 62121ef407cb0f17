"""What a change of release is expected to do to the cost of a conversation.

Expected cost = answers by a model per conversation x (prompt tokens x input price + answer tokens x output
price). What real turns of the older release took is known; of the newer one the prompt's own length, the
number of passages and the prices are. Where no turns were counted, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from steward.base.db.contracts import ReadSession
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.assistant import Model
from steward.supply.models.pricing import estimate_tokens

LEAST_CONVERSATIONS: Final = 20
"""Conversations from which a release's usage says something."""
_MILLION: Final = Decimal(1_000_000)
_ANSWER: Final = "answer"
_EXTRACTIVE: Final = "extractive"
_USAGE: Final = """
select count(distinct conversation_id), count(*) filter (where prompt_tokens > 0),
       coalesce(avg(prompt_tokens) filter (where prompt_tokens > 0), 0)::double precision,
       coalesce(avg(completion_tokens) filter (where prompt_tokens > 0), 0)::double precision
from turns where release_id = %(release_id)s
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a release's turns took: means over those that a model answered."""

    conversations: int
    answers: int
    prompt_tokens: float
    completion_tokens: float


@dataclass(frozen=True, slots=True)
class CostChange:
    """A conversation's expected cost before and after, in `currency`, and the sentence that says it."""

    before: Decimal
    after: Decimal
    currency: str
    conversations: int
    sentence: str


async def usage_of(session: ReadSession, release_id: str) -> Usage:
    """Return what a release's turns took so far."""
    row = await session.one(_USAGE, {"release_id": release_id})
    assert row is not None
    return Usage(*row)


def expected_change(before: Folder, after: Folder, usage: Usage) -> CostChange | None:
    """Return the expected change, or None where too little was counted or a price isn't known.

    Args:
        before: the older release's folder.
        after: the newer one's.
        usage: what the older release's turns took.
    """
    currency = before.assistant.currency
    if currency != after.assistant.currency or usage.conversations < LEAST_CONVERSATIONS:
        return None
    old, new = first_model(before), first_model(after)
    if old is None or new is None:
        return None
    if old.provider == _EXTRACTIVE and new.provider != _EXTRACTIVE:
        return None  # how many of its answers a model would write, and how long, hasn't been seen
    longer = prompt_tokens(after) - prompt_tokens(before)
    was = _cost(old, usage, longer=0)
    becomes = _cost(new, usage, longer=longer)
    if was is None or becomes is None:
        return None
    return CostChange(
        was, becomes, currency, usage.conversations, _sentence(was, becomes, currency, usage.conversations)
    )


def first_model(folder: Folder) -> Model | None:
    """Return the model that is asked first."""
    by_name: Mapping[str, Model] = {model.name: model for model in folder.assistant.models}
    return next((by_name[name] for name in folder.assistant.answer_with if name in by_name), None)


def prompt_tokens(folder: Folder) -> int:
    """Return roughly how many tokens of a prompt don't depend on the question: its text and its passages."""
    prompt = folder.prompts.get(_ANSWER)
    return (0 if prompt is None else estimate_tokens(prompt.template)) + (
        folder.guardrails.evidence.passages * mean_passage_tokens(folder)
    )


def mean_passage_tokens(folder: Folder) -> int:
    """Return roughly how long a passage is: documents are split at about this many tokens at most."""
    longest = 160
    sizes = [estimate_tokens(document.content.decode(errors="replace")) for document in folder.documents]
    return min(longest, sum(sizes) // len(sizes)) if sizes else 0


def _cost(model: Model, usage: Usage, *, longer: int) -> Decimal | None:
    if model.provider == _EXTRACTIVE:
        return Decimal(0)
    if model.prices is None:
        return None
    answers = Decimal(usage.answers) / Decimal(usage.conversations)
    prompt = Decimal(max(0, round(usage.prompt_tokens) + longer))
    written = Decimal(round(usage.completion_tokens))
    charged = prompt * model.prices.input_per_million + written * model.prices.output_per_million
    return answers * charged / _MILLION


def _sentence(was: Decimal, becomes: Decimal, currency: str, conversations: int) -> str:
    basis = f"from {conversations:,} conversations of the older release"
    if was == becomes:
        return f"A conversation is expected to cost what it did, {_money(was, currency)} ({basis})."
    share = f", {abs(becomes - was) / was * 100:.0f} % {'more' if becomes > was else 'less'}" if was else ""
    return (
        f"A conversation is expected to cost {_money(becomes, currency)} instead of "
        f"{_money(was, currency)}{share} ({basis})."
    )


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:.5f}".rstrip("0").rstrip(".") + f" {currency}"
