"""Hourly roll-ups: what live figures are read from.

An hour that something happened to is rolled up anew as a whole, in one transaction under a lock, so any
number of processes may do it and nothing is counted twice. What touches an hour: a conversation opened
in it went on, was closed, rated, handed over, reviewed or followed by another on the same matter; a turn
of it was judged; or the time came at which a delayed measure of it is final.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.improve.insight.contracts import Over, Parameters
from steward.improve.insight.parameters import ServedParameters
from steward.improve.insight.rolling import (
    cells_sql,
    conversations_sql,
    design_sql,
    matures_sql,
    sketches_sql,
    turns_sql,
)

LOCK = int.from_bytes(b"kpi_hour")
"""Advisory lock of whoever rolls up: the name in ASCII."""
OVERLAP = timedelta(minutes=10)
"""Looked at again each time: longer than any transaction that carries an earlier time is open."""
AT_ONCE = timedelta(hours=24)
"""Longest stretch of hours in one transaction."""
SETTLING = timedelta(minutes=15)
"""An hour whose conversations become final one by one is rolled up so often at most for that."""
DESIGN_EVERY = timedelta(hours=24)
DESIGN_WEEKS = timedelta(weeks=4)
DESIGN_SAMPLE = 20_000
"""Conversations that design effects are taken from, about."""
FRESH_S = 2.0
BREATHER = 20.0
"""Reading waits for at least so many times as long as the last round took before it starts another."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_TOUCHED = """
with changed as (
    select id, opened_at from conversation where last_at >= %(since)s or opened_at >= %(since)s
    union select id, opened_at from conversation where closed_at >= %(since)s
    union select c.id, c.opened_at from conversation c join feedback f on f.conversation_id = c.id
          where f.at >= %(since)s
    union select c.id, c.opened_at from conversation c join handover h on h.conversation_id = c.id
          where greatest(h.asked_at, h.taken_at, h.ended_at) >= %(since)s
    union select c.id, c.opened_at from conversation c join review r on r.conversation_id = c.id
          where r.at >= %(since)s
), related as (
    select other.opened_at
    from changed join conversation c on c.id = changed.id
    join conversation other on other.customer_id = c.customer_id and other.intent = c.intent
         and other.id <> c.id and other.last_at >= c.opened_at - %(window)s
         and other.opened_at <= coalesce(c.closed_at, c.last_at) + %(window)s
    where c.assistant = %(assistant)s
)
select date_trunc('hour', changed.opened_at, 'UTC') from changed join conversation c on c.id = changed.id
where c.assistant = %(assistant)s
union select date_trunc('hour', opened_at, 'UTC') from related
union select date_trunc('hour', started_at, 'UTC') from turn
      where finished_at >= %(since)s and assistant = %(assistant)s
union select date_trunc('hour', t.started_at, 'UTC') from turn t join feedback f on f.turn_id = t.id
      where f.at >= %(since)s and t.assistant = %(assistant)s
union select date_trunc('hour', t.started_at, 'UTC') from turn t join review r on r.turn_id = t.id
      where r.at >= %(since)s and t.assistant = %(assistant)s
union select hour from kpi_hour_state
      where assistant = %(assistant)s and matures_at <= %(at)s and rolled_at <= %(settled)s
order by 1
"""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a round did: hours rolled up anew, up to when; `busy` if another process is at it."""

    hours: int
    up_to: datetime
    busy: bool = False


class RollUps:
    """The job; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._parameters = ServedParameters()

    async def refresh(self) -> Refreshed:
        """Roll up every hour that was touched since the last round; the first one takes all there are."""
        at = self._clock.now()
        hours, busy = 0, False
        async with self._database.read() as session:
            rows = await session.all(
                "select assistant from serving union select distinct assistant from release"
            )
        for (assistant,) in rows:
            done = await self._refresh(assistant, at)
            if done is None:
                busy = True
            else:
                hours += done
        return Refreshed(hours, at, busy)

    async def refresh_if_stale(self) -> None:
        """Roll up before reading, unless that was done a moment ago."""
        async with self._database.read() as session:
            row = await session.one("select min(up_to), max(took_s) from kpi_rolled")
        if row is not None and row[0] is not None:
            age_s = (self._clock.now() - row[0]).total_seconds()
            if age_s < max(FRESH_S, BREATHER * row[1]):
                return
        await self.refresh()

    async def _refresh(self, assistant: str, at: datetime) -> int | None:
        begun = time.perf_counter()
        async with self._database.read() as session:
            parameters = await self._parameters.of(session, assistant)
            touched = await _touched(session, assistant, parameters, at)
        for start, end in stretches(touched):
            async with self._database.write() as session:
                if not await _locked(session):
                    return None
                await _roll(session, assistant, parameters, at, start, end)
        async with self._database.write() as session:
            if not await _locked(session):
                return None
            await _design(session, assistant, parameters, at)
            await session.execute(
                """insert into kpi_rolled (assistant, up_to, took_s) values (%s, %s, %s)
                   on conflict (assistant) do update
                   set up_to = greatest(kpi_rolled.up_to, excluded.up_to), took_s = excluded.took_s""",
                (assistant, at, time.perf_counter() - begun),
            )
        return len(touched)


def stretches(hours: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Join neighbouring hours, at most `AT_ONCE` of them, into stretches from start up to end."""
    joined: list[tuple[datetime, datetime]] = []
    for hour in sorted(hours):
        end = hour + timedelta(hours=1)
        if joined and joined[-1][1] == hour and end - joined[-1][0] <= AT_ONCE:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((hour, end))
    return joined


