"""The daily round: what is older than its rule allows goes, in small batches.

One process at a time holds the lock; each batch is a transaction of its own, so that a round that is cut off
loses nothing and goes on where it stopped, and nobody waits for more than one batch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.errors import StewardError
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.retention import queries
from steward.govern.retention.contracts import DataKind, Policy, Purger, Rule
from steward.govern.retention.erasing import Erasing

ROUND_EVERY: Final = timedelta(hours=24)
BATCH: Final = 500
"""Rows or conversations in one transaction: 2 to 48 ms each, with 1,000 conversations on two busy cores."""
_CALENDAR_BEGINS: Final = datetime.min.replace(tzinfo=UTC)
_LOCK: Final = 0x7374_7265_7465_6E74
log = structlog.get_logger(__name__)
DropMonths = Callable[[datetime], Awaitable[int]]
"""Drops whole months of turns older than a moment, where nothing in them is held; returns how many rows."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one rule would take now; `days` is None where there is no rule: it is kept."""

    kind: DataKind
    purger: str
    days: int | None
    before: datetime | None
    rows: int


@dataclass(frozen=True, slots=True)
class Round:
    """A round that was made, with rows by purger."""

    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]


class Expiring:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        policy: Policy,
        purgers: Sequence[Purger],
        erasing: Erasing,
        drop_months: DropMonths | None = None,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._policy = policy
        self._purgers = tuple(purgers)
        self._erasing = erasing
        self._drop_months = drop_months
        self._batch = batch

    async def sweep(self) -> Mapping[str, int] | None:
        """Make a round when the last is a day old; None where it wasn't due or another process makes it."""
        async with self._database.read() as session:
            row = await session.one(queries.LAST_ROUND)
        if row is not None and row[0] is not None and self._clock.now() - row[0] < ROUND_EVERY:
            return None
        return await self.run()

    async def run(self) -> Mapping[str, int] | None:
        """Make a round now, going on with one that was cut off; None where another process makes one."""
        async with self._database.read() as lease:
            row = await lease.one(queries.TRY_LOCK, (_LOCK,))
            if row is None or not row[0]:
                return None
            try:
                return await self._round()
            finally:
                await lease.one(queries.UNLOCK, (_LOCK,))

    async def due(self) -> tuple[Due, ...]:
        """Say what each rule would take now; nothing is removed."""
        rules = {rule.kind: rule for rule in await self._policy.rules()}
        found: list[Due] = []
        async with self._database.read() as session:
            for purger in self._purgers:
                if purger.kind is None:
                    continue
                rule = rules.get(purger.kind)
                before = None if rule is None else self._before(rule)
                rows = 0 if before is None else await purger.due(session, before)
                days = None if rule is None else rule.days
                found.append(Due(purger.kind, purger.name, days, before, rows))
        ledger = rules.get(DataKind.LEDGER)
        found.append(Due(DataKind.LEDGER, "ledger", None if ledger is None else ledger.days, None, 0))
        return tuple(found)

    async def rounds(self, *, limit: int = 30) -> tuple[Round, ...]:
        """List the latest rounds."""
        async with self._database.read() as session:
            return tuple(Round(*row) for row in await session.all(queries.ROUNDS, (limit,)))

    async def _round(self) -> Mapping[str, int]:
        identifier = await self._open_round()
        await self._finish_erasures()
        rules = {rule.kind: rule for rule in await self._policy.rules()}
        for purger in self._purgers:
            rule = None if purger.kind is None else rules.get(purger.kind)
            if rule is not None:
                await self._expire(identifier, purger, self._before(rule))
        async with self._database.write() as session:
            row = await session.one(queries.FINISH_ROUND, (self._clock.now(), identifier))
            counts: dict[str, int] = {} if row is None else dict(row[0])
            details = {"rows": sum(counts.values()), **counts}
            await self._ledger.append(
                session, Entry("system", "retention.applied", f"round:{identifier}", details)
            )
        log.info("retention_applied", rows=sum(counts.values()))
        return counts

    async def _open_round(self) -> UUID:
        async with self._database.write() as session:
            row = await session.one(queries.OPEN_ROUND)
            if row is not None:
                left: UUID = row[0]
                return left
            identifier = new_id(self._clock)
            await session.execute(queries.BEGIN_ROUND, (identifier, self._clock.now()))
        return identifier

    async def _finish_erasures(self) -> None:
        """Go on with erasures whose process died; one that can't go on yet is named and left for tomorrow."""
        for begun in await self._erasing.unfinished():
            try:
                await self._erasing.finish(begun)
            except StewardError as error:
                log.warning("erasure_waits", erasure=str(begun.id), sentence=str(error))

    async def _expire(self, identifier: UUID, purger: Purger, before: datetime) -> None:
        if purger.kind is DataKind.TURNS and self._drop_months is not None:
            await self._count(identifier, purger.name, await self._drop_months(before))
        while True:
            async with self._database.write() as session:
                rows = await purger.expire(session, before, self._batch)
                if not rows:
                    return
                values = {"id": identifier, "name": purger.name, "rows": rows}
                await session.execute(queries.COUNT_ROWS, values)

    async def _count(self, identifier: UUID, name: str, rows: int) -> None:
        if rows:
            async with self._database.write() as session:
                await session.execute(queries.COUNT_ROWS, {"id": identifier, "name": name, "rows": rows})

    def _before(self, rule: Rule) -> datetime:
        """Return the moment before which things are old; a rule may be longer than the calendar."""
        now = self._clock.now()
        return now - timedelta(days=min(rule.days, (now - _CALENDAR_BEGINS).days))
