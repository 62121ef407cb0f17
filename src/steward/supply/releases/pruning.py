"""Removes releases that nothing refers to, and the knowledge that only they held.

What refers to a release is asked of the catalogue: every foreign key on `release` and every column called
`release_id`, in whatever table, now or later. A release that is served, compared, labelled, or named by a
conversation, turn, workflow or evaluation stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession
from steward.base.errors import InvalidInput
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.supply.knowledge.pruning import (
    Leftovers,
    count_leftovers,
    remove_leftovers,
    remove_snapshot,
    unused_snapshots,
)
from steward.supply.releases.contracts import Progress, ReleaseId, short_id

KEPT: Final = 10
"""An assistant's newest releases that stay, used or not."""
GRACE: Final = timedelta(hours=1)
"""How old knowledge without a release is before it goes: a release being made publishes its own first."""
_OWN: Final = ("release_artefact", "release_signature")
"""Parts of a release, which go with it."""

_REFERENCES: Final = """
select format('select %%I as release_id from %%I', a.attname, c.relname)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
  and a.attnum > 0 and not a.attisdropped and c.relname <> all(%(own)s::text[])
  and (a.attname = 'release_id' or exists (
      select from pg_constraint k
      where k.contype = 'f' and k.conrelid = c.oid and k.confrelid = 'release'::regclass
        and k.conkey = array[a.attnum]))
order by 1
"""
_IN_TRAFFIC: Final = (
    "select split->>'candidate' from serving where split is not null",
    "select holdout->>'release_id' from serving where holdout is not null",
)
_UNUSED: Final = """
select r.id, r.assistant, r.number from (
    select id, assistant, number,
           row_number() over (partition by assistant order by number desc) as place
    from release) r
where r.place > %(keep)s and (%(assistant)s::text is null or r.assistant = %(assistant)s)
  and r.id not in (select release_id from ({used}) used where release_id is not null)
order by r.assistant, r.number
"""
_STILL_USED: Final = "select exists (select from ({used}) used where release_id = %(id)s)"
_LOCK: Final = "select id from release where id = %(id)s for update"
_DELETE: Final = "delete from release where id = %(id)s"
_SNAPSHOTS: Final = "select distinct snapshot_id from release where id <> all(%(without)s::text[])"

_HOLDER: Final = "select id from release where snapshot_id = %(id)s limit 1"


@dataclass(frozen=True, slots=True)
class Unused:
    """A release that nothing refers to."""

    id: ReleaseId
    assistant: str
    number: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be."""

    releases: tuple[Unused, ...]
    snapshots: int
    passages: int
    documents: int


class Pruning:
    """Finds and removes what nothing refers to; built once by the composition root."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def plan(self, *, keep: int = KEPT, assistant: str | None = None) -> Pruned:
        """Return what `prune` would remove now.

        Args:
            keep: how many of each assistant's newest releases stay, used or not.
            assistant: only this one's releases; by default all.

        Raises:
            InvalidInput: `keep` is below one.
        """
        async with self._database.read() as session:
            unused = await self._unused(session, keep=keep, assistant=assistant)
            snapshots = await self._snapshots(session, without=unused)
            left = await count_leftovers(session, without=snapshots)
        return Pruned(unused, len(snapshots), left.passages, left.documents)

    async def prune(
        self,
        *,
        actor: str,
        keep: int = KEPT,
        assistant: str | None = None,
        progress: Progress | None = None,
    ) -> Pruned:
        """Remove unused releases, each in a transaction of its own, and then unused knowledge.

        Interrupted, it has removed some and is simply run again.

        Args:
            actor: who does it, as the ledger writes it.
            keep: how many of each assistant's newest releases stay, used or not.
            assistant: only this one's releases; by default all.
            progress: is told what is being removed.

        Raises:
            InvalidInput: `keep` is below one.
        """
        async with self._database.read() as session:
            unused = await self._unused(session, keep=keep, assistant=assistant)
            used = await _references(session)
        removed: list[Unused] = []
        for place, release in enumerate(unused):
            if progress is not None:
                shown = f"{release.assistant} {release.number}"
                progress(f"removing release {shown}: {place + 1} of {len(unused)}")
            if await self._remove(release, used, actor):
                removed.append(release)
        snapshots, left = await self._remove_knowledge(actor, progress)
        return Pruned(tuple(removed), snapshots, left.passages, left.documents)

    async def _remove(self, release: Unused, used: str, actor: str) -> bool:
        """Remove one release unless something has come to refer to it; new references wait for the lock."""
        async with self._database.write() as session:
            if await session.one(_LOCK, {"id": release.id}) is None:
                return False
            row = await session.one(_STILL_USED.format(used=used), {"id": release.id})
            if row is None or row[0]:
                return False
            await session.execute(_DELETE, {"id": release.id})
            entry = Entry(
                actor,
                "release.pruned",
                f"release:{release.id}",
                {"assistant": release.assistant, "number": release.number},
            )
            await self._ledger.append(session, entry)
        return True

    async def _remove_knowledge(self, actor: str, progress: Progress | None) -> tuple[int, Leftovers]:
        async with self._database.read() as session:
            snapshots = await self._snapshots(session, without=())
        for place, snapshot_id in enumerate(snapshots):
            if progress is not None:
                shown = f"{short_id(snapshot_id)}: {place + 1} of {len(snapshots)}"
                progress(f"removing knowledge snapshot {shown}")
            async with self._database.write() as session:
                if await session.one(_HOLDER, {"id": snapshot_id}) is None:
                    await remove_snapshot(session, snapshot_id)
        async with self._database.write() as session:
            left = await remove_leftovers(session)
            if snapshots or left.passages or left.documents:
                details = {
                    "snapshots": len(snapshots),
                    "passages": left.passages,
                    "documents": left.documents,
                }
                await self._ledger.append(session, Entry(actor, "knowledge.pruned", "knowledge:all", details))
        return len(snapshots), left

    async def _unused(self, session: ReadSession, *, keep: int, assistant: str | None) -> tuple[Unused, ...]:
        if keep < 1:  # the newest keeps its number from being given again
            raise InvalidInput(f"--keep is {keep}; give how many releases are to stay, 1 or more")
        sql = _UNUSED.format(used=await _references(session))
        rows = await session.all(sql, {"keep": keep, "assistant": assistant})
        return tuple(Unused(ReleaseId(row[0]), row[1], row[2]) for row in rows)

    async def _snapshots(self, session: ReadSession, *, without: tuple[Unused, ...]) -> tuple[str, ...]:
        rows = await session.all(_SNAPSHOTS, {"without": [release.id for release in without]})
        before = self._clock.now() - GRACE
        return await unused_snapshots(session, used=[row[0] for row in rows], before=before)


async def _references(session: ReadSession) -> str:
    """Return the SQL that lists every release that something refers to."""
    rows = await session.all(_REFERENCES, {"own": list(_OWN)})
    return " union all ".join([*(row[0] for row in rows), *_IN_TRAFFIC])
