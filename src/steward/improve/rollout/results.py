"""The results of a rollout or an experiment, read from its sums and its customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession
from steward.improve.insight import kpis
from steward.improve.insight.contracts import Better, Ratio, Sums
from steward.improve.rollout.comparison import (
    ArmValue,
    CostOfArms,
    Effect,
    ExperimentResults,
    Interval,
    KpiResult,
    ToKnow,
)
from steward.improve.rollout.contracts import ALL, PlannedTrigger, Rollout
from steward.improve.rollout.effects import Measure, Stratum, stratum_of, to_know, together
from steward.improve.rollout.errors import NoSuchRollout
from steward.improve.rollout.observed import Key, observed_sums, with_all_categories
from steward.improve.rollout.queries import BY_ID, rollout_of
from steward.supply.releases.assignment import Arm

__all__ = [
    "ArmValue",
    "CostOfArms",
    "Effect",
    "ExperimentResults",
    "Interval",
    "KpiResult",
    "Results",
    "ToKnow",
]

COST: Final = "cost_per_conversation"
MONTH_DAYS: Final = 30.0
PRESENT: Final = timedelta(days=7)
"""How far back the present traffic goes."""
SHORTEST: Final = timedelta(hours=1)
"""Traffic of less time is taken for that of an hour."""

_SUMS = """
    select kpi, phase, category, arm, n, y, d, yy, dd, yd from rollout_sum
    where rollout_id = %(rollout)s and category <> ''"""
_CUSTOMERS = """
    select count(*), min(at) from assignment
    where rollout_id = %(rollout)s and arm <> 'holdout' and at >= %(since)s"""
_CONVERSATIONS = """
    select count(*), min(opened_at) from conversation
    where assistant = %(assistant)s and simulated = %(simulated)s and opened_at >= %(since)s
      and category = any(%(categories)s)"""
_CURRENCY = "select currency from turn where rollout_id = %(rollout)s order by id desc limit 1"


@dataclass(frozen=True, slots=True)
class Pace:
    """How much traffic there is a day at present."""

    customers: float
    conversations: float


class Results:
    """Reads results; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, rollout_id: UUID) -> ExperimentResults:
        """Return everything that can be compared between the two arms so far.

        The triggers stand on the sums that verdicts read, everything else is read from the customers'
        conversations. Measures with nothing in either arm are left out.

        Raises:
            NoSuchRollout: there is none of this id.
        """
        now = self._clock.now()
        async with self._database.read() as session:
            rollout = await _rollout(session, rollout_id)
            sums = await self._sums(session, rollout, now)
            pace = await _pace(session, rollout, now)
            currency = await session.one(_CURRENCY, {"rollout": rollout_id})
        compared = [result_of(kpi, sums, rollout, pace) for kpi in comparable()]
        seen = tuple(item for item in compared if item.overall.baseline.n or item.overall.candidate.n)
        return ExperimentResults(
            rollout_id=rollout.id,
            kind=rollout.kind,
            state=rollout.state,
            at=now,
            confidence=1 - rollout.plan.alpha,
            customers_per_day=pace.customers,
            kpis=seen,
            cost=None if currency is None else cost_of(seen, currency[0], pace),
        )

    async def _sums(self, session: ReadSession, rollout: Rollout, now: datetime) -> Mapping[Key, Sums]:
        rows = await session.all(_SUMS, {"rollout": rollout.id})
        kept = {(row[0], row[1], row[2], row[3]): Sums(*row[4:]) for row in rows}
        others = [kpi for kpi in comparable() if kpi.name not in _triggers(rollout)]
        return {
            **with_all_categories(kept),
            **await observed_sums(session, rollout, others, now=now),
        }


def comparable() -> tuple[Ratio, ...]:
    """Return the KPIs that two arms can be compared by."""
    return tuple(kpi for kpi in kpis.ALL if isinstance(kpi, Ratio) and kpi.trigger)


def result_of(kpi: Ratio, sums: Mapping[Key, Sums], rollout: Rollout, pace: Pace) -> KpiResult:
    """Compare one KPI in all phases and categories."""
    trigger = _triggers(rollout).get(kpi.name)
    measure = Measure(
        higher_is_better=kpi.better is Better.HIGHER,
        margin=0.0 if trigger is None else trigger.margin,
        rare=kpi.rare,
        alpha=rollout.plan.alpha,
    )
    phases = _strata(kpi.name, sums, ALL, measure)
    return KpiResult(
        kpi=kpi.name,
        title=kpi.title,
        meaning=kpi.meaning,
        unit=kpi.unit,
        higher_is_better=None if kpi.better is Better.NEITHER else measure.higher_is_better,
        margin=None if trigger is None else measure.margin,
        overall=together(phases, category=ALL, measure=measure).effect,
        phases=tuple(item.effect for item in phases),
        categories=tuple(
            together(strata, category=name, measure=measure).effect
            for name in rollout.plan.categories
            if (strata := _strata(kpi.name, sums, name, measure))
        ),
        to_know=to_know(phases, measure=measure, customers_per_day=pace.customers),
    )


def cost_of(results: Sequence[KpiResult], currency: str, pace: Pace) -> CostOfArms | None:
    """Return what the arms cost, and the difference in a month if the candidate answered everybody."""
    found = next((item for item in results if item.kpi == COST), None)
    if found is None:
        return None
    effect, monthly = found.overall, pace.conversations * MONTH_DAYS
    always = effect.always
    return CostOfArms(
        currency=currency,
        baseline=effect.baseline,
        candidate=effect.candidate,
        conversations_per_month=monthly,
        per_month=None if effect.effect is None else effect.effect * monthly,
        per_month_interval=None if always is None else Interval(always.low * monthly, always.high * monthly),
    )


def _strata(kpi: str, sums: Mapping[Key, Sums], category: str, measure: Measure) -> tuple[Stratum, ...]:
    """Return the phases in which either arm has somebody."""
    phases = sorted({phase for name, phase, kept, _ in sums if name == kpi and kept == category})
    strata = (
        stratum_of(
            sums.get((kpi, phase, category, Arm.BASELINE), Sums()),
            sums.get((kpi, phase, category, Arm.CANDIDATE), Sums()),
            category=category,
            phase=phase,
            measure=measure,
        )
        for phase in phases
    )
    return tuple(item for item in strata if item.effect.baseline.n or item.effect.candidate.n)


async def _rollout(session: ReadSession, rollout_id: UUID) -> Rollout:
    row = await session.one(BY_ID, {"id": rollout_id})
    if row is None:
        raise NoSuchRollout(rollout_id)
    return rollout_of(row)


def _triggers(rollout: Rollout) -> Mapping[str, PlannedTrigger]:
    return {trigger.kpi: trigger for trigger in rollout.plan.triggers}


async def _pace(session: ReadSession, rollout: Rollout, now: datetime) -> Pace:
    values = {
        "rollout": rollout.id,
        "assistant": rollout.assistant,
        "simulated": rollout.simulated,
        "categories": list(rollout.plan.categories),
        "since": now - PRESENT,
    }
    customers = await session.one(_CUSTOMERS, values)
    conversations = await session.one(_CONVERSATIONS, values)
    return Pace(_per_day(customers, now), _per_day(conversations, now))


def _per_day(row: Sequence[Any] | None, now: datetime) -> float:
    """Return a count and its first moment as so many a day; a lane that is young has no full week."""
    if row is None or not row[0]:
        return 0.0
    count, first = row
    return float(count / (max(now - first, SHORTEST) / timedelta(days=1)))
