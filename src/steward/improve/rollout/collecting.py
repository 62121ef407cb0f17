"""Takes conversations whose measures have become final into the running sums, each exactly once.

Several processes may collect at the same time: rows are marked in the transaction that adds them, and
whoever comes second passes over what the first holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.improve.insight.contracts import Matures, Parameters, Sums
from steward.improve.insight.kpis import trigger_of
from steward.improve.insight.transpile import observations_sql
from steward.improve.rollout.contracts import Rollout
from steward.improve.rollout.situation import ENDED, NEVER, Key
from steward.improve.rollout.sums import Unit, of_units
from steward.supply.releases.assignment import Arm

BATCH: Final = 500
"""Conversations taken in one transaction: some 10 ms for each KPI."""
MOST_BATCHES: Final = 20
"""Batches of one call, so that a long backlog doesn't keep the breaker waiting."""

_TAKEN: Final = {
    Matures.CLOSED: "closed_taken",
    Matures.SURVEY: "survey_taken",
    Matures.RECONTACT: "recontact_taken",
}
RECENT: Final = timedelta(seconds=30)
"""How far back conversations that were closed are looked for several times a second."""
# The moment of maturity is when the conversation ended or had lain idle, and the time that answers may take.
_FINAL: Final = "least(coalesce(c.closed_at, 'infinity'), c.last_at + %(idle)s::interval)"
_DUE: Final = "%(now)s::timestamptz - %(after)s::interval"
# Few conversations fit one of the first two at any moment; the third reads all that are open, and is for a
# leader that begins: nobody may have looked for a while.
_WHERE: Final = {
    "closed": (
        f"c.rollout_id = %(id)s and c.closed_at <= {_DUE} and c.closed_at > {_DUE} - %(recent)s::interval"
    ),
    "idle": f"a.at <= {_DUE} - %(idle)s::interval",
    "any": f"a.at <= {_DUE}",
}


def _matured(column: str, where: str) -> str:
    """Return the statement that marks conversations whose measures have become final, and returns them."""
    return f"""
with ripe as (
    select a.phase, a.customer_id, {_FINAL} + %(after)s::interval as final_at
    from assignment a join conversation c on c.id = a.conversation_id
    where a.rollout_id = %(id)s and a.{column} is null and {where} and {_FINAL} <= {_DUE}
    order by a.phase, a.at limit %(batch)s for update of a skip locked)
update assignment a set {column} = ripe.final_at
from ripe
where a.rollout_id = %(id)s and a.phase = ripe.phase and a.customer_id = ripe.customer_id
returning a.phase, a.arm, a.category, a.conversation_id, a.{column}"""


_MATURED: Final = {
    (matures, way): _matured(column, where)
    for matures, column in _TAKEN.items()
    for way, where in _WHERE.items()
}
_ADD: Final = """
insert into rollout_sum (rollout_id, phase, kpi, category, arm, n, y, d, yy, dd, yd, last_at)
values (%(id)s, %(phase)s, %(kpi)s, %(category)s, %(arm)s, %(n)s, %(y)s, %(d)s, %(yy)s, %(dd)s, %(yd)s,
        %(last_at)s)
on conflict (rollout_id, phase, kpi, category, arm) do update
set n = rollout_sum.n + excluded.n, y = rollout_sum.y + excluded.y, d = rollout_sum.d + excluded.d,
    yy = rollout_sum.yy + excluded.yy, dd = rollout_sum.dd + excluded.dd, yd = rollout_sum.yd + excluded.yd,
    last_at = greatest(rollout_sum.last_at, excluded.last_at)
"""


@dataclass(frozen=True, slots=True)
class Ripe:
    """One conversation whose measures of some kind are final."""

    phase: int
    arm: Arm
    category: str
    conversation_id: UUID
    final_at: datetime


