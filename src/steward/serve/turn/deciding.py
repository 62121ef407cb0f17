"""What to do with an understood message: answer, offer a workflow, ask back, hand over or refuse.

Each option has an expected cost, the cost of being wrong times its chance, in the assistant's currency.
What costs less than asking and handing over is done; otherwise the cheaper of these two. Four rules stand
above the costs: a human who is asked for is fetched before anything is decided here; a question is put back
at most once; nothing acts without the customer's confirmation, so a wrong offer costs a question unless
it's confirmed all the same; and below the bounds of the release nothing is offered or answered, whatever it
would cost.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from steward.base.language.conformal import Bounded, bounded_threshold
from steward.base.language.contracts import Classifier
from steward.supply.assistant.schema.guardrails import Guardrails
from steward.supply.assistant.schema.intents import ExpectedCosts

OUT_OF_SCOPE_SHARE = 0.5
"""How far the evidence needed rises towards certainty for a message that no intent claims: documents of
one's own answer it only when they clearly do."""


class Choice(StrEnum):
    """What can be done."""

    ANSWER = "answer"
    OFFER = "offer"
    ASK = "ask"
    HAND_OVER = "hand_over"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is known of one message.

    `intent` is the probability that its intent is right, `answerable` that an answer from the passages
    answers it, `strength` how strong the passages are (0..1). `offers` tells whether the intent leads to a
    workflow that isn't under way; `may_ask` whether no question has been put back yet.
    """

    intent: float
    in_scope: bool
    answerable: float
    strength: float
    offers: bool
    may_ask: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """The release's bounds and what it takes for granted.

    `offer_from` is the confidence from which a workflow is offered, as `proven` says where mistakes are
    bounded; `answer_from` the strength from which passages are answered with. The rest are shares: of
    questions that help, of wrong offers that are confirmed, of answers beside the point that are believed,
    and of questions that the knowledge base answers.
    """

    offer_from: float
    answer_from: float
    question_helps: float
    confirmed_though_wrong: float
    believed_though_wrong: float
    answered_share: float
    proven: Bounded | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What mistakes and delays cost in a category."""

    wrong_action: float
    wrong_answer: float
    question: float
    hand_over: float


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that could be done: its expected cost, and why it's out of the question, if it is."""

    choice: Choice
    cost: float
    barred: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, and what else could have been.

    `offer` tells that the workflow is offered, alone or behind an answer.
    """

    choice: Choice
    offer: bool
    cost: float
    options: tuple[Option, ...]
    beliefs: Beliefs
    costs: Costs
    bounds: Bounds

    def option(self, choice: Choice) -> Option:
        """Return one of the options."""
        return next(option for option in self.options if option.choice is choice)


def decide(beliefs: Beliefs, costs: Costs, bounds: Bounds) -> Decision:
    """Choose what is expected to cost least, within the bounds.

    A message that nobody here is for is refused where nothing strong is found for it.
    """
    answer = Option(
        Choice.ANSWER,
        (1 - beliefs.answerable) * mistake(costs.wrong_answer, costs.question, bounds.believed_though_wrong),
        bar_to_answer(beliefs, bounds),
    )
    offer = Option(
        Choice.OFFER,
        (1 - beliefs.intent) * mistake(costs.wrong_action, costs.question, bounds.confirmed_though_wrong),
        bar_to_offer(beliefs, bounds),
    )
    ask = Option(
        Choice.ASK,
        costs.question + (1 - bounds.question_helps) * costs.hand_over,
        None if beliefs.may_ask else "asked_before",
    )
    hand_over = Option(Choice.HAND_OVER, costs.hand_over)
    instead = hand_over if ask.barred or hand_over.cost <= ask.cost else ask
    if not beliefs.in_scope:
        instead = Option(Choice.REFUSE, 0.0)
    answers = answer.barred is None and (not beliefs.in_scope or answer.cost <= instead.cost)
    offers = offer.barred is None and offer.cost <= instead.cost
    chosen = answer if answers else offer if offers else instead
    options = (answer, offer, ask, hand_over, *([instead] if instead.choice is Choice.REFUSE else []))
    return Decision(chosen.choice, offers, chosen.cost, options, beliefs, costs, bounds)


def mistake(wrong: float, question: float, taken: float) -> float:
    """Return what a mistake costs: the harm where the customer takes it for right, else another question."""
    return taken * wrong + (1 - taken) * question


def bar_to_answer(beliefs: Beliefs, bounds: Bounds) -> str | None:
    """Say why passages can't be answered with, if they can't."""
    needed = evidence_needed(bounds.answer_from, out_of_scope=not beliefs.in_scope)
    return "weak_evidence" if beliefs.strength < needed else None


def evidence_needed(answer_from: float, *, out_of_scope: bool) -> float:
    """Return the strength (0..1) from which evidence is answered with."""
    return answer_from + OUT_OF_SCOPE_SHARE * (1 - answer_from) if out_of_scope else answer_from


def bar_to_offer(beliefs: Beliefs, bounds: Bounds) -> str | None:
    """Say why a workflow can't be offered, if it can't."""
    if not beliefs.offers:
        return "no_workflow"
    if not beliefs.in_scope:
        return "out_of_scope"
    return "unsure_of_intent" if beliefs.intent < bounds.offer_from else None


def bounds_of(guardrails: Guardrails, head: Classifier, with_workflow: Set[str]) -> Bounds:
    """Return a release's bounds: its guardrails, and the confidence that keeps wrong offers rare enough.

    A mistake is a message that is taken for an intent with a workflow, and is of another. Where too few
    examples are there to prove anything, the folder's own threshold stands alone.
    """
    confidence, evidence = guardrails.confidence, guardrails.evidence
    held_out = head.held_out
    leads = np.array([label in with_workflow for label in head.labels])
    offered = np.where(leads[held_out.taken_for], held_out.confidences, -1.0)
    proven = bounded_threshold(offered, held_out.right, most_wrong=float(confidence.most_wrong))
    least = float(confidence.offer_workflow)
    return Bounds(
        offer_from=max(least, proven.threshold) if proven.possible else least,
        answer_from=float(evidence.answer_from),
        question_helps=float(confidence.question_helps),
        confirmed_though_wrong=float(confidence.confirmed_though_wrong),
        believed_though_wrong=float(evidence.believed_though_wrong),
        answered_share=float(evidence.answered_share),
        proven=proven if proven.possible else None,
    )


def costs_of(table: ExpectedCosts) -> Costs:
    """Return a category's costs as numbers."""
    return Costs(
        wrong_action=float(table.wrong_action),
        wrong_answer=float(table.wrong_answer),
        question=float(table.question),
        hand_over=float(table.hand_over),
    )
