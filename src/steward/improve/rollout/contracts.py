"""What the parts of a rollout tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from steward.improve.insight.contracts import Sums
from steward.supply.releases.assignment import Arm, BaselineKind
from steward.supply.releases.contracts import ReleaseId

RolloutId = NewType("RolloutId", UUID)
ALL = ""
"""Stands for all categories together."""


class RolloutKind(StrEnum):
    """What traffic is divided for."""

    ROLLOUT = "rollout"
    """To make the candidate the served release."""
    EXPERIMENT = "experiment"
    """To know which of two is better (A/B); nothing is promoted by itself."""
    SHADOW = "shadow"
    """To see what the candidate would say; nobody hears it."""


class RolloutState(StrEnum):
    """Where a rollout stands. `HELD` stopped itself; `PAUSED` was stopped by somebody."""

    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    PAUSED = "paused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"
    CONCLUDED = "concluded"

    @property
    def is_open(self) -> bool:
        """Whether it may still change."""
        return self in (RolloutState.WAITING, RolloutState.RUNNING, RolloutState.HELD, RolloutState.PAUSED)


class Stage(StrEnum):
    """What a phase is for."""

    INTERNAL = "internal"
    PILOT = "pilot"
    RAMP = "ramp"
    FULL = "full"


class Advance(StrEnum):
    """What it takes to leave a phase once its minimums are reached."""

    SAFE = "safe"
    NO_HARM = "no_harm"
    APPROVAL = "approval"


class Finding(StrEnum):
    """A verdict on one trigger. `NO_DATA` is a measure that has stopped arriving."""

    HARMFUL = "harmful"
    SAFE = "safe"
    UNKNOWN = "unknown"
    NO_DATA = "no_data"


# ------------------------------------------------------------------ the plan, frozen when a rollout starts


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One step, with its categories resolved to names."""

    name: str
    stage: Stage
    share_percent: float
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    minimum_conversations: int
    minimum_hours: float
    advance: Advance
    approval: str | None

    @property
    def is_randomised(self) -> bool:
        """Whether two arms are compared in it."""
        return self.stage in (Stage.PILOT, Stage.RAMP)


@dataclass(frozen=True, slots=True)
class PlannedTrigger:
    """A KPI and the harm in it that is still acceptable, in its own unit.

    `higher_is_better` gives harm its sign; `rare` asks for the exact sequence.
    """

    kpi: str
    margin: float
    higher_is_better: bool
    rare: bool = False
    matures: str = "closed"
    """`closed`, `survey` or `recontact`: when a unit's value is final."""


@dataclass(frozen=True, slots=True)
class BreakerPlan:
    """When a candidate is stopped at once."""

    consecutive_failures: int
    window_turns: int
    failure_share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a rollout, frozen at its start and kept as JSON."""

    phases: tuple[PlannedPhase, ...]
    triggers: tuple[PlannedTrigger, ...]
    alpha: float
    holdout_share: float
    slow_ms: float
    stale_hours: float
    idle_minutes: float
    survey_hours: float
    recontact_hours: float
    breaker: BreakerPlan

    @property
    def categories(self) -> tuple[str, ...]:
        """Every category that takes part in some phase, sorted."""
        return tuple(sorted({name for phase in self.phases for name in phase.categories}))


# ------------------------------------------------------------------ evidence and verdicts


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict on one trigger in one category stands on.

    `alpha` is this one's own part of the plan's and decides about harm; `safe_alpha` is the plan's whole,
    since a phase is safe only when every trigger is. `stale` tells that the measure has stopped arriving in
    an arm while conversations go on.
    """

    trigger: PlannedTrigger
    category: str
    baseline: Sums
    candidate: Sums
    alpha: float
    safe_alpha: float
    stale: bool = False


@dataclass(frozen=True, slots=True)
class TriggerVerdict:
    """What the evidence says. Harm is positive when the candidate is worse, in the KPI's own unit.

    `low` and `high` bound the harm at any time with confidence (each side by itself, low at `alpha`
    and high at `safe_alpha`); None where there is too little to bound it. `needed` estimates how many more
    customers (both arms together) decide it, None when it is decided or can't be told.
    """

    kpi: str
    category: str
    finding: Finding
    margin: float
    baseline: float | None
    candidate: float | None
    harm: float | None
    low: float | None
    high: float | None
    n_baseline: int
    n_candidate: int
    needed: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """All verdicts of a phase at one moment."""

    rollout_id: RolloutId
    phase: int
    at: datetime
    verdicts: tuple[TriggerVerdict, ...]
    sample_ratio_ok: bool
    sample_ratio_p: float | None

    def of(self, category: str) -> tuple[TriggerVerdict, ...]:
        """Return the verdicts on one category, or on `ALL`."""
        return tuple(verdict for verdict in self.verdicts if verdict.category == category)


# ------------------------------------------------------------------ rollouts as others see them


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout as it stands."""

    id: RolloutId
    assistant: str
    simulated: bool
    kind: RolloutKind
    candidate: ReleaseId
    baseline: ReleaseId
    baseline_kind: BaselineKind
    plan: Plan
    state: RolloutState
    phase: int
    phase_started_at: datetime | None
    hold_reason: str | None
    harmed_categories: tuple[str, ...]
    end_reason: str | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def current(self) -> PlannedPhase:
        """The phase that it is in."""
        return self.plan.phases[self.phase]


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """Something that happened in a rollout: what, why and who; `evidence` holds the numbers.

    `kind` is one of started, approval_asked, approved, denied, phase_started, held, resumed, paused,
    category_rolled_back, rolled_back, promoted, aborted, concluded.
    """

    at: datetime
    kind: str
    phase: int
    actor: str
    reason: str
    evidence: Mapping[str, object]
    ledger_position: int | None
    """Its place in the ledger's chain; None for the moment until it is linked."""
    ledger_entry: UUID | None


@dataclass(frozen=True, slots=True)
class PhaseApproval:
    """Somebody's agreement that a phase needs."""

    phase: int
    role: str
    state: str
    asked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """One arm in one phase: assigned and ended conversations, and sums by KPI over all categories."""

    arm: Arm
    phase: int
    customers: int
    ended: int
    conversations: int
    turns: int
    cost: float
    p50_ms: float | None
    p95_ms: float | None
    sums: Mapping[str, Sums] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookPoint:
    """One verdict at one moment, for charts."""

    at: datetime
    phase: int
    verdict: TriggerVerdict


@dataclass(frozen=True, slots=True)
class RolloutPage:
    """Everything that a newcomer's questions need, in one answer."""

    rollout: Rollout
    candidate_number: int
    baseline_number: int
    events: tuple[RolloutEvent, ...]
    approvals: tuple[PhaseApproval, ...]
    arms: tuple[ArmFigures, ...]
    latest: tuple[TriggerVerdict, ...]
    points: tuple[LookPoint, ...]
    changes: tuple[str, ...]
    cost_candidate: float
    currency: str
    gate_passed: bool | None
    customers_met: int | None = None
    """Different customers whom the candidate was given to in any phase; None where that wasn't counted."""
