"""Why a turn ended so: in plain words, and in full."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from tests.unit.serve.turn.test_deciding import BELIEFS, BELIEVED, BOUNDED, BOUNDS, COSTING, COSTS

from steward.base.language.conformal import Bounded
from steward.serve.conversations.contracts import TurnId
from steward.serve.conversations.turn_records import TurnRow
from steward.serve.turn.deciding import Beliefs, Bounds, Choice, Costs, decide
from steward.serve.turn.explaining import ALWAYS, DECIDED, explanation, from_note, needed, noted, plainly

TURN = UUID(int=1)
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
UNDERSTOOD = {"stage": "understand", "what": "intent", "title": "Where a refund is"}


def row(**changed: Any) -> TurnRow:
    """Return an answered turn, unless `changed` says else."""
    values: dict[str, Any] = dict.fromkeys(TurnRow.__dataclass_fields__)
    values |= {
        "id": TurnId(TURN), "conversation_id": TURN, "outcome": "answered", "reason": "answered",
        "intent": "refund_status", "confidence": 0.92, "out_of_scope": False, "cited": [], "passages": [],
        "started_at": AT, "finished_at": AT,
    }  # fmt: skip
    return TurnRow(**{**values, **changed})


class TestPlainly:
    def test_names_what_it_was_taken_for_and_the_pages(self) -> None:
        why = plainly(row(), [UNDERSTOOD], ["Refunds"])
        assert why.sentences[0] == "I read your message as “Where a refund is” and am 92% sure of it."
        assert "each sentence was checked" in why.sentences[1]
        assert why.sentences[-1] == ALWAYS
        assert why.pages == ("Refunds",)

    def test_is_never_quite_certain(self) -> None:
        assert "99% sure" in plainly(row(confidence=1.0), [], []).sentences[0]

    def test_a_turn_of_an_older_version_names_the_intent(self) -> None:
        assert "“refund status”" in plainly(row(), [], []).sentences[0]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"outcome": "asked", "reason": "weak_evidence"}, "so I asked rather than guess"),
            ({"outcome": "handed_over", "reason": "weak_evidence"}, "so a person takes over"),
            ({"outcome": "handed_over", "reason": "override_word"}, "You asked for a person"),
            ({"outcome": "handed_over", "reason": "fraud", "guard_rule": "fraud"}, "go to a person"),
            ({"outcome": "refused", "reason": "injection", "guard_rule": "injection"}, "mustn't do"),
            ({"outcome": "refused", "reason": "out_of_scope", "out_of_scope": True}, "can help with here"),
            ({"outcome": "asked", "reason": "workflow_offered"}, "until you've confirmed it"),
            ({"outcome": "acted", "reason": "workflow_done"}, "You had confirmed it"),
            ({"outcome": "handed_over", "reason": "nothing_verified"}, "stood up to a check"),
        ],
    )
    def test_says_how_it_ended(self, changed: dict[str, Any], said: str) -> None:
        assert said in " ".join(plainly(row(**changed), [UNDERSTOOD], []).sentences)

    def test_says_nothing_of_an_intent_where_nobody_here_is_for_it(self) -> None:
        why = plainly(row(outcome="refused", reason="out_of_scope", out_of_scope=True), [UNDERSTOOD], [])
        assert "refund" not in " ".join(why.sentences)


class TestExplanation:
    def note(self, beliefs: Beliefs, bounds: Bounds = BOUNDS) -> dict[str, Any]:
        """Return a decision as it comes back from the turn's row."""
        noticed = {"stage": "act", "what": DECIDED, **noted(decide(beliefs, COSTS, bounds))}
        back: dict[str, Any] = json.loads(json.dumps(noticed))
        return back

    def test_a_turn_that_ended_before_has_none(self) -> None:
        assert explanation([UNDERSTOOD]) is None

    def test_has_every_option_with_its_cost_and_what_ruled_it_out(self) -> None:
        told = explanation([UNDERSTOOD, self.note(replace(BELIEFS, strength=0.1))])
        assert told is not None
        assert told.choice == "ask"
        assert [(option.name, option.taken) for option in told.options] == [
            ("answer", False), ("offer", False), ("ask", True), ("hand_over", False),
        ]  # fmt: skip
        assert told.options[0].barred == "the passages are too weak"

    def test_an_offer_behind_an_answer_is_taken_as_well(self) -> None:
        told = explanation([self.note(replace(BELIEFS, offers=True))])
        assert told is not None
        assert [option.name for option in told.options if option.taken] == ["answer", "offer"]

    def test_keeps_what_a_bound_stands_on(self) -> None:
        proven = Bounded(0.6, 900, 700, 30, 0.05)
        told = explanation([self.note(BELIEFS, replace(BOUNDS, proven=proven))])
        assert told is not None
        assert told.bounds["proven"]["judged"] == 900

    @given(BELIEVED, COSTING, BOUNDED)
    def test_reads_what_was_noted(self, beliefs: Beliefs, costs: Costs, bounds: Bounds) -> None:
        decision = decide(beliefs, costs, bounds)
        back = from_note(json.loads(json.dumps(noted(decision))))
        assert (back.choice, back.offer) == (decision.choice, decision.offer)
        assert [item.barred for item in back.options] == [item.barred for item in decision.options]


class TestNeeded:
    def test_says_what_an_offer_would_have_taken(self) -> None:
        decision = decide(replace(BELIEFS, offers=True, intent=0.41), COSTS, replace(BOUNDS, offer_from=0.83))
        assert needed(decision) == (
            "Would have offered the workflow at confidence of 0.83 or more; had 0.41.",
        )

    def test_says_what_an_answer_would_have_taken(self) -> None:
        weak = decide(replace(BELIEFS, strength=0.21), COSTS, BOUNDS)
        assert needed(weak) == ("Would have answered at evidence of 0.35 or more; had 0.21.",)
        (doubtful,) = needed(decide(replace(BELIEFS, answerable=0.3), COSTS, BOUNDS))
        assert (
            doubtful == "Would have answered at a chance that the passages answer of 0.61 or more; had 0.30."
        )

    def test_mistakes_that_cost_nothing_need_no_chance(self) -> None:
        free = replace(COSTS, wrong_answer=0.0, wrong_action=0.0, question=0.0)
        believed = replace(BELIEFS, strength=0.0, offers=True, intent=0.0, answerable=0.0)
        bounds = replace(BOUNDS, offer_from=0.83)
        assert needed(decide(believed, free, bounds)) == (
            "Would have answered at evidence of 0.35 or more; had 0.00.",
            "Would have offered the workflow at confidence of 0.83 or more; had 0.00.",
        )

    def test_an_answer_needs_nothing_more(self) -> None:
        assert needed(decide(BELIEFS, COSTS, BOUNDS)) == ()

    @given(BELIEVED, COSTING, BOUNDED)
    def test_what_it_names_would_have_been_enough(
        self, beliefs: Beliefs, costs: Costs, bounds: Bounds
    ) -> None:
        sure = replace(beliefs, intent=1.0, answerable=1.0, strength=1.0)
        decision = decide(sure, costs, bounds)
        assert decision.choice is Choice.ANSWER
        assert needed(decision) == ()
