"""A small embedder that counts what it is asked, and a handful of documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import pytest

from steward.base.language.contracts import Embedder, Vectors
from steward.supply.knowledge.contracts import SourceDocument
from steward.supply.knowledge.lexical import terms

DIMENSIONS = 64


class CountingEmbedder:
    """Embeds the words of a text by hashing them, and remembers every text."""

    name = "words"
    dimensions = DIMENSIONS
    digest = "words-64"

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        return np.stack([self.vector(text) for text in texts])

    @staticmethod
    def vector(text: str) -> Vectors:
        vector = np.full(DIMENSIONS, 1e-3, np.float32)
        for term in terms(text):
            vector[int.from_bytes(sha256(term.encode()).digest()[:4]) % DIMENSIONS] += 1
        unit: Vectors = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def as_embedder(embedder: CountingEmbedder) -> Embedder:
    return embedder


@pytest.fixture
def write() -> Callable[..., SourceDocument]:
    """Write a Markdown document: path, text, and any metadata."""

    def make(path: str, text: str, **meta: object) -> SourceDocument:
        return SourceDocument(path, text.encode(), **meta)  # type: ignore[arg-type]

    return make
