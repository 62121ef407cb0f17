"""The links that no signed head covers yet, recomputed from their rows before one does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from steward.base.db.contracts import ReadSession
from steward.govern.ledger import queries
from steward.govern.ledger.chain import Walk
from steward.govern.ledger.contracts import GENESIS, Checkpoint, Head
from steward.govern.ledger.merkle import Growing
from steward.govern.ledger.signatures import is_trusted

MOST_BETWEEN: Final = 10_000
"""Links under one signed head at most: a proof reads them all."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The links from `first` to `position`: the last one's digest and the root of their Merkle tree.

    `fault` says in a sentence why no head over them may be signed.
    """

    first: int
    position: int
    head: bytes
    root: bytes
    fault: str | None


async def next_segment(session: ReadSession, *, public_key: bytes) -> Segment | None:
    """Return what the next head would be of, checked; None where every link has a head.

    Each entry, each link and the newest head's signature are recomputed, in a thread: a thousand rows take
    some 40 ms.

    Args:
        session: where to read.
        public_key: the installation's.
    """
    newest = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
    begins = Head(newest.position, newest.head) if newest else Head(0, GENESIS)
    fault = None if newest is None else await _fault_of(session, newest, public_key)
    if fault is not None:
        return Segment(begins.position + 1, begins.position, begins.digest, GENESIS, fault)
    rows = await session.all(queries.NEXT, [begins.position, MOST_BETWEEN])
    return await asyncio.to_thread(_checked, begins, rows) if rows else None


async def _fault_of(session: ReadSession, newest: Checkpoint, public_key: bytes) -> str | None:
    if not is_trusted(newest, public_key):
        return f"the head of row {newest.position} isn't signed with this installation's key"
    count = await session.one(queries.COUNT)
    if count is not None and count[0] < newest.position:
        return f"the ledger ends at position {count[0]}, but {newest.position} was signed"
    return None


def _checked(begins: Head, rows: Sequence[Sequence[Any]]) -> Segment:
    walk, tree = Walk(start=begins), Growing()
    for row in rows:
        link = queries.link_of(row[:5])
        walk.take(link, queries.entry_of(row[5:]))
        tree.add(link.digest)
    last = queries.link_of(rows[-1][:5])
    return Segment(begins.position + 1, last.position, last.digest, tree.root(), walk.verdict().reason)
