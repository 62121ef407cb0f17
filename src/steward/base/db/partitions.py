"""Keep a partition for each coming month of the tables partitioned by range of a UUIDv7 id; drop old ones.

Bounds are the smallest ids of a month's first moment in UTC. A default partition takes what has no
month yet, so that no insert ever fails; its rows move when their month is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import LockNotAvailable

from steward.base.clock import Clock
from steward.base.db.contracts import WriteSession
from steward.base.db.errors import translated
from steward.base.db.pool import Session
from steward.base.ids import first_id_at

MONTHS_AHEAD = 3
LOCK_WAIT = "5s"


@dataclass(frozen=True, slots=True)
class Month:
    """One partition: its name's ending, and its ids from `start` up to, not including, `end`."""

    suffix: str
    start: UUID
    end: UUID


def months_from(first: date, ahead: int) -> list[Month]:
    """Return the month of `first` and the `ahead` months after it."""
    count = first.year * 12 + first.month - 1
    return [
        Month(
            f"{number // 12}_{number % 12 + 1:02}",
            first_id_at(_start(number)),
            first_id_at(_start(number + 1)),
        )
        for number in range(count, count + ahead + 1)
    ]


def _start(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


async def ensure_month_partitions(
    session: WriteSession, table: str, *, first: date, ahead: int = MONTHS_AHEAD
) -> list[str]:
    """Make the partitions that are missing, under the owner's role.

    Args:
        session: a transaction of the schema's owner.
        table: partitioned by range of a UUIDv7 `id`, with a default partition `<table>_default`.
        first: a day of the first month wanted.
        ahead: further months.

    Returns:
        The names of the partitions made.
    """
    made: list[str] = []
    for month in months_from(first, ahead):
        name = f"{table}_{month.suffix}"
        if not await _exists(session, name):
            await _make(session, table, name, month)
            made.append(name)
    return made


async def keep_months_ahead(owner_url: str, clock: Clock, *, ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make what is missing for every table partitioned by id: at start, and once a day.

    Returns:
        The names of the partitions made.

    Raises:
        OperationalError: the database can't be reached, or a table is locked for too long.
    """
    made: list[str] = []
    with translated():
        async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
            session = Session(connection)
            for table in await _partitioned_tables(session):
                months = months_from(clock.now().date(), ahead)
                if all([await _exists(session, f"{table}_{month.suffix}") for month in months]):
                    continue
                async with connection.transaction():
                    # Two processes may start at once: the second finds the first one's partitions.
                    await session.execute("select set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
                    await session.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"{table}_months",))
                    made += await ensure_month_partitions(
                        session, table, first=clock.now().date(), ahead=ahead
                    )
    return made


async def _partitioned_tables(session: WriteSession) -> list[str]:
    rows = await session.all(
        "select c.relname::text from pg_partitioned_table p "
        "join pg_class c on c.oid = p.partrelid "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0] "
        "where p.partstrat = 'r' and p.partnatts = 1 and a.atttypid = 'uuid'::regtype "
        "and c.relnamespace = 'public'::regnamespace order by 1"
    )
    return [row[0] for row in rows]


async def _exists(session: WriteSession, name: str) -> bool:
    # Not to_regclass: after waiting for a lock, it may still answer from this session's cache.
    row = await session.one(
        "select exists (select from pg_class where relname = %s and relnamespace = 'public'::regnamespace)",
        (name,),
    )
    return row is not None and bool(row[0])


async def _make(session: WriteSession, table: str, name: str, month: Month) -> None:
    """Build the partition beside the table, move rows that wait in the default, and attach it.

    Attaching locks out no reader or writer of the other partitions, as creating in place would.
    """
    names = {"table": _quoted(table), "name": _quoted(name), "rest": _quoted(f"{table}_default")}
    await session.execute("create table {name} (like {table} including all)".format(**names))
    await session.execute(
        "with moved as (delete from {rest} where id >= %s and id < %s returning *) "
        "insert into {name} select * from moved".format(**names),
        (month.start, month.end),
    )
    await session.execute(
        f"alter table {names['table']} attach partition {names['name']} "
        f"for values from ('{month.start}') to ('{month.end}')"
    )


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


async def drop_months_before(
    owner_url: str, table: str, before: datetime, *, stays: str, lock_wait_ms: int = 50
) -> int:
    """Drop each month's partition that ends before a moment, unless a row in it has to stay.

    Dropping takes a lock that keeps everybody out of the table; where it isn't had at once, the partition is
    left for the next time, so that nobody waits for it.

    Args:
        owner_url: the schema's owner.
        table: partitioned by range of a UUIDv7 `id`.
        before: what ends by then may go.
        stays: a condition on a row `t` of the partition that keeps it.
        lock_wait_ms: how long to wait for the lock.

    Returns:
        How many rows were dropped.
    """
    dropped = 0
    with translated():
        async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
            session = Session(connection)
            for name in await _months_of(session, table):
                year, month = map(int, name.removeprefix(f"{table}_").split("_"))
                if _start(year * 12 + month) > before:
                    continue
                dropped += await _drop(session, connection, table, name, stays, lock_wait_ms)
    return dropped


async def _months_of(session: WriteSession, table: str) -> list[str]:
    rows = await session.all(
        "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = to_regclass(%s) and c.relname ~ ('^' || %s || '_[0-9]{4}_[0-9]{2}$') order by 1",
        (table, table),
    )
    return [row[0] for row in rows]


async def _drop(
    session: Session,
    connection: AsyncConnection[Any],
    table: str,
    name: str,
    stays: str,
    lock_wait_ms: int,
) -> int:
    quoted = _quoted(name)
    row = await session.one(f"select count(*), count(*) filter (where {stays}) from {quoted} t")
    if row is None or row[1]:
        return 0
    try:
        async with connection.transaction():
            await session.execute("select set_config('lock_timeout', %s, true)", (f"{lock_wait_ms}ms",))
            await session.execute(f"alter table {_quoted(table)} detach partition {quoted}")
            await session.execute(f"drop table {quoted}")
    except LockNotAvailable:
        return 0
    return int(row[0])
