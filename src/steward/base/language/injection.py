"""The trained head that finds attempts to give an assistant new orders, in messages and in documents.

A message's score stands on its shared embedding, its hashed words and letters, and its traits. In a document
or a tool's answer every sentence is scored, with its likeness to the rest: a request to write a poem is
nothing odd in a chat and very odd in an invoice. Both scores are probabilities moved so that 0.5 is the
threshold that training fixed. `screen` works without an embedding: it decides cheaply whether a text that
isn't embedded anyway (earlier messages put together) is worth it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Vectors
from steward.base.language.errors import UnreadableHead
from steward.base.language.hashed import BUCKETS, HashedRow, hashed_row
from steward.base.language.injection_traits import NAMES, SYMBOLS, traits
from steward.base.language.numeric_form import DIMENSIONS
from steward.base.language.sentences import sentences
from steward.base.language.shipped import unpack
from steward.base.language.weights import MODEL_NAME

NAME: Final = "injection"
THRESHOLD: Final = 0.5
"""The score from which a text counts as an attack, unless a release says otherwise."""
DOCUMENT_THRESHOLD: Final = 0.92
"""Score from which a sentence of a document is an order: help pages tell people what to do all the time."""
WIDEST: Final = 4.0
"""Traits further than so many deviations from their mean count as this far."""
_WIDEST: Final = np.float32(WIDEST)
_PIECE = re.compile(r"\|(?=[A-Z])|\s{3,}")
_LONGEST_PIECE: Final = 300
_SHORTEST_CUT: Final = 100
_FEWEST_WORDS: Final = 3
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A linear scorer; its result is a log-odds with the threshold at 0.

    `embedding` has shape (384,) or (0,) where none is used, `hashed` (2 x BUCKETS,), `traits` and `extra`
    one number for each trait and each further number.
    """

    embedding: Floats
    hashed: Floats
    traits: Floats
    extra: Floats
    offset: float

    def __post_init__(self) -> None:
        shapes = (len(self.hashed), len(self.traits))
        if shapes != (2 * BUCKETS, len(NAMES)) or len(self.embedding) not in (0, DIMENSIONS):
            raise ValueError(f"weights of the shapes {shapes} fit no injection head")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What of a text counts beside its meaning: hashed words and letters, and traits."""

    hashed: HashedRow
    traits: Floats


@dataclass(frozen=True, slots=True, eq=False)
class InjectionHead:
    """Scores texts from 0 to 1; pure, and safe to share between threads."""

    message: Weights
    content: Weights
    screening: Weights
    surprise: Floats
    mean: Floats
    deviation: Floats
    knows_meaning: bool
    facts: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, content: bytes, *, encoder: str = MODEL_NAME) -> Self:
        """Read what training wrote.

        Args:
            content: the head's file.
            encoder: the name of the encoder whose vectors it'll be given. Vectors of another one than it was
                trained with mean nothing to it; it then goes by words, letters and traits alone.

        Raises:
            UnreadableHead: the bytes are something else, or of traits that this version doesn't have.
        """
        packed = unpack(NAME, content)
        arrays = packed.arrays
        try:
            return cls(
                message=_weights(arrays, packed.facts, "message"),
                content=_weights(arrays, packed.facts, "content"),
                screening=_weights(arrays, packed.facts, "screen"),
                surprise=np.asarray(arrays["surprise"], np.float32).reshape(SYMBOLS, SYMBOLS),
                mean=np.asarray(arrays["mean"], np.float32),
                deviation=np.asarray(arrays["deviation"], np.float32),
                knows_meaning=encoder == MODEL_NAME,
                facts=packed.facts,
            )
        except KeyError as error:
            raise UnreadableHead(reason=f"'{NAME}' lacks {error.args[0]}") from error
        except ValueError as error:
            raise UnreadableHead(reason=f"'{NAME}' is of another form: {error}") from error

    def score(self, text: str, vector: Floats) -> float:
        """Return how probably a message is an attack.

        Args:
            text: the message, masked or not.
            vector: its embedding, a unit vector of shape (384,).
        """
        return self.score_looked_at(self.look(text), vector)

    def score_looked_at(self, features: Features, vector: Floats) -> float:
        """Return how probably a message is an attack, its features being known."""
        if not self.knows_meaning:
            return self._by_words(features)
        return _probability(_sum(self.message, features, vector))

    def screen(self, text: str, *, words: Sequence[str] | None = None) -> float:
        """Return how probably a text is worth embedding and scoring; from 0.5 it is."""
        return _probability(_sum(self.screening, self.look(text, words=words), None))

    def look(self, text: str, *, words: Sequence[str] | None = None) -> Features:
        """Return what of a text counts beside its meaning.

        Args:
            text: the message, masked or not.
            words: its `words_of`, where they are known already.
        """
        shown = traits(text, self.surprise, words=words)
        shown -= self.mean
        shown /= self.deviation
        np.minimum(shown, _WIDEST, out=shown)
        return Features(hashed_row(text), np.maximum(shown, -_WIDEST, out=shown))

    def score_pieces(self, pieces: Sequence[str], vectors: Vectors) -> NDArray[np.float64]:
        """Return for each piece of one document how probably it's an order to whoever reads it by machine.

        Args:
            pieces: from `pieces_of`, in order.
            vectors: their embeddings, shape (pieces, 384).
        """
        total = vectors.sum(axis=0)
        found = []
        for piece, vector in zip(pieces, vectors, strict=True):
            features = self.look(piece)
            if not self.knows_meaning:
                found.append(self._by_words(features))
                continue
            extra = beside_the_rest(piece, vector, total - vector)
            log_odds = _sum(self.content, features, vector) + float(np.dot(self.content.extra, extra))
            found.append(_probability(log_odds))
        return np.array(found, np.float64)

    def _by_words(self, features: Features) -> float:
        return _probability(_sum(self.screening, features, None) - float(self.facts["words_alone"]))


def pieces_of(text: str) -> tuple[str, ...]:
    """Return a document's sentences, long ones cut; fewer than three words say nothing and are left out."""
    pieces: list[str] = []
    for sentence in sentences(text):
        for part in _PIECE.split(sentence):
            pieces.extend(_cut(part.strip()))
    return tuple(piece for piece in pieces if len(piece.split()) >= _FEWEST_WORDS)


