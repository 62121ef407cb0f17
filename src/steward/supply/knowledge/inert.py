"""Passages that hold an order to whoever reads them by machine: found when a release is made, never searched.

A page that anybody could edit is a way into the assistant. Each passage is looked at once, sentence by
sentence, with the release's own head; what it flags stays in the release as text and is left out of every
search, and the knowledge check names it.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Embedder
from steward.base.language.injection import InjectionHead, pieces_of
from steward.supply.knowledge.contracts import SourceDocument
from steward.supply.knowledge.publishing import read_passages

_AT_ONCE = 256
"""Sentences embedded between two chances for others."""
_MOST_REMEMBERED = 20_000
"""Passages whose result is kept: some 20 MB, and more than most knowledge bases hold."""
_Key = tuple[str, str, str]
"""Digest of the encoder, digest of the head, the passage's text."""


class _Worst(NamedTuple):
    """The sentence of a passage that is most like an order, and its score."""

    sentence: str
    score: float


_LOOKED_AT: OrderedDict[_Key, _Worst] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Inert:
    """A passage that is kept from answers, its document, and the sentence that looks like an order."""

    passage_id: str
    path: str
    sentence: str
    score: float


async def inert_passages(
    documents: Sequence[SourceDocument],
    *,
    embedder: Embedder,
    head: InjectionHead,
    head_digest: str,
    threshold: float,
) -> tuple[Inert, ...]:
    """Return the passages of documents that look like an attack, in the order of the documents.

    A passage that this process has looked at with the same encoder and head isn't embedded again: a
    folder that is frozen at each save changes in few places.

    Raises:
        UnknownKind: a document's kind has no reader.
        UnreadableDocument: a document can't be turned into text.
    """
    passages = await read_passages(documents)
    keys = [(embedder.digest, head_digest, passage.text.body) for passage in passages]
    known = {key: _LOOKED_AT[key] for key in keys if key in _LOOKED_AT}
    fresh = {key: pieces_of(key[2]) for key in dict.fromkeys(keys) if key not in known}
    pieces = [piece for parts in fresh.values() for piece in parts]
    vectors: list[NDArray[np.float32]] = []
    for start in range(0, len(pieces), _AT_ONCE):
        vectors.extend(await embedder.embed(pieces[start : start + _AT_ONCE]))
    known |= await asyncio.to_thread(_worst, fresh, vectors, head)
    _remember(known)
    return tuple(
        Inert(passage.id, passage.document.path, known[key].sentence, known[key].score)
        for passage, key in zip(passages, keys, strict=True)
        if known[key].score >= threshold
    )


def to_bytes(found: Sequence[Inert]) -> bytes:
    """Serialise; `from_bytes` reads it."""
    rows = [[item.passage_id, item.path, item.sentence, round(item.score, 4)] for item in found]
    return json.dumps(rows, ensure_ascii=False).encode()


def from_bytes(content: bytes) -> tuple[Inert, ...]:
    """Read what `to_bytes` wrote."""
    return tuple(Inert(*row) for row in json.loads(content))


def _worst(
    split: Mapping[_Key, Sequence[str]], vectors: Sequence[NDArray[np.float32]], head: InjectionHead
) -> dict[_Key, _Worst]:
    """Return each passage's sentence that is most like an order; one without sentences says nothing."""
    found = {}
    place = 0
    for key, pieces in split.items():
        own = vectors[place : place + len(pieces)]
        place += len(pieces)
        if not pieces:
            found[key] = _Worst("", 0.0)
            continue
        scores = head.score_pieces(pieces, np.array(own, np.float32))
        worst = int(scores.argmax())
        found[key] = _Worst(pieces[worst], float(scores[worst]))
    return found


def _remember(known: Mapping[_Key, _Worst]) -> None:
    for key, worst in known.items():
        _LOOKED_AT[key] = worst
        _LOOKED_AT.move_to_end(key)
    while len(_LOOKED_AT) > _MOST_REMEMBERED:
        _LOOKED_AT.popitem(last=False)
