"""Answer, offer, ask, hand over or refuse: by expected cost, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.base.language.contracts import HeldOut
from steward.serve.turn.deciding import (
    Beliefs,
    Bounds,
    Choice,
    Costs,
    bounds_of,
    decide,
    evidence_needed,
    mistake,
)
from steward.supply.assistant.schema.guardrails import Confidence, Evidence, Guardrails, Injection

BELIEFS = Beliefs(intent=0.9, in_scope=True, answerable=0.9, strength=0.9, offers=False, may_ask=True)
COSTS = Costs(wrong_action=60, wrong_answer=12, question=0.2, hand_over=4.3)
BOUNDS = Bounds(
    offer_from=0.6,
    answer_from=0.35,
    question_helps=0.5,
    confirmed_though_wrong=0.02,
    believed_though_wrong=0.5,
    answered_share=0.9,
)
SHARES = st.floats(0, 1)
AMOUNTS = st.floats(0, 200)
BELIEVED = st.builds(
    Beliefs, intent=SHARES, in_scope=st.booleans(), answerable=SHARES, strength=SHARES, offers=st.booleans(),
    may_ask=st.booleans(),
)  # fmt: skip
COSTING = st.builds(Costs, wrong_action=AMOUNTS, wrong_answer=AMOUNTS, question=AMOUNTS, hand_over=AMOUNTS)
BOUNDED = st.builds(
    Bounds, offer_from=SHARES, answer_from=SHARES, question_helps=SHARES, confirmed_though_wrong=SHARES,
    believed_though_wrong=SHARES, answered_share=SHARES, proven=st.none(),
)  # fmt: skip


class TestDecide:
    @pytest.mark.parametrize(
        ("changed", "choice", "offer"),
        [
            ({}, Choice.ANSWER, False),
            ({"offers": True}, Choice.ANSWER, True),
            ({"offers": True, "strength": 0.1}, Choice.OFFER, True),
            ({"offers": True, "strength": 0.1, "intent": 0.59}, Choice.ASK, False),
            ({"strength": 0.1}, Choice.ASK, False),
            ({"strength": 0.1, "may_ask": False}, Choice.HAND_OVER, False),
            ({"answerable": 0.3}, Choice.ASK, False),
            ({"answerable": 0.5, "may_ask": False}, Choice.ANSWER, False),
            ({"answerable": 0.2, "may_ask": False}, Choice.HAND_OVER, False),
            ({"in_scope": False, "strength": 0.5}, Choice.REFUSE, False),
            ({"in_scope": False, "strength": 0.9, "offers": True}, Choice.ANSWER, False),
        ],
    )
    def test_choices(self, changed: dict[str, object], choice: Choice, offer: bool) -> None:
        decision = decide(replace(BELIEFS, **changed), COSTS, BOUNDS)  # type: ignore[arg-type]
        assert (decision.choice, decision.offer) == (choice, offer)

    def test_a_cheap_category_answers_what_a_dear_one_asks_about(self) -> None:
        doubtful = replace(BELIEFS, answerable=0.6)
        assert decide(doubtful, replace(COSTS, wrong_answer=3), BOUNDS).choice is Choice.ANSWER
        assert decide(doubtful, replace(COSTS, wrong_answer=15), BOUNDS).choice is Choice.ASK

    def test_hands_over_at_once_where_a_question_costs_more(self) -> None:
        lost = replace(BELIEFS, strength=0.0)
        assert decide(lost, replace(COSTS, question=3), BOUNDS).choice is Choice.HAND_OVER

    def test_a_wrong_offer_costs_a_question_unless_it_is_confirmed(self) -> None:
        decision = decide(replace(BELIEFS, offers=True), COSTS, BOUNDS)
        assert decision.option(Choice.OFFER).cost == pytest.approx(0.1 * (0.02 * 60 + 0.98 * 0.2))

    @given(BELIEVED, COSTING, BOUNDED)
    def test_a_question_is_put_at_most_once(self, beliefs: Beliefs, costs: Costs, bounds: Bounds) -> None:
        assert decide(replace(beliefs, may_ask=False), costs, bounds).choice is not Choice.ASK

    @given(BELIEVED, COSTING, BOUNDED)
    def test_stays_within_its_bounds(self, beliefs: Beliefs, costs: Costs, bounds: Bounds) -> None:
        decision = decide(beliefs, costs, bounds)
        if decision.offer:
            assert beliefs.offers
            assert beliefs.in_scope
            assert beliefs.intent >= bounds.offer_from
        if decision.choice is Choice.ANSWER:
            assert beliefs.strength >= bounds.answer_from

    @given(BELIEVED, COSTING, BOUNDED, st.floats(0, 100))
    def test_dearer_wrong_answers_never_lead_to_more_answers(
        self, beliefs: Beliefs, costs: Costs, bounds: Bounds, more: float
    ) -> None:
        dearer = replace(costs, wrong_answer=costs.wrong_answer + more)
        if decide(beliefs, dearer, bounds).choice is Choice.ANSWER:
            assert decide(beliefs, costs, bounds).choice is Choice.ANSWER

    @given(BELIEVED, COSTING, BOUNDED, st.floats(0, 100))
    def test_dearer_wrong_actions_never_lead_to_more_offers(
        self, beliefs: Beliefs, costs: Costs, bounds: Bounds, more: float
    ) -> None:
        dearer = replace(costs, wrong_action=costs.wrong_action + more)
        assert decide(beliefs, dearer, bounds).offer <= decide(beliefs, costs, bounds).offer

    @given(BELIEVED, COSTING, BOUNDED, st.floats(0, 100))
    def test_dearer_people_never_lead_to_fewer_answers(
        self, beliefs: Beliefs, costs: Costs, bounds: Bounds, more: float
    ) -> None:
        if decide(beliefs, costs, bounds).choice is Choice.ANSWER:
            dearer = replace(costs, hand_over=costs.hand_over + more)
            assert decide(beliefs, dearer, bounds).choice is Choice.ANSWER

    @given(BELIEVED, COSTING, BOUNDED, SHARES)
    def test_surer_beliefs_never_lead_to_fewer_offers(
        self, beliefs: Beliefs, costs: Costs, bounds: Bounds, intent: float
    ) -> None:
        surer = replace(beliefs, intent=max(beliefs.intent, intent))
        assert decide(beliefs, costs, bounds).offer <= decide(surer, costs, bounds).offer

    @given(BELIEVED, COSTING, BOUNDED)
    def test_costs_no_more_than_handing_over(self, beliefs: Beliefs, costs: Costs, bounds: Bounds) -> None:
        decision = decide(replace(beliefs, in_scope=True), costs, bounds)
        assert decision.cost <= costs.hand_over


class TestMistake:
    def test_lies_between_a_question_and_the_harm(self) -> None:
        assert mistake(10, 0.2, 0.0) == 0.2
        assert mistake(10, 0.2, 1.0) == 10
        assert mistake(10, 0.2, 0.5) == pytest.approx(5.1)


class TestEvidenceNeeded:
    def test_is_higher_for_what_nobody_here_is_for(self) -> None:
        assert evidence_needed(0.3, out_of_scope=True) > evidence_needed(0.3, out_of_scope=False)


@dataclass(frozen=True)
class Head:
    """A classifier of three labels that has been held out; it predicts nothing here."""

    held_out: HeldOut
    labels: tuple[str, ...] = ("bills", "goodbye", "refund")
    digest: str = "0"

    def predict(self, text: str, vector: object) -> object:
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        raise NotImplementedError


def guardrails(most_wrong: str) -> Guardrails:
    return Guardrails.model_validate(
        {
            "injection": Injection(reply="No."),
            "evidence": Evidence(ask_back="Which?"),
            "confidence": Confidence.model_validate({"offer_workflow": "0.5", "most_wrong": most_wrong}),
            "out_of_scope_reply": "Not here.",
        }
    )


class TestBoundsOf:
    def held_out(self, size: int) -> HeldOut:
        """Half is taken for a refund, wrongly up to a confidence of 0.8."""
        confidences = np.linspace(0, 1, size)
        taken_for = np.where(np.arange(size) % 2, 2, 0)
        return HeldOut(taken_for, confidences, confidences > 0.8)

    def test_counts_mistakes_of_intents_that_lead_somewhere(self) -> None:
        head = Head(self.held_out(1000))
        one = bounds_of(guardrails("0.05"), head, {"refund"})  # type: ignore[arg-type]
        both = bounds_of(guardrails("0.05"), head, {"refund", "bills"})  # type: ignore[arg-type]
        assert one.proven is not None
        assert both.proven is not None
        assert 0.5 < one.offer_from < both.offer_from < 0.8

    def test_never_goes_below_the_folders_own(self) -> None:
        bounds = bounds_of(guardrails("1"), Head(self.held_out(1000)), {"refund"})  # type: ignore[arg-type]
        assert bounds.offer_from == 0.5

    def test_too_few_examples_prove_nothing(self) -> None:
        bounds = bounds_of(guardrails("0.05"), Head(self.held_out(20)), {"refund"})  # type: ignore[arg-type]
        assert (bounds.offer_from, bounds.proven) == (0.5, None)

    def test_a_head_without_any_proves_nothing(self) -> None:
        none = HeldOut(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_))
        assert bounds_of(guardrails("0.05"), Head(none), {"refund"}).proven is None  # type: ignore[arg-type]
