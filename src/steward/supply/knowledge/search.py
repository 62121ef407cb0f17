"""Hybrid search in one snapshot: meaning and words, filtered and ranked in one statement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Self

from steward.base.db.contracts import Database
from steward.supply.knowledge import queries
from steward.supply.knowledge.contracts import Audience, Found, Passage, SnapshotId, Vector
from steward.supply.knowledge.errors import NoSuchSnapshot
from steward.supply.knowledge.evidence import COMPARED, strength
from steward.supply.knowledge.lexical import Statistics, query_weights

DENSE_SHARE = 0.5
"""Weight of meaning against words. BM25 divided by its bound is small beside a cosine, so equal
shares rank mostly by meaning (measured in docs/decisions/0006-hybrid-retrieval.md)."""


class Search:
    """Searches one snapshot; implements `Searcher`. Build it once per release."""

    def __init__(
        self,
        database: Database,
        snapshot_id: SnapshotId,
        statistics: Statistics,
        *,
        inert: Collection[str] = (),
    ) -> None:
        """Search with statistics that were loaded before; `open` loads them."""
        self._database = database
        self._snapshot_id = snapshot_id
        self._statistics = statistics
        self._inert = sorted(inert)

    @classmethod
    async def open(cls, database: Database, snapshot_id: SnapshotId, *, inert: Collection[str] = ()) -> Self:
        """Load a snapshot's statistics; passages with the ids `inert` are never found.

        Raises:
            NoSuchSnapshot: it was never published here.
        """
        async with database.read() as session:
            row = await session.one(queries.SNAPSHOT, (snapshot_id,))
        if row is None:
            raise NoSuchSnapshot(snapshot_id)
        return cls(database, snapshot_id, Statistics.from_json(row[2]), inert=inert)

    @property
    def statistics(self) -> Statistics:
        """How rare each word is in this snapshot."""
        return self._statistics

    async def find(
        self,
        text: str,
        vector: Vector,
        *,
        audience: Audience,
        groups: Sequence[str],
        today: date,
        limit: int,
    ) -> Found:
        """Return at most `limit` passages that the reader may see today, best first.

        Args:
            text: the question in words.
            vector: the question's unit vector, by the snapshot's encoder.
            audience: the reader's level; documents of a higher one aren't there.
            groups: the reader's groups; a document with groups needs one of them.
            today: the day that validity is measured by.
            limit: passages at most.
        """
        weights = query_weights(text, self._statistics)
        parameters = {
            "dense_share": DENSE_SHARE,
            "vector": vector,
            "weights": weights.vector,
            "attainable": max(weights.attainable, 1e-6),
            "snapshot": self._snapshot_id,
            "audience": int(audience),
            "groups": list(groups),
            "today": today,
            "inert": self._inert,
            "limit": max(limit, COMPARED),
        }
        async with self._database.read() as session:
            rows = await session.all(queries.FIND, parameters)
        passages = tuple(Passage(*row) for row in rows)
        return Found(passages[:limit], strength([passage.score for passage in passages]))
