"""What a turn does that its case doesn't expect."""

from __future__ import annotations

from uuid import UUID

import pytest

from steward.improve.evals.checking import Told, faults_of, told_by
from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Citation,
    Delta,
    Done,
    Event,
    HandedOver,
    Outcome,
    Tokens,
    TurnId,
)
from steward.supply.assistant.schema.cases import Expect

CITATION = Citation(1, "billing/late.md", "p1", "Late fee", None)


def events(*before: Event, outcome: Outcome = Outcome.ANSWERED) -> list[Event]:
    """A turn's events, `Done` last."""
    done = Done(
        turn_id=TurnId(UUID(int=1)), outcome=outcome, release="r", arm="baseline", intent="late_fee",
        confidence=0.9, category="billing", citations=(CITATION,), latency_ms=12.0, first_token_ms=8.0,
        cost="0.00020", currency="GBP", tokens=Tokens(1, 1),
    )  # fmt: skip
    return [*before, done]


def told(*before: Event, outcome: Outcome = Outcome.ANSWERED) -> Told:
    """What such a turn told."""
    heard = told_by(events(*before, outcome=outcome))
    assert heard is not None
    return heard


class TestToldBy:
    def test_gathers_words_sources_workflows_and_queue(self) -> None:
        heard = told(
            Delta("We add £5"), Delta(" once."),
            ActionChanged("refund", ActionState.PROPOSED, "Refund"), HandedOver("billing", "asked", 1),
        )  # fmt: skip
        assert heard.text == "We add £5 once."
        assert heard.cited == {"billing/late.md"}
        assert heard.workflows == {"refund"}
        assert heard.queue == "billing"
        assert heard.cost == pytest.approx(0.0002)

    def test_a_turn_without_an_end_broke(self) -> None:
        assert told_by([Delta("We")]) is None


class TestFaults:
    def test_nothing_expected_nothing_wrong(self) -> None:
        assert faults_of(Expect(), told(Delta("Hello."))) == ()

    @pytest.mark.parametrize(
        ("expect", "fault"),
        [
            (Expect(intent="refund"), "took it for late_fee, not refund"),
            (Expect(outcome=("asked", "refused")), "answered, not asked or refused"),
            (Expect(cites=("billing/other.md",)), "cites billing/late.md, not billing/other.md"),
            (Expect(workflow="refund"), "doesn't propose refund"),
            (Expect(queue="care"), "passes it to nobody, not to care"),
            (Expect(says=("£7",)), "doesn't say '£7'"),
            (Expect(never_says=("ONCE",)), "says 'ONCE'"),
        ],
    )
    def test_each_expectation_has_its_sentence(self, expect: Expect, fault: str) -> None:
        assert faults_of(expect, told(Delta("We add £5 once."))) == (fault,)

    def test_words_are_found_in_any_case(self) -> None:
        assert faults_of(Expect(says=("WE ADD",)), told(Delta("We add £5."))) == ()

    def test_a_turn_that_failed_is_a_fault_whatever_is_expected(self) -> None:
        assert faults_of(Expect(), told(outcome=Outcome.FAILED)) == ("the turn broke",)
