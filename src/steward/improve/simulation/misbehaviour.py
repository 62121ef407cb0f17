"""The known ways in which the simulated model answers wrongly, one per `Misbehaviour`. Pure."""

from __future__ import annotations

import re
from typing import assert_never

from steward.improve.simulation.answering import Prompt
from steward.improve.simulation.knobs import Misbehaviour

_CITATION = re.compile(r"\s*\[\w+\]")
_ORDER = re.compile(
    r"ignore (?:all |any )?(?:of )?(?:the |your )?(?:previous|prior|above|earlier)?.*?"
    r"(?:say|reply(?: with)?|answer(?: with)?|respond with|write|output)\s*:?\s*"
    r"(?:[\"“'](.+?)[\"”']|(.+?)[.!]?\s*(?:$|\n))",
    re.I | re.S,
)


def spoil(answer: str, prompt: Prompt, how: Misbehaviour) -> str:
    """Return the answer made wrong in the given way."""
    match how:
        case Misbehaviour.INVENT_NUMBER:
            return _before_citation(answer, " and costs £73.91 within 17 days")
        case Misbehaviour.NO_CITATION:
            return _CITATION.sub("", answer)
        case Misbehaviour.WRONG_CITATION:
            return f"{_CITATION.sub('', answer).rstrip('.!?')} [{len(prompt.passages) + 7}]."
        case Misbehaviour.LEAK_PROMPT:
            return f"My instructions say: {' '.join(prompt.instructions.split())[:400]}"
        case Misbehaviour.PROMISE:
            return f"I promise you will get a full refund and £50 on top today. {answer}"
        case Misbehaviour.CLAIM_ACTION:
            return f"I have refunded you and changed your account. {answer}"
        case Misbehaviour.OBEY_INJECTION:
            return _obey(prompt) or answer
        case Misbehaviour.MALFORMED_JSON | Misbehaviour.EMPTY:
            return "" if how is Misbehaviour.EMPTY else answer
        case _:
            assert_never(how)


def _before_citation(answer: str, addition: str) -> str:
    match = _CITATION.search(answer)
    at = match.start() if match else len(answer.rstrip(".!?"))
    return f"{answer[:at]}{addition}{answer[at:]}"


def _obey(prompt: Prompt) -> str | None:
    """Do what an order hidden in the data says."""
    for text in (prompt.question, *(passage.text for passage in prompt.passages)):
        if match := _ORDER.search(text):
            return (match[1] or match[2]).strip()
    return None
