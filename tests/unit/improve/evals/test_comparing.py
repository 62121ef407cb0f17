"""The gate's answer from two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.unit.improve.evals.conftest import NOON, attempt, case, eval_run, outcomes

from steward.improve.evals.cases import ComparedCase
from steward.improve.evals.comparing import judge, pairs_of, suspicious
from steward.improve.evals.contracts import CaseChange, CaseResult, GateResult

Results = Mapping[str, Sequence[str]]


def gate(
    baseline: Results,
    candidate: Results,
    *,
    repeats: int = 1,
    deterministic: bool = True,
    changes: Mapping[str, CaseChange] | None = None,
) -> GateResult:
    """Judge two runs."""
    before = eval_run("base", baseline, repeats=repeats, deterministic=deterministic)
    after = eval_run("next", candidate, repeats=repeats, deterministic=deterministic)
    compared = [ComparedCase(case(name), (changes or {}).get(name, CaseChange.SAME)) for name in baseline]
    return judge(pairs_of(compared, before, after), before, after, at=NOON)


class TestWithoutChance:
    def test_a_case_that_passed_and_now_fails_is_a_regression(self) -> None:
        answer = gate(
            {"fee": ["passed"] * 3, "hours": ["passed"]}, {"fee": ["failed"] * 3, "hours": ["passed"]}
        )
        assert not answer.passed
        assert [item.case for item in answer.cases if item.worse] == ["fee"]
        assert answer.reasons == (
            "Case 'fee' passed 3 of 3 on the baseline and 0 of 3 on the candidate: turn 1: doesn't say '£5'.",
        )

    def test_the_same_passes(self) -> None:
        assert gate({"fee": ["passed"]}, {"fee": ["passed"]}).passed

    def test_a_case_that_failed_before_is_no_regression_and_is_named(self) -> None:
        answer = gate({"fee": ["failed"]}, {"fee": ["failed"]})
        assert answer.passed
        assert answer.notes == ("1 case failing on both releases: fee",)

    def test_a_case_that_varies_though_nothing_should_is_flaky_and_no_regression(self) -> None:
        answer = gate({"fee": ["passed"] * 3}, {"fee": ["failed", "passed", "passed"]})
        assert answer.passed
        assert answer.notes == ("1 case flaky, passing sometimes: fee",)

    def test_a_removed_case_that_fails_is_a_regression(self) -> None:
        answer = gate({"fee": ["passed"]}, {"fee": ["failed"]}, changes={"fee": CaseChange.REMOVED})
        assert not answer.passed
        assert answer.notes[0].startswith("1 case gone from the candidate's folder")

    def test_new_and_changed_cases_are_named(self) -> None:
        changes = {"fee": CaseChange.NEW, "hours": CaseChange.CHANGED}
        answer = gate(
            {"fee": ["failed"], "hours": ["passed"]},
            {"fee": ["passed"], "hours": ["passed"]},
            changes=changes,
        )
        assert answer.passed
        assert [note.split(":")[0] for note in answer.notes] == ["1 case new", "1 case changed"]


class TestWithChance:
    def test_fresh_attempts_decide_not_those_that_raised_suspicion(self) -> None:
        unlucky = ["failed"] * 3 + ["passed"] * 10
        answer = gate({"fee": ["passed"] * 13}, {"fee": unlucky}, repeats=3, deterministic=False)
        assert [item.worse for item in answer.cases] == [False]
        assert answer.cases[0].flaky

    def test_a_case_that_mostly_fails_now_is_worse(self) -> None:
        answer = gate(
            {"fee": ["passed"] * 13},
            {"fee": ["failed"] * 3 + outcomes(2, 10)},
            repeats=3,
            deterministic=False,
        )
        assert [item.worse for item in answer.cases] == [True]
        assert not answer.passed

    def test_a_little_harm_in_every_case_fails_all_together(self) -> None:
        names = [f"case_{number}" for number in range(30)]
        answer = gate(
            {name: outcomes(3, 3) for name in names},
            {name: outcomes(2, 3) for name in names},
            repeats=3,
            deterministic=False,
        )
        assert not any(item.worse for item in answer.cases)
        assert not answer.passed
        assert "All cases together" in answer.reasons[0]

    def test_suspicious_are_those_that_passed_less_often(self) -> None:
        before = eval_run("base", {"a": outcomes(3, 3), "b": outcomes(2, 3)}, repeats=3, deterministic=False)
        after = eval_run("next", {"a": outcomes(2, 3), "b": outcomes(3, 3)}, repeats=3, deterministic=False)
        compared = [ComparedCase(case(name), CaseChange.SAME) for name in ("a", "b")]
        assert suspicious(pairs_of(compared, before, after), repeats=3) == ("a",)

    def test_pass_k_is_estimated_for_both(self) -> None:
        answer = gate({"a": outcomes(3, 3)}, {"a": outcomes(2, 3)}, repeats=3, deterministic=False)
        assert (answer.pass_k_baseline, answer.pass_k_candidate, answer.k) == (1.0, 0.0, 3)


class TestCosts:
    def test_a_candidate_that_costs_much_more_passes_and_is_named(self) -> None:
        before, after = eval_run("base", {"fee": ["passed"]}), eval_run("next", {"fee": ["passed"]})
        dear = replace(after, results=(CaseResult("fee", (attempt("passed", cost=0.02),)),))
        cheap = replace(before, results=(CaseResult("fee", (attempt("passed", cost=0.01),)),))
        compared = [ComparedCase(case("fee"), CaseChange.SAME)]
        answer = judge(pairs_of(compared, cheap, dear), cheap, dear, at=NOON)
        assert answer.passed
        assert answer.notes == ("a case costs 2.0 times as much on the candidate",)


class TestNotRunnable:
    def test_what_neither_can_run_is_named_and_not_judged(self) -> None:
        answer = gate(
            {"fee": ["passed"], "refund": ["not_runnable"]}, {"fee": ["passed"], "refund": ["not_runnable"]}
        )
        assert answer.passed
        assert answer.notes == ("1 case not run, needs the system 'x': refund",)

    def test_what_only_the_candidate_cannot_run_fails(self) -> None:
        answer = gate({"refund": ["passed"]}, {"refund": ["not_runnable"]})
        assert not answer.passed
        assert "can be run on the baseline and not on the candidate" in answer.reasons[0]

    def test_nothing_run_is_nothing_known(self) -> None:
        answer = gate({"refund": ["not_runnable"]}, {"refund": ["not_runnable"]})
        assert answer.reasons == ("No case could be run, so nothing is known of this release.",)
