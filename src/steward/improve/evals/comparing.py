"""Two runs of the same cases, compared: which cases got worse, and whether the gate is passed. Pure.

Where nothing is left to chance, a case that passed and now fails is a regression. Where answers vary, cases
that look worse are run again, and only those fresh attempts are tested: choosing and testing on the same
attempts would find harm that isn't there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steward.improve.evals.cases import ComparedCase
from steward.improve.evals.contracts import (
    Attempt,
    CaseChange,
    CaseComparison,
    CaseResult,
    EvalRun,
    GateResult,
)
from steward.improve.evals.statistics import Counts, fisher_worse, holm, pass_to_the_k, pooled_worse

ALPHA: Final = 0.02
"""Chance of refusing a release that is no worse, where answers vary: half for single cases, half for all."""
NAMED = 8
"""Cases that a note names; of more it tells how many."""
COST_NOTED_FROM = 1.25
"""Ratio of costs from which a note says so; below lies what answers vary by."""
_CHANGES: Final = {
    CaseChange.NEW: "new",
    CaseChange.CHANGED: "changed: run as the candidate's folder has them",
    CaseChange.REMOVED: "gone from the candidate's folder: run as the baseline's has them",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One case with its results on both releases."""

    compared: ComparedCase
    baseline: CaseResult
    candidate: CaseResult

    @property
    def name(self) -> str:
        """The case's name."""
        return self.compared.case.name

    def counts(self, start: int = 0, stop: int | None = None) -> Counts:
        """Count the passes of both releases' attempts between two places."""
        before = [attempt for attempt in self.baseline.attempts[start:stop] if attempt.runnable]
        after = [attempt for attempt in self.candidate.attempts[start:stop] if attempt.runnable]
        return Counts(
            sum(attempt.passed for attempt in before), len(before),
            sum(attempt.passed for attempt in after), len(after),
        )  # fmt: skip


def pairs_of(cases: Sequence[ComparedCase], baseline: EvalRun, candidate: EvalRun) -> tuple[Pair, ...]:
    """Put the results of both runs side by side."""
    before = {result.case: result for result in baseline.results}
    after = {result.case: result for result in candidate.results}
    return tuple(Pair(item, before[item.case.name], after[item.case.name]) for item in cases)


def suspicious(pairs: Sequence[Pair], *, repeats: int) -> tuple[str, ...]:
    """Return the cases to run again: the candidate passed less often in the first attempts."""
    found = []
    for pair in pairs:
        counts = pair.counts(stop=repeats)
        if counts.baseline_runs and counts.candidate_runs and counts.looks_worse:
            found.append(pair.name)
    return tuple(found)


def judge(pairs: Sequence[Pair], baseline: EvalRun, candidate: EvalRun, *, at: datetime) -> GateResult:
    """Return the gate's answer from both runs, repeats of suspicious cases included."""
    deterministic = baseline.deterministic and candidate.deterministic
    repeats = min(baseline.repeats, candidate.repeats)
    p_values = {pair.name: _p(pair, repeats) for pair in pairs}
    firsts = [pair.counts(stop=repeats) for pair in pairs]
    pooled = pooled_worse([counts for counts in firsts if counts.baseline_runs and counts.candidate_runs])
    if deterministic:
        worse = {pair.name for pair in pairs if _is_certain(pair)}
    else:
        tested = {name: p_values[name] for name in suspicious(pairs, repeats=repeats)}
        worse = set(holm(tested, alpha=ALPHA / 2))
    lost = {pair.name for pair in pairs if pair.baseline.run and not pair.candidate.run}
    cases = tuple(_comparison(pair, p_values[pair.name], worse=pair.name in worse | lost) for pair in pairs)
    reasons = [_why(pair, lost=pair.name in lost) for pair in pairs if pair.name in worse | lost]
    if not deterministic and pooled <= ALPHA / 2:
        reasons.append(
            f"All cases together pass less often than on the baseline (exact test, p = {pooled:.2g})."
        )
    if not any(case.candidate_runs for case in cases):
        reasons.append("No case could be run, so nothing is known of this release.")
    return GateResult(
        candidate=candidate.release_id,
        baseline=baseline.release_id,
        passed=not reasons,
        reasons=tuple(reasons),
        cases=cases,
        pass_k_baseline=_pass_k([pair.baseline for pair in pairs], repeats),
        pass_k_candidate=_pass_k([pair.candidate for pair in pairs], repeats),
        latency_ms_baseline=_latency_ms([pair.baseline for pair in pairs]),
        latency_ms_candidate=_latency_ms([pair.candidate for pair in pairs]),
        cost_baseline=_cost([pair.baseline for pair in pairs]),
        cost_candidate=_cost([pair.candidate for pair in pairs]),
        at=at,
        k=repeats,
        deterministic=deterministic,
        pooled_p=pooled,
        notes=(*_notes(pairs), *_cost_notes(pairs)),
        baseline_run=baseline.id,
        candidate_run=candidate.id,
    )