async def _locked(session: WriteSession) -> bool:
    row = await session.one("select pg_try_advisory_xact_lock(%s)", (LOCK,))
    return row is not None and bool(row[0])


async def _touched(
    session: ReadSession, assistant: str, parameters: Parameters, at: datetime
) -> list[datetime]:
    row = await session.one("select up_to from kpi_rolled where assistant = %s", (assistant,))
    rows = await session.all(
        _TOUCHED,
        {
            "assistant": assistant,
            "since": row[0] - OVERLAP if row else BEGINNING,
            "window": timedelta(hours=parameters.recontact_hours),
            "at": at,
            "settled": at - SETTLING,
        },
    )
    return [hour for (hour,) in rows]


async def _roll(
    session: WriteSession,
    assistant: str,
    parameters: Parameters,
    at: datetime,
    start: datetime,
    end: datetime,
) -> None:
    stretch = {"assistant": assistant, "start": start, "end": end}
    await session.execute(
        """delete from kpi_hour using kpi_cell c
           where cell = c.id and c.assistant = %(assistant)s and hour >= %(start)s and hour < %(end)s""",
        stretch,
    )
    await session.execute(cells_sql(), stretch)
    await session.execute(conversations_sql(parameters, at), stretch)
    await session.execute(turns_sql(parameters, at), stretch)
    await session.execute(sketches_sql(whole=False), stretch)
    await session.execute(sketches_sql(whole=True), stretch)
    due: dict[datetime, datetime] = dict(await session.all(matures_sql(parameters, at), stretch))
    hours = [start + timedelta(hours=i) for i in range(int((end - start) / timedelta(hours=1)))]
    await session.execute_many(
        """insert into kpi_hour_state (assistant, hour, rolled_at, matures_at) values (%s, %s, %s, %s)
           on conflict (assistant, hour) do update
           set rolled_at = excluded.rolled_at, matures_at = excluded.matures_at""",
        [(assistant, hour, at, due.get(hour)) for hour in hours],
    )


async def _design(session: WriteSession, assistant: str, parameters: Parameters, at: datetime) -> None:
    row = await session.one("select max(at) from kpi_design where assistant = %s", (assistant,))
    if row is not None and row[0] is not None and row[0] > at - DESIGN_EVERY:
        return
    start = at - DESIGN_WEEKS
    counted = await session.one(
        "select count(*) from conversation where assistant = %s and opened_at >= %s", (assistant, start)
    )
    sample = max(1, (counted[0] if counted else 0) // DESIGN_SAMPLE)
    for over in Over:
        rows = await session.all(
            design_sql(over, parameters, at, sample=sample), {"assistant": assistant, "start": start}
        )
        await session.execute_many(
            """insert into kpi_design (assistant, simulated, kpi, effect, customers, at)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (assistant, simulated, kpi) do update
               set effect = excluded.effect, customers = excluded.customers, at = excluded.at""",
            [(assistant, row[1], row[0], design_effect(*row[3:]), row[2], at) for row in rows],
        )


def design_effect(
    n: float, y: float, d: float, yy: float, dd: float, yd: float, cyy: float, cdd: float, cyd: float
) -> float:
    """Return how many times larger a ratio's variance is over customers than over conversations.

    Both are variances by linearisation (Kish, Survey Sampling, 1965, section 6.4); never below 1, since
    an accident of the sample must not narrow an interval.
    """
    if not d:
        return 1.0
    ratio = y / d
    apart = yy - 2 * ratio * yd + ratio**2 * dd
    together = cyy - 2 * ratio * cyd + ratio**2 * cdd
    return max(together / apart, 1.0) if apart > 1e-12 * n else 1.0
