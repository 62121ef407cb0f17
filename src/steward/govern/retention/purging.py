"""A purger written as SQL: what most packages need to declare theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.ids import first_id_at
from steward.govern.retention.contracts import DataKind, Erased, Record

Export = Callable[[ReadSession, UUID], Awaitable[Sequence[Record]]]
UNHELD = "not exists (select from held_customer h where h.customer_id = {customer})"
"""Condition that no legal hold keeps a customer's rows; fill in the column."""


async def nothing_to_tell(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    """Export for tables that hold nothing about a person that another purger doesn't tell."""
    return ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One step of an erasure: the table, and SQL that takes `%(customer)s`. `keeps` marks rows that stay."""

    table: str
    sql: str
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class SqlPurger:
    """A `Purger` of statements.

    Attributes:
        name: unique among purgers.
        holds: what is held of a person.
        tables: the tables it answers for.
        erasing: steps of an erasure, in order.
        kind: whose rule expires it.
        due_sql: counts what is due. Takes `%(before)s`, and `%(before_id)s`: the first UUIDv7 of that moment.
        expiring: statements that each delete up to `%(limit)s` things and return a count of rows.
        export_with: tells what is kept of a customer.
    """

    name: str
    holds: str
    tables: tuple[str, ...]
    erasing: tuple[Statement, ...]
    kind: DataKind | None = None
    due_sql: str | None = None
    expiring: tuple[str, ...] = ()
    export_with: Export = nothing_to_tell

    async def due(self, session: ReadSession, before: datetime) -> int:
        """Count what `expire` would take."""
        if self.due_sql is None:
            return 0
        row = await session.one(self.due_sql, _moment(before))
        return int(row[0]) if row else 0

    async def expire(self, session: WriteSession, before: datetime, limit: int) -> int:
        """Remove up to `limit` things in one statement; the next statement begins when one finds nothing."""
        for statement in self.expiring:
            row = await session.one(statement, {**_moment(before), "limit": limit})
            if row is not None and row[0]:
                return int(row[0])
        return 0

    async def erase(self, session: WriteSession, customer_id: UUID) -> Erased:
        """Run every step."""
        removed: dict[str, int] = {}
        kept: dict[str, int] = {}
        for step in self.erasing:
            rows = await session.execute(step.sql, {"customer": customer_id})
            counted = kept if step.keeps else removed
            counted[step.table] = counted.get(step.table, 0) + rows
        return Erased(removed, kept)

    async def export(self, session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        """Return what is kept of the customer."""
        return await self.export_with(session, customer_id)


def _moment(before: datetime) -> dict[str, object]:
    return {"before": before, "before_id": first_id_at(before)}
