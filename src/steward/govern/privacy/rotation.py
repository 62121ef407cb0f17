"""Rotation of the master key: a new one into use, everything wrapped anew, the old one retired.

Rows say by which key they are wrapped (the first bytes), so an interrupted rotation goes on where it stopped
and two at once do no harm. Until the end both keys are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy import key_queries as queries
from steward.govern.privacy.errors import KeyInUse, NoSuchKey
from steward.govern.privacy.key_keeping import CHANNEL, LOCK, KeyKeeping, ServiceKeys
from steward.govern.privacy.master_key import ID_BYTES, MasterKey, lookup_context

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class WrappedColumn:
    """A column whose bytes the master key wraps.

    Attributes:
        table: the table.
        key: its column that names a row, unique and ordered.
        column: the column; null where a row has nothing wrapped.
        context: from a row's key, the context under which it is wrapped.
        named: a further column that holds the id of the master key as text, if there is one.
    """

    table: str
    key: str
    column: str
    context: Callable[[Any], bytes]
    named: str | None = None


OWN_COLUMNS: Final = (
    WrappedColumn("customer_key", "customer_id", "wrapped", lambda key: bytes(key.bytes), "master_key"),
    WrappedColumn("lookup_key", "id", "wrapped", lookup_context),
)
"""What this package itself has wrapped."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """One master key: how many wrapped values it has per table, and whether it's the one in use."""

    id: str
    in_use: bool
    readable: bool
    wrapped: dict[str, int]

    @property
    def rows(self) -> int:
        """How many values it has wrapped altogether."""
        return sum(self.wrapped.values())


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the key in use, whether it's new, and how many values were wrapped anew."""

    key_id: str
    is_new: bool
    wrapped: dict[str, int]