def beside_the_rest(piece: str, vector: Floats, rest: Floats) -> Floats:
    """Return a piece's likeness to the rest of its document, its square, and both for questions.

    Args:
        piece: a sentence.
        vector: its embedding.
        rest: the sum of the embeddings of the other sentences; zeros where there are none.
    """
    length = float(np.linalg.norm(rest))
    likeness = float(np.dot(vector, rest)) / length if length > 0 else 0.0
    asks = float(piece.rstrip().endswith("?"))
    return np.array([likeness, likeness**2, asks, asks * likeness], np.float32)


def _cut(text: str) -> list[str]:
    parts = []
    while len(text) > _LONGEST_PIECE:
        space = text.rfind(" ", 0, _LONGEST_PIECE)
        end = space if space > _SHORTEST_CUT else _LONGEST_PIECE
        parts.append(text[:end])
        text = text[end:].strip()
    return [*parts, text]


def _sum(weights: Weights, features: Features, vector: Floats | None) -> float:
    total = weights.offset + features.hashed.times(weights.hashed)
    total += float(np.dot(weights.traits, features.traits))
    return total if vector is None else total + float(np.dot(weights.embedding, vector))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(log_odds, -30.0), 30.0)))


def _weights(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], name: str) -> Weights:
    return Weights(
        embedding=np.asarray(arrays[f"{name}_embedding"], np.float32),
        hashed=np.asarray(arrays[f"{name}_hashed"], np.float32),
        traits=np.asarray(arrays[f"{name}_traits"], np.float32),
        extra=np.asarray(arrays[f"{name}_extra"], np.float32),
        offset=float(facts[f"{name}_offset"]),
    )
