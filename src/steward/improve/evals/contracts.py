"""What evaluations tell others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.supply.releases.contracts import ReleaseId


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of one case: whether everything expected held, and what didn't, in sentences."""

    passed: bool
    faults: tuple[str, ...]
    texts: tuple[str, ...]
    outcomes: tuple[str, ...]
    latency_ms: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """All attempts of one case on one release."""

    case: str
    attempts: tuple[Attempt, ...]

    @property
    def passed(self) -> int:
        """How many attempts passed."""
        return sum(attempt.passed for attempt in self.attempts)

    @property
    def flaky(self) -> bool:
        """Whether it passed sometimes and not always."""
        return 0 < self.passed < len(self.attempts)


@dataclass(frozen=True, slots=True)
class EvalRun:
    """A release's cases, run. `deterministic` tells that repeats could not differ, so there is one each."""

    id: UUID
    release_id: ReleaseId
    cases_digest: str
    repeats: int
    deterministic: bool
    started_at: datetime
    finished_at: datetime | None
    results: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True)
class CaseComparison:
    """One case on two releases. `p` is Fisher's exact one-sided p-value that the candidate is worse."""

    case: str
    baseline_passed: int
    baseline_runs: int
    candidate_passed: int
    candidate_runs: int
    p: float
    worse: bool
    flaky: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's answer: `passed` unless some case, or all together, got worse.

    `reasons` are sentences that say why not. `pass_k` is the estimated chance that all of k attempts pass.
    """

    candidate: ReleaseId
    baseline: ReleaseId
    passed: bool
    reasons: tuple[str, ...]
    cases: tuple[CaseComparison, ...]
    pass_k_baseline: float
    pass_k_candidate: float
    latency_ms_baseline: float
    latency_ms_candidate: float
    cost_baseline: float | None
    cost_candidate: float | None
    at: datetime
