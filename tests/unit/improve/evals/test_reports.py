"""Runs and gates in words, Markdown and JUnit."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from tests.unit.improve.evals.conftest import NOON, case, eval_run

from steward.improve.evals.cases import ComparedCase
from steward.improve.evals.comparing import judge, pairs_of
from steward.improve.evals.contracts import CaseChange, GateResult
from steward.improve.evals.reports import (
    gate_as_junit,
    gate_as_markdown,
    gate_as_text,
    run_as_junit,
    run_as_markdown,
    run_as_text,
)

RUN = eval_run("alone", {"fee": ["passed"], "hours": ["failed"], "refund": ["not_runnable"]})


def gate_of(baseline: str, candidate: str) -> GateResult:
    """A gate of one case with these outcomes."""
    before, after = eval_run("base", {"fee": [baseline]}), eval_run("next", {"fee": [candidate]})
    compared = [ComparedCase(case("fee"), CaseChange.SAME)]
    return judge(pairs_of(compared, before, after), before, after, at=NOON)


class TestRuns:
    def test_text_names_what_failed_and_what_was_not_run(self) -> None:
        assert run_as_text(RUN).splitlines() == [
            "release alone: 1 of 3 cases passed, 1 couldn't be run",
            "  failed   hours (0/1): turn 1: doesn't say '£5'",
            "  not run  refund: needs the system 'x'",
        ]

    def test_markdown_has_a_row_for_each(self) -> None:
        assert "| hours | 0/1 | turn 1: doesn't say '£5' |" in run_as_markdown(RUN)

    def test_junit_counts_failures_and_skips(self) -> None:
        suite = ElementTree.fromstring(run_as_junit(RUN))
        assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


class TestGates:
    def test_text_says_why(self) -> None:
        lines = gate_as_text(gate_of("passed", "failed")).splitlines()
        assert lines[0] == "evaluation of next against base: failed"
        assert lines[1].startswith("  worse  Case 'fee' passed 1 of 1 on the baseline")

    def test_what_was_not_run_is_not_among_what_could_pass(self) -> None:
        before = eval_run("base", {"fee": ["passed"], "refund": ["not_runnable"]})
        after = eval_run("next", {"fee": ["passed"], "refund": ["passed"]})
        compared = [ComparedCase(case(name), CaseChange.SAME) for name in ("fee", "refund")]
        gate = judge(pairs_of(compared, before, after), before, after, at=NOON)
        assert "| cases | 1 of 1 passed, 1 not run | 2 of 2 passed |" in gate_as_markdown(gate)
        head, cases = gate_as_text(gate).splitlines()[-5:-3]
        assert cases.split("  ")[-1].strip() == "2 of 2 passed"
        assert len(head) == len(cases)

    def test_markdown_shows_answers_side_by_side_where_they_differ(self) -> None:
        gate = gate_of("passed", "passed")
        assert "answered differently" not in gate_as_markdown(gate)
        other = replace(gate.cases[0], candidate_texts=("£6 | once.",))
        page = gate_as_markdown(replace(gate, cases=(other,)))
        assert "### 1 of 1 cases are answered differently" in page
        assert "| How much is it? | £5. | £6 \\| once. |" in page

    def test_junit_fails_the_case_and_the_gate(self) -> None:
        suite = ElementTree.fromstring(gate_as_junit(gate_of("passed", "failed")))
        failed = [item.get("name") for item in suite if item.find("failure") is not None]
        assert failed == ["fee", "gate"]
