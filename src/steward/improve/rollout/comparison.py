"""What a comparison of two releases showed, as pages get it.

An effect is the candidate's value less the baseline's, in the KPI's own unit; the sign says nothing
about better or worse, `higher_is_better` does. Each customer counts once in a phase. Phases are strata:
verdicts never pool them, and what is shown for all phases together is weighted by inverse variances.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from steward.improve.rollout.contracts import RolloutId, RolloutKind, RolloutState


@dataclass(frozen=True, slots=True)
class Interval:
    """Where an effect lies with the page's confidence."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How far apart the two ends are."""
        return self.high - self.low

    @property
    def excludes_zero(self) -> bool:
        """Whether the two releases differ with confidence."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class ArmValue:
    """A KPI in one arm, and over how many customers."""

    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Candidate less baseline of one KPI, in one phase or, where `phase` is None, in all of them.

    `category` is empty for all categories together. `relative` is a share of the baseline's value.
    `always` may be looked at as often as one likes; `fixed` is the usual interval, which is right only
    for a single look at a moment chosen beforehand. None where there is too little to tell.
    """

    category: str
    phase: int | None
    baseline: ArmValue
    candidate: ArmValue
    effect: float | None
    relative: float | None
    always: Interval | None
    fixed: Interval | None


@dataclass(frozen=True, slots=True)
class ToKnow:
    """What it takes until `always` is as narrow as `margin` to each side.

    `customers` more in both arms together, and `days` at the present traffic; None where traffic has
    stopped. Both are 0 when it is known.
    """

    margin: float
    customers: int
    days: float | None


@dataclass(frozen=True, slots=True)
class KpiResult:
    """One KPI compared. `margin` is the trigger's, or None where the plan watches something else.

    `overall` is over all phases and categories, `phases` over all categories, `categories` over all
    phases. `higher_is_better` is None where neither direction is.
    """

    kpi: str
    title: str
    meaning: str
    unit: str
    higher_is_better: bool | None
    margin: float | None
    overall: Effect
    phases: tuple[Effect, ...]
    categories: tuple[Effect, ...]
    to_know: ToKnow | None

    @property
    def better(self) -> bool | None:
        """Whether the candidate is better with confidence (False: worse); None where that isn't known."""
        interval = self.overall.always
        if self.higher_is_better is None or interval is None or not interval.excludes_zero:
            return None
        return (interval.low > 0) == self.higher_is_better


@dataclass(frozen=True, slots=True)
class CostOfArms:
    """What each arm costs per conversation, and what the difference comes to in a month of 30 days.

    `conversations_per_month` is the present traffic of the categories that take part. `per_month` is what
    the candidate would cost more (or less) than the baseline if it answered all of it.
    """

    currency: str
    baseline: ArmValue
    candidate: ArmValue
    conversations_per_month: float
    per_month: float | None
    per_month_interval: Interval | None


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    """Everything that the results page shows. `confidence` is that of each interval by itself, e.g. 0.95.

    `customers_per_day` is how many customers a day were assigned to either arm lately.
    """

    rollout_id: RolloutId
    kind: RolloutKind
    state: RolloutState
    at: datetime
    confidence: float
    customers_per_day: float
    kpis: tuple[KpiResult, ...]
    cost: CostOfArms | None