class Collector:
    """Built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def collect(self, rollout: Rollout, *, thoroughly: bool = True) -> int:
        """Add what has become final to the sums; return how many marks were set.

        Without `thoroughly` that is what became final in the last seconds, or by lying idle.
        """
        watched = {Matures.CLOSED, *(Matures(trigger.matures) for trigger in rollout.plan.triggers)}
        taken = 0
        for matures in sorted(watched):
            for way in ("any",) if thoroughly else ("closed", "idle"):
                taken += await self._take_all(rollout, matures, way)
        return taken

    async def _take_all(self, rollout: Rollout, matures: Matures, way: str) -> int:
        taken = 0
        for _ in range(MOST_BATCHES):
            batch = await self._take(rollout, matures, way)
            taken += batch
            if batch < BATCH:
                break
        return taken

    async def _take(self, rollout: Rollout, matures: Matures, way: str) -> int:
        async with self._database.write() as session:
            rows = await session.all(_MATURED[matures, way], self._bounds(rollout, matures))
            if not rows:
                return 0
            ripe = [
                Ripe(phase, Arm(arm), category, conversation_id, final_at)
                for phase, arm, category, conversation_id, final_at in rows
            ]
            sums = await _sums_of(session, rollout, matures, ripe)
            # Rows are locked in one order, so that two collectors wait for each other and don't deadlock.
            await session.execute_many(_ADD, [_row(rollout, key, *sums[key]) for key in sorted(sums)])
        return len(ripe)

    def _bounds(self, rollout: Rollout, matures: Matures) -> dict[str, object]:
        plan = rollout.plan
        hours = {Matures.SURVEY: plan.survey_hours, Matures.RECONTACT: plan.recontact_hours}
        return {
            "id": rollout.id,
            "now": self._clock.now(),
            "idle": timedelta(minutes=plan.idle_minutes),
            "after": timedelta(hours=hours.get(matures, 0.0)),
            "recent": RECENT,
            "batch": BATCH,
        }


async def _sums_of(
    session: WriteSession, rollout: Rollout, matures: Matures, ripe: Sequence[Ripe]
) -> dict[Key, tuple[Sums, datetime]]:
    """Return what a batch adds: by phase, KPI, category and arm, with the time of the last value."""
    sums: dict[Key, tuple[Sums, datetime]] = {}
    if matures is Matures.CLOSED:
        sums |= _grouped(ENDED, ripe, {one.conversation_id: Unit(1.0, 1.0) for one in ripe})
    parameters = asdict(
        Parameters(slow_ms=rollout.plan.slow_ms, recontact_hours=rollout.plan.recontact_hours)
    )
    watched = tuple(trigger.kpi for trigger in rollout.plan.triggers if trigger.matures == matures)
    if not watched:
        return sums
    ids = [one.conversation_id for one in ripe]
    units: dict[str, dict[UUID, Unit]] = {kpi: {} for kpi in watched}
    for kpi, conversation, y, d in await session.all(_observations(watched), {**parameters, "ids": ids}):
        units[kpi][conversation] = Unit(float(y), float(d))
    for kpi in watched:
        sums |= _grouped(kpi, ripe, units[kpi])
    return sums


@lru_cache(maxsize=64)
def _observations(watched: tuple[str, ...]) -> str:
    """Return one statement for the units of several KPIs: (kpi, conversation, numerator, denominator)."""
    # Names of KPIs are the code's own, so they may stand in the statement.
    return " union all ".join(
        f"select '{kpi}', of_{kpi}.* from ({observations_sql(trigger_of(kpi))}) of_{kpi}" for kpi in watched
    )


def _grouped(kpi: str, ripe: Sequence[Ripe], units: Mapping[UUID, Unit]) -> dict[Key, tuple[Sums, datetime]]:
    """Add units up; whoever says nothing about the KPI is counted with 0 over 0."""
    nothing = Unit(0.0, 0.0)
    groups: dict[Key, list[tuple[Unit, datetime]]] = {}
    for one in ripe:
        unit = units.get(one.conversation_id, nothing)
        last_at = one.final_at if unit.denominator else NEVER
        groups.setdefault(Key(one.phase, kpi, one.category, one.arm), []).append((unit, last_at))
    return {
        key: (of_units(unit for unit, _ in group), max(last_at for _, last_at in group))
        for key, group in groups.items()
    }


def _row(rollout: Rollout, key: Key, sums: Sums, last_at: datetime) -> dict[str, object]:
    return {"id": rollout.id, **key._asdict(), **asdict(sums), "arm": key.arm.value, "last_at": last_at}
