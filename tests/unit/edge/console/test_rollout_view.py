"""The page of a rollout, laid out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.edge.console import sample_rollouts as sample

from steward.edge.console.rollout_charts import charts_of
from steward.edge.console.rollout_view import (
    StepState,
    arm_tables,
    bar_of,
    categories_of,
    numbers_of,
    sample_ratio_of,
    steering_of,
    steps_of,
    verdicts_of,
)
from steward.improve.rollout.contracts import Finding, RolloutKind, RolloutPage, RolloutState
from steward.supply.releases.assignment import Arm


class TestSteps:
    def test_a_roll_back_ends_in_its_phase(self) -> None:
        states = [step.state for step in steps_of(sample.rolled_back())]
        assert states == [StepState.DONE] * 2 + [StepState.ENDED] + [StepState.AHEAD] * 2

    def test_a_promotion_has_done_all(self) -> None:
        assert {step.state for step in steps_of(sample.promoted())} == {StepState.DONE}

    def test_progress_is_that_of_the_smaller_arm(self) -> None:
        assert steps_of(sample.running())[2].progress == pytest.approx(309 / 400)


class TestVerdicts:
    def test_they_come_in_the_plans_order_with_their_words(self) -> None:
        lines = verdicts_of(sample.rolled_back(), now=sample.NOW)
        assert [line.kpi for line in lines] == [trigger.kpi for trigger in sample.PLAN.triggers]
        assert [line.word for line in lines][:3] == ["not enough evidence yet", "harmful", "safe"]

    def test_what_is_needed_is_told_while_it_can_still_come(self) -> None:
        running, ended = (
            verdicts_of(page, now=sample.NOW)[0] for page in (sample.running(), sample.rolled_back())
        )
        assert running.needed == 4800
        assert running.ready_at is not None
        assert running.ready_at > sample.NOW
        assert (ended.needed, ended.ready_at) == (None, None)

    def test_categories_stand_beside_each_other_by_trigger(self) -> None:
        found = categories_of(sample.rolled_back(), now=sample.NOW)
        assert set(found) == {"plans", "coverage"}
        assert [line is not None for line in found["plans"]] == [False, True, False, False, False]


class TestBar:
    @pytest.mark.parametrize("verdict", [item for item in sample.HARMED if item.harm is not None])
    def test_every_place_is_on_the_line_and_in_order(self, verdict: object) -> None:
        bar = bar_of(verdict, "GBP")  # type: ignore[arg-type]
        assert bar is not None
        assert 0 <= bar.low <= bar.harm <= bar.high <= 1000
        assert 0 < bar.zero < bar.margin < 1000

    def test_an_open_side_goes_to_the_end(self) -> None:
        bar = bar_of(replace(sample.HARMED[1], low=None, high=None), "GBP")
        assert bar is not None
        assert bar.cut_low
        assert bar.cut_high

    def test_without_a_harm_there_is_none(self) -> None:
        assert bar_of(sample.HARMED[4], "GBP") is None


class TestArms:
    def test_the_latest_phase_is_first_and_arms_are_in_order(self) -> None:
        tables = arm_tables(sample.rolled_back())
        assert tables[0].phase.startswith("pilot_5")
        assert tables[0].arms == ("Baseline, release 6", "Candidate, release 7", "Holdout")

    def test_a_mean_counts_those_who_answered(self) -> None:
        rows = dict(arm_tables(sample.rolled_back())[0].rows)
        assert rows["Satisfaction"][1].note == "3.80 to 4.24 of 5, n = 62 of 312 customers"
        assert rows["Escalation"][1].value == "26.7 %"


class TestSteering:
    def test_running_can_be_stopped_and_taken_further(self) -> None:
        found = steering_of(sample.running())
        assert (found.advance, found.pause, found.resume, found.roll_back, found.abort) == (
            True, True, False, True, True,
        )  # fmt: skip
        assert len(found.categories) == 3

    def test_held_can_be_resumed(self) -> None:
        found = steering_of(sample.held())
        assert found.resume
        assert not found.advance

    def test_before_its_beginning_it_can_be_agreed_to_or_aborted(self) -> None:
        found = steering_of(sample.waiting())
        assert found.approval is not None
        assert found.abort
        assert {found.pause, found.roll_back, found.advance} == {False}

    @pytest.mark.parametrize("page", [sample.promoted(), sample.rolled_back()])
    def test_what_has_ended_stays(self, page: RolloutPage) -> None:
        found = steering_of(page)
        assert {found.abort, found.pause, found.roll_back, found.approval} == {False, None}

    @pytest.mark.parametrize(("kind", "may"), [(RolloutKind.EXPERIMENT, True), (RolloutKind.SHADOW, False)])
    def test_a_comparison_is_concluded(self, kind: RolloutKind, *, may: bool) -> None:
        page = sample.running()
        found = steering_of(replace(page, rollout=replace(page.rollout, kind=kind)))
        assert found.conclude
        assert not found.advance
        assert found.roll_back is may


class TestSampleRatio:
    def test_a_fair_split_is_fine_and_a_skewed_one_isnt(self) -> None:
        fair = sample_ratio_of(sample.running())
        skewed = replace(
            sample.running(),
            arms=tuple(
                replace(arm, customers=900) if arm.arm is Arm.CANDIDATE else arm for arm in sample.ARMS
            ),
        )
        assert fair is not None
        assert fair.ok
        found = sample_ratio_of(skewed)
        assert found is not None
        assert not found.ok

    def test_a_phase_of_one_arm_has_none(self) -> None:
        assert sample_ratio_of(sample.promoted()) is None


class TestCharts:
    @pytest.mark.parametrize(
        "page", [sample.rolled_back(), sample.running(), sample.promoted(), sample.waiting(), sample.held()]
    )
    def test_each_is_json_without_empty_marks(self, page: RolloutPage) -> None:
        charts = charts_of(page, now=sample.NOW)
        for text in charts.values():
            for layer in json.loads(text)["layer"]:
                assert layer["data"]["values"], layer["mark"]

    def test_the_share_falls_to_nothing_with_a_roll_back(self) -> None:
        rows = json.loads(charts_of(sample.rolled_back(), now=sample.NOW)["share"])["layer"][0]["data"][
            "values"
        ]
        assert [row["share"] for row in rows[-3:]] == [1, 5, 0]

    def test_a_promotion_reaches_everybody_until_now(self) -> None:
        rows = json.loads(charts_of(sample.promoted(), now=sample.NOW)["share"])["layer"][0]["data"]["values"]
        assert rows[-1]["share"] == 100


class TestNumbers:
    def test_the_whole_situation_stays_in_the_ledger(self) -> None:
        kept = numbers_of(sample.rolled_back().events[-1])
        assert "situation" not in kept
        assert "verdicts" in kept


def test_findings_without_harm_need_no_bar() -> None:
    assert sample.HARMED[4].finding is Finding.NO_DATA
    assert sample.held().rollout.state is RolloutState.HELD