class Rotation:
    """Puts new master keys into use and old ones away."""

    def __init__(
        self,
        database: Database,
        keeping: KeyKeeping,
        *,
        clock: Clock,
        columns: Sequence[WrappedColumn] = (),
        batch: int = BATCH,
    ) -> None:
        """Take the columns of other packages that the master key wraps."""
        self._database = database
        self._keeping = keeping
        self._ledger = Ledger(clock)
        self._columns = (*OWN_COLUMNS, *columns)
        self._batch = batch

    async def state(self) -> tuple[KeyState, ...]:
        """Return every key that is read or needed, the one in use first."""
        master_key = await self._keeping.open()
        counts: dict[str, dict[str, int]] = {one: {} for one in master_key.ids}
        async with self._database.read() as session:
            for column in self._columns:
                for key_id, rows in await session.all(_COUNT.format(**_names(column)), [ID_BYTES]):
                    counts.setdefault(key_id, {})[column.table] = rows
        return tuple(
            KeyState(key_id, key_id == master_key.id, key_id in master_key.ids, wrapped)
            for key_id, wrapped in counts.items()
        )

    async def rotate(self, *, actor: str, after_batch: Callable[[str, int], None] | None = None) -> Rotated:
        """Put a new key into use and wrap everything by it; an interrupted rotation goes on instead.

        Args:
            actor: who asked, as the ledger names callers.
            after_batch: told the table and how many of it are done after each batch.

        Raises:
            KeyGiven: everything is wrapped by the key in use, and Steward can't make another.
            WrongMasterKey: something is wrapped by a key that isn't there.
        """
        states = await self.state()
        is_new = not any(state.rows for state in states if not state.in_use)
        if is_new:
            await self._begin(actor)
        master_key = await self._keeping.open()
        wrapped = {column.table: 0 for column in self._columns}
        for column in self._columns:
            wrapped[column.table] = await self._rewrap(column, master_key, after_batch)
        async with self._database.write() as session:
            counts: dict[str, Detail] = {f"rows.{table}": rows for table, rows in wrapped.items()}
            details = {"source": self._keeping.source.name, **counts}
            await self._ledger.append(
                session, Entry(actor, "master_key.rotated", f"master_key:{master_key.id}", details)
            )
        return Rotated(master_key.id, is_new, wrapped)

    async def rotate_service(self, source: ServiceKeys, *, actor: str) -> int:
        """Make a new version of the key service's own key and have the master keys sealed by it."""
        async with self._database.write() as session:
            version = await source.rotate_service(session)
            entry = Entry(actor, "key_service.rotated", f"key_service:{source.name}", {"version": version})
            await self._ledger.append(session, entry)
        return version

    async def retire(self, key_id: str, *, actor: str) -> None:
        """Forget an older key.

        Raises:
            NoSuchKey: no key has this id.
            KeyInUse: it's in use, or something is wrapped by it.
            KeyGiven: Steward can't change where it comes from.
        """
        state = next((one for one in await self.state() if one.id == key_id), None)
        if state is None:
            raise NoSuchKey(key_id)
        if state.in_use or state.rows:
            raise KeyInUse(key_id, 0 if state.in_use else state.rows)
        async with self._database.write() as session:
            # A process that hasn't heard of the new key may be wrapping by this one at this moment.
            await session.execute(f"lock table {', '.join(self._tables)} in share mode")
            # Nor may a new key come into the source while this one is taken out of it.
            await session.one(queries.LOCK_KEYS, [LOCK])
            if rows := await self._wrapped_by(session, key_id):
                raise KeyInUse(key_id, rows)
            await self._keeping.source.drop(session, key_id)
            await self._ledger.append(session, Entry(actor, "master_key.retired", f"master_key:{key_id}", {}))
            await session.notify(CHANNEL, key_id)

    @property
    def _tables(self) -> tuple[str, ...]:
        return tuple(sorted({column.table for column in self._columns}))

    async def _wrapped_by(self, session: ReadSession, key_id: str) -> int:
        counts = [await session.all(_COUNT.format(**_names(column)), [ID_BYTES]) for column in self._columns]
        return sum(rows for count in counts for found, rows in count if found == key_id)

    async def _begin(self, actor: str) -> None:
        old = await self._keeping.open()
        async with self._database.write() as session:
            await session.one(queries.LOCK_KEYS, [LOCK])
            key_id = await self._keeping.source.add(session)
            entry = Entry(actor, "master_key.added", f"master_key:{key_id}", {"after": old.id})
            await self._ledger.append(session, entry)
            await session.notify(CHANNEL, key_id)

    async def _rewrap(
        self, column: WrappedColumn, master_key: MasterKey, after_batch: Callable[[str, int], None] | None
    ) -> int:
        last, done = None, 0
        while True:
            async with self._database.write() as session:
                rows = await self._next(session, column, master_key, last)
                await session.execute_many(
                    _UPDATE.format(**_names(column)), [_anew(row, column, master_key) for row in rows]
                )
            done += len(rows)
            if not rows:
                return done
            last = rows[-1][0]
            if after_batch is not None:
                after_batch(column.table, done)

    async def _next(
        self, session: ReadSession | WriteSession, column: WrappedColumn, master_key: MasterKey, last: object
    ) -> list[tuple[Any, bytes]]:
        """Return the next rows that another key wrapped, locked."""
        where = "" if last is None else f"and {column.key} > %(last)s"
        parameters = {
            "bytes": ID_BYTES,
            "current": bytes.fromhex(master_key.id),
            "last": last,
            "limit": self._batch,
        }
        rows = await session.all(_NEXT.format(after=where, **_names(column)), parameters)
        return [(row[0], bytes(row[1])) for row in rows]


# Names of tables and columns are constants of the code; values travel as parameters.
_COUNT = """
select encode(substring({column} from 1 for %s), 'hex'), count(*) from {table}
where {column} is not null group by 1
"""
_NEXT = """
select {key}, {column} from {table}
where {column} is not null and substring({column} from 1 for %(bytes)s) <> %(current)s {after}
order by {key} limit %(limit)s for update
"""
_UPDATE = "update {table} set {column} = %(wrapped)s{named} where {key} = %(key)s"


def _names(column: WrappedColumn) -> dict[str, str]:
    named = "" if column.named is None else f", {column.named} = %(master_key)s"
    return {"table": column.table, "key": column.key, "column": column.column, "named": named}


def _anew(row: tuple[Any, bytes], column: WrappedColumn, master_key: MasterKey) -> dict[str, Any]:
    context = column.context(row[0])
    wrapped = master_key.wrap(master_key.unwrap(row[1], context), context)
    return {"key": row[0], "wrapped": wrapped, "master_key": master_key.id}
