"""Live figures: any KPI with its interval and n, read from the hourly roll-ups.

What the intervals mean: a proportion of conversations has Wilson's, any other ratio the delta method's;
the units are conversations, and the variance is raised by the KPI's design effect, because conversations
of one customer are alike. Quantiles have the interval of order statistics. Conversations whose measure
isn't final are left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, Row
from steward.improve.insight.contracts import By, Figure, Kpi, Quantile, Sums
from steward.improve.insight.figures import Counts, counts_of, figure_of, quantile_figure
from steward.improve.insight.kpis import SHARE, kpi
from steward.improve.insight.rolling import WHOLE, sketch_of
from steward.improve.insight.rollups import RollUps

ALL_PARTS = "all"
_PART = {
    By.HOUR: "hour",
    By.DAY: "date_trunc('day', hour, 'UTC')",
    By.CATEGORY: "category",
    By.CHANNEL: "channel",
    By.RELEASE: "release_id",
    By.ARM: "arm",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Which traffic: from `since` (rounded down to its hour) up to `until`. None takes any."""

    since: datetime
    until: datetime | None = None
    simulated: bool = False
    assistant: str | None = None
    release: str | None = None
    arm: str | None = None
    category: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A figure of one part: an hour, a day, a category ...; `all` unless split."""

    part: datetime | str
    figure: Figure


class Live:
    """Reads the roll-ups; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock, roll_ups: RollUps | None = None) -> None:
        self._database = database
        self._roll_ups = roll_ups or RollUps(database=database, clock=clock)

    async def figure(self, name: str, traffic: Slice) -> Figure:
        """Return a KPI of some traffic.

        Raises:
            KpiNotFound: there is none of this name.
        """
        parts = await self.parts(name, traffic)
        return parts[0].figure if parts else figure_of(Sums())

    async def parts(self, name: str, traffic: Slice, *, by: By | None = None) -> tuple[Part, ...]:
        """Return a KPI of some traffic split into parts, in order; the latest events are in it.

        Raises:
            KpiNotFound: there is none of this name.
        """
        await self._roll_ups.refresh_if_stale()
        return await self.read(kpi(name), traffic, by=by)

    async def read(self, asked: Kpi, traffic: Slice, *, by: By | None = None) -> tuple[Part, ...]:
        """Return a KPI's parts from the roll-ups as they are."""
        async with self._database.read() as session:
            if isinstance(asked, Quantile):
                return await _quantiles(session, asked, traffic, by)
            design = await _design(session, asked.name, traffic)
            rows = await ratio_rows(session, [asked.name], traffic, by=by)
        found: dict[Any, dict[bool, Sums]] = {}
        for _, part, mature, *sums in rows:
            found.setdefault(part, {})[mature] = Sums(*sums)
        return tuple(
            Part(
                part,
                figure_of(
                    sums.get(True, Sums()),
                    immature=sums.get(False),
                    design=design,
                    share=asked.unit == SHARE,
                ),
            )
            for part, sums in found.items()
        )


async def ratio_rows(
    session: ReadSession, names: Sequence[str], traffic: Slice, *, by: By | None = None
) -> list[Row]:
    """Return rows of (kpi, part, mature, n, y, d, yy, dd, yd), sorted.

    The names stand in the statement itself: they are our own, and a prepared plan that doesn't know
    which KPI is meant reads the whole table.
    """
    return await session.all(
        f"""select kpi, {_part(by)} as part, mature, cast(sum(n) as bigint), sum(y), sum(d), sum(yy),
                   sum(dd), sum(yd)
            from kpi_hour join kpi_cell c on c.id = cell
            where kpi in ({_listed(names)}) and {_conditions(traffic)}
            group by 1, 2, 3 order by 1, 2, 3""",
        _values(traffic),
    )


async def sketches(
    session: ReadSession, name: str, traffic: Slice, *, by: By | None = None
) -> dict[Any, Counts]:
    """Return the added buckets of a duration by part, in order."""
    narrowed = (traffic.release, traffic.arm, traffic.category, traffic.channel) != (None,) * 4
    whole = by in (None, By.HOUR, By.DAY) and not narrowed
    rows = await session.all(
        f"""select {_part(by)} as part, string_agg(sketch, '')
            from kpi_hour join kpi_cell c on c.id = cell
            where kpi = {_listed([name])} and {_conditions(traffic)}
                  and release_id {"=" if whole else "<>"} '{WHOLE}'
            group by 1 order by 1""",
        _values(traffic),
    )
    return {part: counts_of(packed) for part, packed in rows}


async def _quantiles(
    session: ReadSession, asked: Quantile, traffic: Slice, by: By | None
) -> tuple[Part, ...]:
    design = await _design(session, "response_time_s", traffic)
    found = await sketches(session, sketch_of(asked), traffic, by=by)
    return tuple(
        Part(part, quantile_figure(counts, asked.share, design=design)) for part, counts in found.items()
    )


async def _design(session: ReadSession, name: str, traffic: Slice) -> float:
    row = await session.one(
        """select max(effect) from kpi_design where kpi = %s and simulated = %s
           and (cast(%s as text) is null or assistant = %s)""",
        (name, traffic.simulated, traffic.assistant, traffic.assistant),
    )
    return 1.0 if row is None or row[0] is None else float(row[0])


def _listed(names: Sequence[str]) -> str:
    assert all(name.isidentifier() for name in names)
    return ", ".join(f"'{name}'" for name in names)


def _part(by: By | None) -> str:
    return f"'{ALL_PARTS}'" if by is None else _PART[by]


def _conditions(traffic: Slice) -> str:
    said = ["hour >= date_trunc('hour', cast(%(since)s as timestamptz), 'UTC')", "simulated = %(simulated)s"]
    if traffic.until is not None:
        said.append("hour < %(until)s")
    for column, value in (
        ("assistant", traffic.assistant),
        ("release_id", traffic.release),
        ("arm", traffic.arm),
        ("category", traffic.category),
        ("channel", traffic.channel),
    ):
        if value is not None:
            said.append(f"{column} = %({column})s")
    return " and ".join(said)


def _values(traffic: Slice) -> dict[str, object]:
    return {
        "since": traffic.since,
        "until": traffic.until,
        "simulated": traffic.simulated,
        "assistant": traffic.assistant,
        "release_id": traffic.release,
        "arm": traffic.arm,
        "category": traffic.category,
        "channel": traffic.channel,
    }
