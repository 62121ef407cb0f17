"""Passages that hold an order to whoever reads them by machine: found when a release is made, never searched.

A page that anybody could edit is a way into the assistant. Each passage is looked at once, sentence by
sentence, with the release's own head; what it flags stays in the release as text and is left out of every
search, and the knowledge check names it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Embedder
from steward.base.language.injection import InjectionHead, pieces_of
from steward.supply.knowledge.contracts import SourceDocument
from steward.supply.knowledge.identity import NamedPassage
from steward.supply.knowledge.publishing import read_passages

_AT_ONCE = 256
"""Sentences embedded between two chances for others."""


@dataclass(frozen=True, slots=True)
class Inert:
    """A passage that is kept from answers, its document, and the sentence that looks like an order."""

    passage_id: str
    path: str
    sentence: str
    score: float


async def inert_passages(
    documents: Sequence[SourceDocument], *, embedder: Embedder, head: InjectionHead, threshold: float
) -> tuple[Inert, ...]:
    """Return the passages of documents that look like an attack, in the order of the documents.

    Raises:
        UnknownKind: a document's kind has no reader.
        UnreadableDocument: a document can't be turned into text.
    """
    passages = await read_passages(documents)
    split = [(passage, pieces_of(passage.text.body)) for passage in passages]
    pieces = [piece for _, parts in split for piece in parts]
    vectors: list[NDArray[np.float32]] = []
    for start in range(0, len(pieces), _AT_ONCE):
        vectors.extend(await embedder.embed(pieces[start : start + _AT_ONCE]))
    return await asyncio.to_thread(_flagged, split, vectors, head, threshold)


def to_bytes(found: Sequence[Inert]) -> bytes:
    """Serialise; `from_bytes` reads it."""
    rows = [[item.passage_id, item.path, item.sentence, round(item.score, 4)] for item in found]
    return json.dumps(rows, ensure_ascii=False).encode()


def from_bytes(content: bytes) -> tuple[Inert, ...]:
    """Read what `to_bytes` wrote."""
    return tuple(Inert(*row) for row in json.loads(content))


def _flagged(
    split: Sequence[tuple[NamedPassage, tuple[str, ...]]],
    vectors: Sequence[NDArray[np.float32]],
    head: InjectionHead,
    threshold: float,
) -> tuple[Inert, ...]:
    found = []
    place = 0
    for passage, pieces in split:
        own = vectors[place : place + len(pieces)]
        place += len(pieces)
        if not pieces:
            continue
        scores = head.score_pieces(pieces, np.array(own, np.float32))
        worst = int(scores.argmax())
        if scores[worst] >= threshold:
            found.append(Inert(passage.id, passage.document.path, pieces[worst], float(scores[worst])))
    return tuple(found)
