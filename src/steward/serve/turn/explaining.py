"""Why a turn ended as it did: in plain words for the customer, in full for who answers for it.

Everything comes from what the turn noted when it ran; nothing is worked out again with today's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from steward.base.language.conformal import Bounded
from steward.serve.conversations.contracts import Outcome
from steward.serve.conversations.turn_records import TurnRow
from steward.serve.turn.deciding import (
    Beliefs,
    Bounds,
    Choice,
    Costs,
    Decision,
    Option,
    evidence_needed,
    mistake,
)
from steward.serve.turn.timing import Stage

DECIDED: Final = "decided"
"""What the notes call the choice between answering, offering, asking and handing over."""
ALWAYS: Final = (
    "A person takes over whenever you ask for one, when I'm not sure enough, and when no page answers."
)
_REASONS: Final[Mapping[str, str]] = {
    "override_word": "You asked for a person, and that comes before everything else.",
    "asked_for_human": "I took it that you'd rather talk to a person.",
    "nothing_verified": "Nothing that I could have said stood up to a check against our pages.",
    "answer_cut_off": "The rest of my answer didn't stand up to a check against our pages.",
    "same_answer_again": "I would have repeated myself, so a person takes over.",
    "waiting_for_human": "A person was on the way already.",
    "language": "I'm sure only in English.",
    "nothing_said": "There were no words in it.",
    "nothing_open": "It sounded like an answer, and no question was open.",
    "fixed_reply": "It needed no page.",
    "internal_error": "Something went wrong on our side.",
    "out_of_scope": "It isn't something that we can help with here.",
}
_WEAK: Final[Mapping[str, str]] = {
    Outcome.ASKED: "I found no page that answers it well enough, so I asked rather than guess.",
    Outcome.HANDED_OVER: "I found no page that answers it well enough, so a person takes over.",
}
_ENDINGS: Final[Mapping[str, str]] = {
    Outcome.ACTED: "You had confirmed it, so it was done.",
    Outcome.REFUSED: "It's something that I mustn't do.",
    Outcome.HANDED_OVER: "Messages like this go to a person.",
    Outcome.SILENT: "A person was speaking.",
}
_BARS: Final[Mapping[str, str]] = {
    "weak_evidence": "the passages are too weak",
    "no_workflow": "the intent leads to no workflow, or it's under way",
    "out_of_scope": "no intent claims the message",
    "unsure_of_intent": "the intent isn't sure enough",
    "asked_before": "a question was put back already",
}
SUREST: Final = 0.99
"""The surest that anything is said to be."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a turn ended as it did, for the customer: sentences, and the titles of the pages it stands on."""

    turn_id: str
    sentences: tuple[str, ...]
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionShown:
    """One thing that could have been done; `barred` says in words what ruled it out."""

    name: str
    expected_cost: float
    barred: str | None
    taken: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a turn ended as it did, in full: what was believed, what it could cost, what bounded it."""

    choice: str
    options: tuple[OptionShown, ...]
    needed: tuple[str, ...]
    beliefs: Mapping[str, Any]
    bounds: Mapping[str, Any]
    costs: Mapping[str, Any]


def noted(decision: Decision) -> dict[str, Any]:
    """Return a decision as the turn notes it; `from_note` reads it."""
    return {
        "choice": decision.choice.value,
        "offer": decision.offer,
        "cost": round(decision.cost, 4),
        "options": [[item.choice.value, round(item.cost, 4), item.barred] for item in decision.options],
        "beliefs": _rounded(asdict(decision.beliefs)),
        "costs": asdict(decision.costs),
        "bounds": _rounded(asdict(decision.bounds)),
    }


def from_note(values: Mapping[str, Any]) -> Decision:
    """Read what `noted` wrote."""
    proven = values["bounds"]["proven"]
    return Decision(
        choice=Choice(values["choice"]),
        offer=values["offer"],
        cost=values["cost"],
        options=tuple(Option(Choice(name), cost, barred) for name, cost, barred in values["options"]),
        beliefs=Beliefs(**values["beliefs"]),
        costs=Costs(**values["costs"]),
        bounds=Bounds(**{**values["bounds"], "proven": None if proven is None else Bounded(**proven)}),
    )


def explanation(notes: Iterable[Mapping[str, Any]]) -> Explanation | None:
    """Explain a turn in full from its notes; None where it ended before anything was weighed up."""
    found = next((item for item in notes if item["what"] == DECIDED), None)
    if found is None:
        return None
    decision = from_note(found)
    return Explanation(
        choice=decision.choice.value,
        options=tuple(
            OptionShown(
                item.choice.value,
                item.cost,
                None if item.barred is None else _BARS[item.barred],
                item.choice is decision.choice or (item.choice is Choice.OFFER and decision.offer),
            )
            for item in decision.options
        ),
        needed=needed(decision),
        beliefs=asdict(decision.beliefs),
        bounds=asdict(decision.bounds),
        costs=asdict(decision.costs),
    )


def needed(decision: Decision) -> tuple[str, ...]:
    """Say what it would have taken to answer, and to offer the workflow, where that wasn't done."""
    beliefs, bounds, costs = decision.beliefs, decision.bounds, decision.costs
    instead = min(
        item.cost
        for item in decision.options
        if item.choice in (Choice.ASK, Choice.HAND_OVER) and not item.barred
    )
    sentences: list[str] = []
    if decision.choice is not Choice.ANSWER:
        strength = evidence_needed(bounds.answer_from, out_of_scope=not beliefs.in_scope)
        if beliefs.strength < strength:
            sentences.append(_would("answered", "evidence", strength, beliefs.strength))
        harm = mistake(costs.wrong_answer, costs.question, bounds.believed_though_wrong)
        if beliefs.in_scope and (least := _least(instead, harm)) > beliefs.answerable:
            sentences.append(
                _would("answered", "a chance that the passages answer", least, beliefs.answerable)
            )
    if beliefs.offers and beliefs.in_scope and not decision.offer:
        harm = mistake(costs.wrong_action, costs.question, bounds.confirmed_though_wrong)
        least = max(bounds.offer_from, _least(instead, harm))
        sentences.append(_would("offered the workflow", "confidence", least, beliefs.intent))
    return tuple(sentences)


