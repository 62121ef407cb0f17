"""Keep a partition for each coming month of the tables partitioned by range of a UUIDv7 id.

Bounds are the smallest ids of a month's first moment in UTC. A default partition takes what has no
month yet, so that no insert ever fails; its rows move when their month is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg import AsyncConnection, sql

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
