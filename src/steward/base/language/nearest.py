"""Similarity to the nearest example: how risk rules and the like are matched by meaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Vectors


class NearestExamples:
    """Labelled unit vectors; finds the nearest of each label."""

    def __init__(self, labels: Sequence[str], vectors: Vectors) -> None:
        """Take row i of `vectors`, unit vectors of shape (examples, dimensions), as one of `labels[i]`."""
        if len(labels) != len(vectors):
            raise ValueError(f"{len(labels)} labels for {len(vectors)} vectors")
        order = sorted(range(len(labels)), key=lambda row: labels[row])
        ordered = [labels[row] for row in order]
        self._vectors = np.ascontiguousarray(np.asarray(vectors, np.float32)[order])
        self._starts = [row for row, label in enumerate(ordered) if row == 0 or ordered[row - 1] != label]
        self._labels = [ordered[row] for row in self._starts]

    def score(self, vector: NDArray[np.float32]) -> dict[str, float]:
        """Return for each label the cosine of its nearest example to a unit vector."""
        if not self._labels:
            return {}
        # One dot product a row: a matrix product would wake BLAS's own threads in the middle of a turn.
        best = np.maximum.reduceat(np.vecdot(self._vectors, vector), self._starts)
        return dict(zip(self._labels, best.tolist(), strict=True))
