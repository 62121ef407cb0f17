"""Rollouts in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.edge.console import sample_rollouts as sample

from steward.edge.console.measures import harm_in_words, range_in_words, value_in_words, with_titles
from steward.edge.console.rollout_words import (
    EVENTS,
    FINDINGS,
    KINDS,
    STATES,
    as_sentence,
    customers_met,
    deciding_harms,
    reason_in_words,
    summary,
    verdict_in_a_word,
)
from steward.improve.rollout.contracts import Finding, RolloutKind, RolloutPage, RolloutState


def said(page: RolloutPage) -> str:
    return summary(page).striptags()


class TestWords:
    def test_every_state_kind_and_finding_has_words(self) -> None:
        assert set(STATES) == set(RolloutState)
        assert set(KINDS) == set(RolloutKind)
        assert set(FINDINGS) == set(Finding)
        assert not any("_" in word for word in (*STATES.values(), *KINDS.values(), *EVENTS.values()))


class TestSummary:
    def test_a_roll_back_tells_when_where_why_whom_and_the_cost(self) -> None:
        assert said(sample.rolled_back()) == (
            "Release 7 was rolled back on 21 Nov 05:00:00 at 5 % of the customers: "
            "Escalation rose by 12 to 19 points, margin 2. 312 customers met it. Its answers cost 0.41 GBP."
        )

    def test_a_roll_back_by_a_person_tells_their_reason(self) -> None:
        page = sample.rolled_back()
        mine = replace(page.events[-1], actor=sample.ADA, reason="customers complain on the phone")
        assert "Customers complain on the phone." in said(replace(page, events=(*page.events[:-1], mine)))

    def test_the_breaker_tells_what_failed(self) -> None:
        page = sample.rolled_back()
        broke = replace(page.events[-1], reason="breaker: 8 turns in a row failed; 8 are too many")
        assert ": 8 turns in a row failed; 8 are too many." in said(
            replace(page, events=(*page.events[:-1], broke))
        )

    def test_running_tells_what_is_known_and_what_isnt(self) -> None:
        text = said(sample.running())
        assert text.startswith("Release 7 answers 5 % of the customers in 3 of 5 categories since")
        assert (
            "No harm is found: 1 of 5 triggers are found safe, 3 need more evidence, 1 get no data." in text
        )

    def test_a_promotion_tells_who_gets_it(self) -> None:
        text = said(sample.promoted())
        assert ": everybody but the 2 % that are held out got it from then on." in text
        assert "4,180 customers met it. Its answers cost 12.40 GBP." in text

    def test_waiting_tells_who_has_to_agree(self) -> None:
        text = said(sample.waiting())
        assert (
            "waits to reach our own staff only: since 18 Nov 09:00:00 somebody with the role operator" in text
        )
        assert "No customer has met it." in text

    def test_a_hold_tells_why(self) -> None:
        text = said(sample.held())
        assert "holds itself at 5 % of the customers" in text
        assert "No survey answers have arrived for 24 hours. Its share doesn't grow until" in text

    def test_a_shadow_is_heard_by_nobody(self) -> None:
        page = sample.running()
        shadow = replace(page, rollout=replace(page.rollout, kind=RolloutKind.SHADOW))
        assert "No customer hears it." in said(shadow)

    @pytest.mark.parametrize("state", [RolloutState.ABORTED, RolloutState.CONCLUDED])
    def test_other_ends_tell_their_reason(self, state: RolloutState) -> None:
        page = sample.running()
        ended = replace(
            page.rollout, state=state, ended_at=sample.NOW, end_reason="the launch was moved", phase=2
        )
        assert "The launch was moved." in said(replace(page, rollout=ended))


class TestDecidingHarms:
    def test_they_are_those_of_the_decision_not_of_now(self) -> None:
        page = replace(sample.rolled_back(), latest=())
        assert [harm.low for harm in deciding_harms(page)] == [0.12]

    def test_without_numbers_there_are_none(self) -> None:
        assert deciding_harms(sample.running()) == ()


class TestVerdictInAWord:
    def test_what_goes_on_has_that_of_the_evidence(self) -> None:
        running = sample.running().rollout
        assert verdict_in_a_word(running, sample.SAFE) == "safe"
        assert verdict_in_a_word(running, sample.HARMED) == "harmful"
        assert verdict_in_a_word(running, sample.HARMED[3:5]) == "no data"
        assert verdict_in_a_word(running, ()) == "undecided"

    @pytest.mark.parametrize(
        ("state", "why", "word"),
        [
            (
                RolloutState.ROLLED_BACK,
                "csat is worse by at least 0.2, more than the margin of 0.1",
                "harmful",
            ),
            (RolloutState.ROLLED_BACK, "breaker: 8 turns in a row failed; 8 are too many", "harmful"),
            (RolloutState.ROLLED_BACK, "customers complain on the phone", "undecided"),
            (RolloutState.PROMOTED, "and every trigger's harm is within its margin with confidence", "safe"),
            (RolloutState.PROMOTED, "the launch is today", "no harm found"),
        ],
    )
    def test_an_end_has_that_of_its_reason(self, state: RolloutState, why: str, word: str) -> None:
        assert verdict_in_a_word(replace(sample.running().rollout, state=state, end_reason=why), ()) == word


class TestSimulated:
    def test_nobody_real_is_said_to_be_reached(self) -> None:
        for page in (sample.running(), sample.rolled_back(), sample.promoted()):
            text = said(replace(page, rollout=replace(page.rollout, simulated=True)))
            assert "invented customers" in text
            assert "everybody" not in text
            assert "of the customers" not in text


class TestReasons:
    def test_harm_is_told_in_its_own_units(self) -> None:
        event = next(item for item in sample.rolled_back().events if item.kind == "rolled_back")
        assert reason_in_words(replace(event, reason="escalation_rate is worse by at least 0.12"), "GBP") == (
            "Escalation rose by 12 to 19 points, margin 2."
        )

    def test_a_persons_reason_stays(self) -> None:
        event = next(item for item in sample.rolled_back().events if item.kind == "rolled_back")
        assert reason_in_words(replace(event, reason="complaints"), "GBP") == "Complaints."


class TestCustomersMet:
    def test_uncounted_they_are_those_of_all_phases(self) -> None:
        assert customers_met(replace(sample.rolled_back(), customers_met=None)) == 41 + 61 + 312


class TestMeasures:
    def test_values_have_their_units(self) -> None:
        assert value_in_words("escalation_rate", 0.1234, "GBP") == "12.3 %"
        assert value_in_words("csat", 4.312, "GBP") == "4.31 of 5"
        assert value_in_words("cost_per_conversation", 0.0123, "GBP") == "0.012 GBP"
        assert value_in_words("handle_time_s", 93.21, "GBP") == "93.2 s"
        assert value_in_words("gone_rate", 0.5, "GBP") == "0.5"

    def test_ranges_keep_their_sign_and_say_what_is_open(self) -> None:
        assert range_in_words("escalation_rate", -0.011, 0.021, "GBP") == "−1.1 to 2.1 points"
        assert range_in_words("csat", None, 0.3, "GBP") == "at most 0.3 marks"
        assert range_in_words("csat", None, None, "GBP") == "not known yet"

    def test_what_should_be_high_falls(self) -> None:
        harm = replace(sample.HARMED[0], low=0.2, high=0.4, category="plans")
        assert harm_in_words(harm, "GBP") == "Satisfaction fell in plans by 0.2 to 0.4 marks, margin 0.1"

    def test_harm_just_beyond_its_margin_doesnt_look_the_same(self) -> None:
        harm = replace(sample.HARMED[1], low=0.02042, high=None)
        assert harm_in_words(harm, "GBP") == "Escalation rose by at least 2.04 points, margin 2"

    def test_reasons_name_kpis_as_people_do(self) -> None:
        assert with_titles("escalation_rate in plans is worse") == "escalation in plans is worse"
        assert as_sentence("slow_turn_rate is worse") == "Slow turns is worse."


def test_the_sample_is_of_one_piece() -> None:
    assert sample.rolled_back().rollout.ended_at == sample.START + timedelta(hours=68)
