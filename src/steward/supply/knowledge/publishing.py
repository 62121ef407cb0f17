"""Publishes documents as an immutable snapshot: clean, split, embed what is new, store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steward.base.clock import Clock
from steward.base.db.contracts import Database, Row, WriteSession
from steward.base.language.contracts import Embedder
from steward.supply.knowledge import queries
from steward.supply.knowledge.cleaning import clean
from steward.supply.knowledge.contracts import SnapshotId, SourceDocument, Vector
from steward.supply.knowledge.identity import NamedPassage, name_passages, name_snapshot
from steward.supply.knowledge.lexical import Statistics, passage_weights, statistics_of
from steward.supply.knowledge.splitting import split

# Passages embedded between two reports of progress.
BATCH = 64
DOCUMENT_SHARE = 0.3
"""How far a passage leans towards its document (measured in docs/decisions/0006-hybrid-retrieval.md)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publication has come: `done` of `total` steps of what `doing` says."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that is in the database, and how much of it had to be embedded."""

    snapshot_id: SnapshotId
    documents: int
    passages: int
    embedded: int


Report = Callable[[Progress], None]


class Knowledge:
    """Publishes snapshots into one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use a database's knowledge tables; the clock stamps new rows."""
        self._database = database
        self._clock = clock

    async def publish(
        self, documents: Sequence[SourceDocument], *, embedder: Embedder, progress: Report | None = None
    ) -> Published:
        """Store a snapshot of documents and return its name; publishing the same again changes nothing.

        Only passages whose text this encoder hasn't embedded yet are embedded. Everything is stored
        in one transaction, so a search sees the whole snapshot or none of it.

        Raises:
            UnknownKind: a document's kind has no reader.
            UnreadableDocument: a document can't be turned into text.
        """
        report = progress or _silent
        passages = await read_passages(documents, progress=report)
        snapshot_id = name_snapshot(passages, embedder.digest)
        async with self._database.read() as session:
            known = await session.one(queries.SNAPSHOT, (snapshot_id,))
        embedded = 0 if known else await self._store(snapshot_id, passages, embedder, report)
        return Published(snapshot_id, len(documents), len(passages), embedded)

    async def _store(
        self, snapshot_id: SnapshotId, passages: Sequence[NamedPassage], embedder: Embedder, report: Report
    ) -> int:
        vectors = await self._known_vectors(passages, embedder.digest)
        new = [passage for passage in passages if passage.id not in vectors]
        vectors |= await _embed(new, embedder, report)
        texts = [passage.text.text for passage in passages]
        statistics = await asyncio.to_thread(statistics_of, texts)
        rows = await asyncio.to_thread(_snapshot_rows, snapshot_id, passages, vectors, statistics)
        async with self._database.write() as session:
            await session.execute(queries.LOCK_PUBLISHING)
            if await session.one(queries.SNAPSHOT, (snapshot_id,)) is None:
                await self._insert(session, passages, vectors, embedder)
                now = self._clock.now()
                row = (snapshot_id, embedder.digest, embedder.dimensions, statistics.to_json(), now)
                await session.execute(queries.INSERT_SNAPSHOT, row)
                await session.copy_in("snapshot_passage", queries.SNAPSHOT_PASSAGE, rows)
        return len(new)

    async def _known_vectors(self, passages: Sequence[NamedPassage], encoder: str) -> dict[str, Vector]:
        ids = [passage.id for passage in passages]
        async with self._database.read() as session:
            vectors: dict[str, Vector] = dict(await session.all(queries.VECTORS, (encoder, ids)))
            missing = [passage for passage in passages if passage.id not in vectors]
            if missing:
                columns = (
                    [passage.id for passage in missing],
                    [passage.text.heading for passage in missing],
                    [passage.text.body for passage in missing],
                )
                vectors |= dict(await session.all(queries.VECTORS_OF_SAME_TEXTS, (*columns, encoder)))
        return vectors

    async def _insert(
        self,
        session: WriteSession,
        passages: Sequence[NamedPassage],
        vectors: dict[str, Vector],
        embedder: Embedder,
    ) -> None:
        """Insert the documents, passages and vectors that aren't there; the lock keeps others out."""
        now = self._clock.now()
        documents = {passage.document_id: passage for passage in passages}
        ids = [passage.id for passage in passages]
        known = {row[0] for row in await session.all(queries.KNOWN_DOCUMENTS, (list(documents),))}
        rows: list[Row] = [
            (
                key, of.document.path, of.title, of.document.audience.name.lower(), list(of.document.groups),
                of.document.owner, of.document.source, of.document.valid_from, of.document.valid_until,
                of.document.review_by, now,
            )
            for key, of in documents.items()
            if key not in known
        ]  # fmt: skip
        await session.copy_in("knowledge_document", queries.KNOWLEDGE_DOCUMENT, rows)
        known = {row[0] for row in await session.all(queries.KNOWN_PASSAGES, (ids,))}
        rows = [
            (passage.id, passage.document_id, passage.text.ordinal, passage.text.heading, passage.text.body)
            for passage in passages
            if passage.id not in known
        ]
        await session.copy_in("passage", queries.PASSAGE, rows)
        known = {row[0] for row in await session.all(queries.VECTORS, (embedder.digest, ids))}
        rows = [(key, embedder.digest, vectors[key]) for key in ids if key not in known]
        await session.copy_in("passage_vector", queries.PASSAGE_VECTOR, rows)


