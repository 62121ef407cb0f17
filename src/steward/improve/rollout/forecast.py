"""What a rollout could find, told before it starts: its plan, and for each phase what harm shows how soon.

The KPIs are read as they lie on the lane now, over conversations of the phase's categories; a customer's
first conversation is taken to be like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession
from steward.improve.insight.contracts import By, Sums
from steward.improve.insight.live import Slice, ratio_rows
from steward.improve.rollout.contracts import Plan, PlannedPhase, RolloutKind
from steward.improve.rollout.plan import plan_of
from steward.improve.rollout.power import Expected, TriggerPower, expected_of, phase_power
from steward.supply.releases.service import Releases

PERIOD: Final = timedelta(days=28)
"""How far back KPIs are read."""
PRESENT: Final = timedelta(days=7)
"""How far back the present traffic goes."""

_CUSTOMERS: Final = """
select count(distinct customer_id), min(opened_at) from conversation
where assistant = %(assistant)s and simulated = %(simulated)s and opened_at >= %(since)s
  and category = any(%(categories)s) and (%(channels)s = '{}'::text[] or channel = any(%(channels)s))
"""


@dataclass(frozen=True, slots=True)
class PhaseForecast:
    """One phase: how many customers a day it meets in both arms, and what each trigger can find."""

    phase: PlannedPhase
    customers_per_day: float
    powers: tuple[TriggerPower, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """A plan, and its phases that compare two arms."""

    plan: Plan
    phases: tuple[PhaseForecast, ...]


class Forecasts:
    """Reads them; built once by the composition root."""

    def __init__(self, *, database: Database, releases: Releases, clock: Clock) -> None:
        self._database = database
        self._releases = releases
        self._clock = clock

    async def of(
        self, candidate: str, /, *, kind: RolloutKind = RolloutKind.ROLLOUT, simulated: bool = False
    ) -> Forecast:
        """Return what a candidate's plan could find on a lane.

        Raises:
            NoSuchRelease: there is no release of this id.
            BadPlan: its rollout.yaml can't be followed.
        """
        release = await self._releases.load(candidate)
        plan = plan_of(release.folder, kind=kind)
        now = self._clock.now()
        async with self._database.read() as session:
            sums = await self._sums(session, release.assistant, plan, simulated=simulated, at=now)
            paces = {
                place: await _per_day(session, release.assistant, phase, simulated=simulated, at=now)
                for place, phase in enumerate(plan.phases)
                if phase.is_randomised
            }
        return Forecast(plan, await asyncio.to_thread(_phases, plan, sums, paces))

    async def _sums(
        self, session: ReadSession, assistant: str, plan: Plan, *, simulated: bool, at: datetime
    ) -> Mapping[tuple[str, str], Sums]:
        traffic = Slice(since=at - PERIOD, simulated=simulated, assistant=assistant)
        rows = await ratio_rows(session, [trigger.kpi for trigger in plan.triggers], traffic, by=By.CATEGORY)
        return {(kpi, category): Sums(*sums) for kpi, category, mature, *sums in rows if mature}


def _phases(
    plan: Plan, sums: Mapping[tuple[str, str], Sums], paces: Mapping[int, float]
) -> tuple[PhaseForecast, ...]:
    return tuple(
        PhaseForecast(
            phase=plan.phases[place],
            customers_per_day=pace,
            powers=phase_power(
                plan, place, expected=_expected(sums, plan.phases[place]), customers_per_day=pace
            ),
        )
        for place, pace in paces.items()
    )


def _expected(sums: Mapping[tuple[str, str], Sums], phase: PlannedPhase) -> Mapping[str, Expected]:
    """Return how the KPIs lie in a phase's categories."""
    together: dict[str, Sums] = {}
    for (kpi, category), part in sums.items():
        if category in phase.categories:
            together[kpi] = together.get(kpi, Sums()).plus(part)
    found = {kpi: expected_of(whole) for kpi, whole in together.items()}
    return {kpi: expected for kpi, expected in found.items() if expected is not None}


async def _per_day(
    session: ReadSession, assistant: str, phase: PlannedPhase, *, simulated: bool, at: datetime
) -> float:
    """Return how many different customers a day came with a phase's matters, lately."""
    asked = {
        "assistant": assistant,
        "simulated": simulated,
        "since": at - PRESENT,
        "categories": list(phase.categories),
        "channels": list(phase.channels),
    }
    row = await session.one(_CUSTOMERS, asked)
    if row is None or not row[0]:
        return 0.0
    days = max((at - row[1]).total_seconds() / 86_400, 1 / 24)
    return float(row[0] / days)
