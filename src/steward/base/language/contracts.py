"""What the rest of Steward knows of language: texts in, vectors and probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        ...

    @property
    def digest(self) -> str:
        """Identity of weights and numeric form, part of a release's id."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), dimensions)."""
        ...


@dataclass(frozen=True, slots=True)
class LabelledText:
    """An example: what was written and the label that it should get."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A label with its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier makes of one text.

    `ranked` holds the best three labels, best first; `confidence` is the calibrated probability of
    the first. `in_scope` is the in-scope score (higher means more likely in scope), compared with
    the head's own threshold: out of scope is a decision of its own, never just low confidence.
    """

    ranked: tuple[Scored, ...]
    in_scope: float
    out_of_scope: bool

    @property
    def label(self) -> str:
        """The best label."""
        return self.ranked[0].label

    @property
    def confidence(self) -> float:
        """Calibrated probability of the best label."""
        return self.ranked[0].confidence


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What a classifier would have said of texts it was trained on, without having seen each.

    `taken_for` are places in its labels; `confidences` are -1 for a text that it takes for out of scope;
    `right` tells whether the label was. A head that was trained before this was kept has none.
    """

    taken_for: NDArray[np.int64]
    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]


class Classifier(Protocol):
    """A trained head over the shared embedding and the text's own words."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels it knows, sorted."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the trained parameters."""
        ...

    @property
    def held_out(self) -> HeldOut:
        """What it would have said of texts it was trained on, without having seen each."""
        ...

    def by_words(self, text: str) -> NDArray[np.float32]:
        """Return what it makes of a text's own words: what can be done before the text is embedded."""
        ...

    def predict(
        self, text: str, vector: NDArray[np.float32], *, by_words: NDArray[np.float32] | None = None
    ) -> Prediction:
        """Classify one text whose embedding is already there. Pure, below a millisecond.

        Args:
            text: what was said.
            vector: its embedding.
            by_words: what `by_words` gave of the text, where that was done already.
        """
        ...

    def to_bytes(self) -> bytes:
        """Serialise without pickle (npz of arrays and JSON); `from_bytes` of the same class reads it."""
        ...
