"""Removes snapshots that nobody refers to, and the passages and documents that only they held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steward.base.db.contracts import ReadSession, WriteSession
from steward.supply.knowledge import queries

_UNUSED: Final = """
select id from knowledge_snapshot where id <> all(%(used)s::text[]) and created_at < %(before)s order by id
"""
_DELETE_SNAPSHOT: Final = "delete from knowledge_snapshot where id = %(id)s"
_DELETE_PASSAGES: Final = """
delete from passage p where not exists (select from snapshot_passage s where s.passage_id = p.id)
"""
_DELETE_DOCUMENTS: Final = """
delete from knowledge_document d where not exists (select from passage p where p.document_id = d.id)
"""
_COUNT_LEFT: Final = """
select (select count(*) from passage p where not exists (
            select from snapshot_passage s
            where s.passage_id = p.id and s.snapshot_id <> all(%(gone)s::text[]))),
       (select count(*) from knowledge_document d where not exists (
            select from passage p join snapshot_passage s on s.passage_id = p.id
            where p.document_id = d.id and s.snapshot_id <> all(%(gone)s::text[])))
"""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Passages and documents that no snapshot holds."""

    passages: int
    documents: int


async def unused_snapshots(session: ReadSession, *, used: Sequence[str], before: datetime) -> tuple[str, ...]:
    """Return the snapshots made before a moment that aren't among the used ones."""
    rows = await session.all(_UNUSED, {"used": list(used), "before": before})
    return tuple(row[0] for row in rows)


async def remove_snapshot(session: WriteSession, snapshot_id: str) -> None:
    """Remove a snapshot in the caller's transaction; its passages may be others' as well and stay."""
    await session.execute(queries.LOCK_PUBLISHING)
    await session.execute(_DELETE_SNAPSHOT, {"id": snapshot_id})


async def remove_leftovers(session: WriteSession) -> Leftovers:
    """Remove the passages and documents that no snapshot holds; publishers wait meanwhile."""
    await session.execute(queries.LOCK_PUBLISHING)
    passages = await session.execute(_DELETE_PASSAGES)
    return Leftovers(passages, await session.execute(_DELETE_DOCUMENTS))


async def count_leftovers(session: ReadSession, *, without: Sequence[str]) -> Leftovers:
    """Count what `remove_leftovers` would remove once these snapshots are gone."""
    row = await session.one(_COUNT_LEFT, {"gone": list(without)})
    assert row is not None
    return Leftovers(row[0], row[1])