def plainly(row: TurnRow, notes: Sequence[Mapping[str, Any]], pages: Sequence[str]) -> Why:
    """Explain a turn to its customer.

    Args:
        row: the turn.
        notes: what it noted.
        pages: titles of the documents that its answer cites.
    """
    said = [_taken_for(row, notes), _ended(row, pages)]
    return Why(str(row.id), tuple(item for item in [*said, ALWAYS] if item), tuple(pages))


def _taken_for(row: TurnRow, notes: Sequence[Mapping[str, Any]]) -> str | None:
    if row.intent is None or row.out_of_scope or row.confidence is None:
        return None
    understood = next((item for item in notes if item["stage"] == Stage.UNDERSTAND and "title" in item), {})
    title = understood.get("title", row.intent.replace("_", " "))
    return f"I read your message as “{title}” and am {min(row.confidence, SUREST):.0%} sure of it."


def _ended(row: TurnRow, pages: Sequence[str]) -> str | None:
    if row.guard_rule is not None and row.reason == row.guard_rule:
        return _ENDINGS.get(row.outcome)
    if row.reason == "weak_evidence":
        return _WEAK.get(row.outcome)
    if pages:
        return "My answer stands on the pages named here, and each sentence was checked against them."
    if row.reason.startswith("workflow_") and row.outcome == Outcome.ASKED:
        return "I can do this for you; nothing happens until you've confirmed it."
    return _REASONS.get(row.reason) or _ENDINGS.get(row.outcome)


def _least(instead: float, harm: float) -> float:
    """Return the chance of being right from which a mistake costs less than what is done instead."""
    return 1 - instead / harm if harm else 0.0


def _would(done: str, what: str, least: float, had: float) -> str:
    return f"Would have {done} at {what} of {least:.2f} or more; had {had:.2f}."


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
