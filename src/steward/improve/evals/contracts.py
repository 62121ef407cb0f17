"""What evaluations tell others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from steward.supply.releases.contracts import ReleaseId


class CaseChange(StrEnum):
    """How a case of the candidate stands to the baseline's of the same name."""

    SAME = "same"
    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of one case: whether everything expected held, and what didn't, in sentences.

    One that isn't `runnable` met a system or a model that didn't answer, which says nothing about the
    release; `faults` say what. `texts` are the assistant's answers, masked, one for each turn;
    `latency_ms` is the mean of the turns; `cost` is the whole conversation's.
    """

    passed: bool
    faults: tuple[str, ...]
    texts: tuple[str, ...]
    outcomes: tuple[str, ...]
    latency_ms: float
    cost: float | None
    runnable: bool = True


@dataclass(frozen=True, slots=True)
class CaseResult:
    """All attempts of one case on one release."""

    case: str
    attempts: tuple[Attempt, ...]

    @property
    def run(self) -> tuple[Attempt, ...]:
        """The attempts that could be run."""
        return tuple(attempt for attempt in self.attempts if attempt.runnable)

    @property
    def passed(self) -> int:
        """How many attempts passed."""
        return sum(attempt.passed for attempt in self.attempts)

    @property
    def flaky(self) -> bool:
        """Whether it passed sometimes and not always."""
        return 0 < self.passed < len(self.run)


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

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """Cases that could be run and didn't pass each time."""
        return tuple(result for result in self.results if result.run and result.passed < len(result.run))

    @property
    def not_runnable(self) -> tuple[CaseResult, ...]:
        """Cases of which no attempt could be run."""
        return tuple(result for result in self.results if not result.run)


@dataclass(frozen=True, slots=True)
class CaseComparison:
    """One case on two releases. `p` is Fisher's exact one-sided p-value that the candidate is worse.

    `change` tells how the case itself differs between the two folders. `asks` are the customer's
    messages; the texts are the answers of the first attempt, masked.
    """

    case: str
    baseline_passed: int
    baseline_runs: int
    candidate_passed: int
    candidate_runs: int
    p: float
    worse: bool
    flaky: bool
    faults: tuple[str, ...]
    change: CaseChange = CaseChange.SAME
    asks: tuple[str, ...] = ()
    baseline_texts: tuple[str, ...] = ()
    candidate_texts: tuple[str, ...] = ()

    @property
    def runnable(self) -> bool:
        """Whether it could be run on either release."""
        return self.baseline_runs + self.candidate_runs > 0

    @property
    def same_answer(self) -> bool:
        """Whether both releases said the same."""
        return self.baseline_texts == self.candidate_texts


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's answer: `passed` unless some case, or all together, got worse.

    `reasons` are sentences that say why not; `notes` name what a reader should know besides: flaky
    cases, cases that are new, changed or removed, cases that couldn't be run. `pass_k` is the estimated
    chance that all of `k` attempts pass. Latencies are means of turns, costs means of conversations.
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
    k: int = 1
    deterministic: bool = True
    pooled_p: float = 1.0
    notes: tuple[str, ...] = field(default=())
    baseline_run: UUID | None = None
    candidate_run: UUID | None = None