def _p(pair: Pair, repeats: int) -> float:
    """Return Fisher's p-value, from attempts that didn't choose the case where there are any."""
    fresh = pair.counts(start=repeats)
    return fisher_worse(fresh if fresh.baseline_runs and fresh.candidate_runs else pair.counts())


def _is_certain(pair: Pair) -> bool:
    """Tell whether a case always passed before and never passes now."""
    counts = pair.counts()
    always = counts.baseline_runs > 0 and counts.baseline_passed == counts.baseline_runs
    return always and counts.candidate_runs > 0 and counts.candidate_passed == 0


def _comparison(pair: Pair, p: float, *, worse: bool) -> CaseComparison:
    counts = pair.counts()
    failed = next((item for item in pair.candidate.attempts if not item.passed), None)
    return CaseComparison(
        case=pair.name,
        baseline_passed=counts.baseline_passed,
        baseline_runs=counts.baseline_runs,
        candidate_passed=counts.candidate_passed,
        candidate_runs=counts.candidate_runs,
        p=p,
        worse=worse,
        flaky=pair.baseline.flaky or pair.candidate.flaky,
        faults=failed.faults if failed else (),
        change=pair.compared.change,
        asks=tuple(turn.customer for turn in pair.compared.case.turns),
        baseline_texts=_texts(pair.baseline),
        candidate_texts=_texts(pair.candidate),
    )


def _why(pair: Pair, *, lost: bool) -> str:
    failed = next(item for item in pair.candidate.attempts if not item.passed)
    what = "; ".join(failed.faults)
    if lost:
        return f"Case '{pair.name}' can be run on the baseline and not on the candidate: {what}."
    counts = pair.counts()
    return (
        f"Case '{pair.name}' passed {counts.baseline_passed} of {counts.baseline_runs} on the baseline and "
        f"{counts.candidate_passed} of {counts.candidate_runs} on the candidate: {what}."
    )


def _notes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    notes = []
    for change, words in _CHANGES.items():
        if names := [pair.name for pair in pairs if pair.compared.change is change]:
            notes.append(f"{_cases(len(names))} {words}: {_named(names)}")
    if names := [pair.name for pair in pairs if pair.baseline.flaky or pair.candidate.flaky]:
        notes.append(f"{_cases(len(names))} flaky, passing sometimes: {_named(names)}")
    if names := [pair.name for pair in pairs if pair.baseline.run and _fails_twice(pair)]:
        notes.append(f"{_cases(len(names))} failing on both releases: {_named(names)}")
    unrun: dict[str, list[str]] = {}
    for pair in pairs:
        if not pair.candidate.run:
            unrun.setdefault("; ".join(pair.candidate.attempts[0].faults), []).append(pair.name)
    notes += [f"{_cases(len(names))} not run, {why}: {_named(names)}" for why, names in sorted(unrun.items())]
    return tuple(notes)


def _cost_notes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Say when a conversation has become dearer: a model that is asked twice answers well and costs more."""
    before = _cost([pair.baseline for pair in pairs])
    after = _cost([pair.candidate for pair in pairs])
    if not before or not after or after < COST_NOTED_FROM * before:
        return ()
    return (f"a case costs {after / before:.1f} times as much on the candidate",)


def _fails_twice(pair: Pair) -> bool:
    counts = pair.counts()
    return counts.candidate_runs > 0 and counts.baseline_passed == counts.candidate_passed == 0


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number} cases"


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _texts(result: CaseResult) -> tuple[str, ...]:
    return result.attempts[0].texts if result.attempts else ()


def _pass_k(results: Sequence[CaseResult], k: int) -> float:
    shares = [pass_to_the_k(result.passed, len(result.run), k) for result in results if result.run]
    return sum(shares) / len(shares) if shares else 0.0


def _latency_ms(results: Sequence[CaseResult]) -> float:
    times = [attempt.latency_ms for attempt in _run_attempts(results)]
    return sum(times) / len(times) if times else 0.0


def _cost(results: Sequence[CaseResult]) -> float | None:
    costs = [attempt.cost for attempt in _run_attempts(results) if attempt.cost is not None]
    return sum(costs) / len(costs) if costs else None


def _run_attempts(results: Sequence[CaseResult]) -> list[Attempt]:
    return [attempt for result in results for attempt in result.run]