async def read_passages(
    documents: Sequence[SourceDocument], *, progress: Report | None = None
) -> tuple[NamedPassage, ...]:
    """Clean and split documents, each beside the event loop.

    Raises:
        UnknownKind: a document's kind has no reader.
        UnreadableDocument: a document can't be turned into text.
    """
    report = progress or _silent
    passages: list[NamedPassage] = []
    for index, document in enumerate(documents):
        passages.extend(await asyncio.to_thread(_read, document))
        report(Progress("reading documents", index + 1, len(documents)))
    return tuple({passage.id: passage for passage in passages}.values())


def _read(document: SourceDocument) -> tuple[NamedPassage, ...]:
    cleaned = clean(document)
    return name_passages(document, cleaned, split(cleaned))


async def _embed(passages: Sequence[NamedPassage], embedder: Embedder, report: Report) -> dict[str, Vector]:
    """Embed passages, those of like length together, for less padding."""
    ordered = sorted(passages, key=lambda passage: (len(passage.text.text), passage.id))
    vectors: dict[str, Vector] = {}
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        made = await embedder.embed([passage.text.text for passage in batch])
        vectors |= {passage.id: vector for passage, vector in zip(batch, made, strict=True)}
        report(Progress("embedding passages", len(vectors), len(ordered)))
    return vectors


def in_context(passages: Sequence[NamedPassage], vectors: Mapping[str, Vector]) -> dict[str, Vector]:
    """Return unit vectors that lean a little towards the mean of their document's passages.

    A section seldom repeats what its page is about; a share of the page's meaning tells apart
    sections that read alike on different pages.
    """
    sums: dict[str, Vector] = {}
    counts = Counter(passage.document_id for passage in passages)
    for passage in passages:
        before = sums.get(passage.document_id)
        vector = vectors[passage.id]
        sums[passage.document_id] = vector if before is None else before + vector
    leaning: dict[str, Vector] = {}
    for passage in passages:
        mean = sums[passage.document_id] / counts[passage.document_id]
        leant = vectors[passage.id] + DOCUMENT_SHARE * mean
        leaning[passage.id] = (leant / np.linalg.norm(leant)).astype(np.float32)
    return leaning


def _snapshot_rows(
    snapshot_id: SnapshotId,
    passages: Sequence[NamedPassage],
    vectors: Mapping[str, Vector],
    statistics: Statistics,
) -> list[Row]:
    vectors = in_context(passages, vectors)
    return [
        (
            snapshot_id, passage.id, int(passage.document.audience), list(passage.document.groups),
            passage.document.valid_from, passage.document.valid_until, vectors[passage.id],
            passage_weights(passage.text.text, statistics),
        )
        for passage in passages
    ]  # fmt: skip


def _silent(_: Progress) -> None:
    """Take no notice."""
