"""Runs and gates as text, Markdown and JUnit XML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from steward.improve.evals.contracts import CaseComparison, CaseResult, EvalRun, GateResult
from steward.supply.releases.contracts import short_id

SHOWN_ANSWERS = 20
"""Cases whose answers a Markdown report shows side by side."""


def run_as_text(run: EvalRun) -> str:
    """Return a run for a terminal."""
    lines = [f"release {short_id(run.release_id)}: {_passed_words(run)}"]
    lines += [f"  failed   {item.case} ({_share(item)}): {'; '.join(_faults(item))}" for item in run.failed]
    lines += [f"  not run  {item.case}: {'; '.join(_faults(item))}" for item in run.not_runnable]
    return "\n".join(lines)


def run_as_markdown(run: EvalRun) -> str:
    """Return a run as a summary to be read beside a change."""
    lines = [
        f"## Evaluation of {short_id(run.release_id)}",
        "",
        f"{_passed_words(run).capitalize()}.",
        "",
    ]
    bad = [*run.failed, *run.not_runnable]
    if bad:
        lines += ["| case | passed | what was wrong |", "|---|---|---|"]
        lines += [f"| {item.case} | {_share(item)} | {_cell('; '.join(_faults(item)))} |" for item in bad]
        lines.append("")
    return "\n".join(lines)


def run_as_junit(run: EvalRun) -> str:
    """Return a run as JUnit XML: a test for each case."""
    return _junit(f"evaluation {short_id(run.release_id)}", [_test_of(item) for item in run.results])


def gate_as_text(gate: GateResult) -> str:
    """Return the gate's answer for a terminal."""
    lines = [f"{_title(gate)}: {'passed' if gate.passed else 'failed'}"]
    lines += [f"  worse  {reason}" for reason in gate.reasons]
    lines += [f"  note   {note}" for note in gate.notes]
    figures = [("", "baseline", "candidate"), *_figures(gate)]
    wide = 2 + max(10, *(len(cell) for _, *cells in figures for cell in cells))
    lines += ["", *(f"{name:14}{before:>{wide}}{after:>{wide}}" for name, before, after in figures)]
    return "\n".join(lines)


def gate_as_markdown(gate: GateResult) -> str:
    """Return the gate's answer as a summary to be read beside a change."""
    lines = [f"## {_title(gate)}: {'passed' if gate.passed else 'failed'}", ""]
    lines += [f"- **{reason}**" for reason in gate.reasons]
    lines += [f"- {note}" for note in gate.notes]
    lines += [""] if gate.reasons or gate.notes else []
    lines += ["| | baseline | candidate |", "|---|---|---|"]
    lines += [f"| {name} | {before} | {after} |" for name, before, after in _figures(gate)]
    different = [case for case in gate.cases if not case.same_answer]
    if different:
        lines += ["", f"### {len(different)} of {len(gate.cases)} cases are answered differently", ""]
    for case in sorted(different, key=lambda item: not item.worse)[:SHOWN_ANSWERS]:
        lines += [*_side_by_side(case), ""]
    return "\n".join(lines) + "\n"


def gate_as_junit(gate: GateResult) -> str:
    """Return the gate's answer as JUnit XML: a test for each case, failed where the candidate is worse."""
    tests = [_compared_test_of(case) for case in gate.cases]
    tests.append(_Test("gate", "; ".join(gate.reasons) if not gate.passed else None, None))
    return _junit(_title(gate), tests)


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    failure: str | None
    skipped: str | None
    seconds: float = 0.0


def _junit(name: str, tests: Sequence[_Test]) -> str:
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(tests)),
        failures=str(sum(test.failure is not None for test in tests)),
        skipped=str(sum(test.skipped is not None for test in tests)),
    )
    for test in tests:
        case = ElementTree.SubElement(
            suite, "testcase", classname="steward.eval", name=test.name, time=f"{test.seconds:.3f}"
        )
        if test.failure is not None:
            ElementTree.SubElement(case, "failure", message=test.failure)
        elif test.skipped is not None:
            ElementTree.SubElement(case, "skipped", message=test.skipped)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _test_of(result: CaseResult) -> _Test:
    seconds = sum(item.latency_ms * len(item.outcomes) for item in result.attempts) / 1000
    said = "; ".join(_faults(result))
    if not result.run:
        return _Test(result.case, None, said)
    failed = result.passed < len(result.run)
    return _Test(result.case, f"passed {_share(result)}: {said}" if failed else None, None, seconds)


def _compared_test_of(case: CaseComparison) -> _Test:
    said = "; ".join(case.faults)
    if not case.runnable:
        return _Test(case.case, None, said)
    before = f"{case.baseline_passed}/{case.baseline_runs}"
    after = f"{case.candidate_passed}/{case.candidate_runs}"
    failure = f"baseline {before}, candidate {after}: {said}" if case.worse else None
    return _Test(case.case, failure, None)


def _title(gate: GateResult) -> str:
    return f"evaluation of {short_id(gate.candidate)} against {short_id(gate.baseline)}"


def _figures(gate: GateResult) -> Iterable[tuple[str, str, str]]:
    before = [(case.baseline_passed, case.baseline_runs) for case in gate.cases]
    after = [(case.candidate_passed, case.candidate_runs) for case in gate.cases]
    yield "cases", _counted(before), _counted(after)
    yield f"pass^{gate.k}", f"{gate.pass_k_baseline:.3f}", f"{gate.pass_k_candidate:.3f}"
    yield "ms per turn", f"{gate.latency_ms_baseline:.0f}", f"{gate.latency_ms_candidate:.0f}"
    yield "cost per case", _money(gate.cost_baseline), _money(gate.cost_candidate)


def _counted(cases: Sequence[tuple[int, int]]) -> str:
    """Return how many cases passed of those that were run, by passes and runs of each."""
    run = [(passed, runs) for passed, runs in cases if runs]
    words = f"{sum(passed == runs for passed, runs in run)} of {len(run)} passed"
    return words if len(run) == len(cases) else f"{words}, {len(cases) - len(run)} not run"


def _side_by_side(case: CaseComparison) -> list[str]:
    lines = [f"**{case.case}**{' (worse)' if case.worse else ''}", "", "| customer | baseline | candidate |"]
    lines.append("|---|---|---|")
    turns = max(len(case.asks), len(case.baseline_texts), len(case.candidate_texts))
    for number in range(turns):
        cells = [
            _cell(texts[number]) if number < len(texts) else ""
            for texts in (case.asks, case.baseline_texts, case.candidate_texts)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _passed_words(run: EvalRun) -> str:
    count = sum(result.passed == len(result.run) > 0 for result in run.results)
    words = f"{count} of {len(run.results)} cases passed"
    if run.repeats > 1:
        words += f", {run.repeats} attempts each"
    if run.not_runnable:
        words += f", {len(run.not_runnable)} couldn't be run"
    return words


def _faults(result: CaseResult) -> tuple[str, ...]:
    return next((item.faults for item in result.attempts if not item.passed), ())


def _share(result: CaseResult) -> str:
    return f"{result.passed}/{len(result.run)}"


def _money(cost: float | None) -> str:
    return "-" if cost is None else f"{cost:.5f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
