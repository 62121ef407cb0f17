"""A text's words and letters as a sparse row of hashed features, fast enough for every message.

Words with pairs of neighbours go into one half of the row, runs of three to five characters into the
other; counts are logarithmic and each half has length one. Hashing needs no vocabulary, so a row costs
a few array operations (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKETS: Final = 1 << 15
"""Features of each half; a row has twice as many."""
RUNS: Final = (3, 4, 5)
LONGEST: Final = 8000
"""Characters read of a text."""
_WORD = re.compile(r"\w+|[^\w\s]")
_SORTED_BELOW: Final = 600
"""Features up to which sorting them is faster than counting into all buckets."""
_MULTIPLIER: Final = np.uint32(0x9E3779B1)
_STEP: Final = np.uint32(16777619)


@dataclass(frozen=True, slots=True)
class HashedRow:
    """Numbers of the features present (0 to 2 x BUCKETS - 1) and their weights."""

    features: NDArray[np.int64]
    weights: NDArray[np.float32]

    def times(self, coefficients: NDArray[np.float32]) -> float:
        """Return the product with a column of coefficients, shape (2 x BUCKETS,)."""
        return float(np.dot(coefficients[self.features], self.weights))


def hashed_row(text: str) -> HashedRow:
    """Weigh the words and letters of a text; case and width of white space don't count."""
    plain = text[:LONGEST].lower()
    words, letters = _half(_words(plain)), _half(_letters(plain))
    return HashedRow(
        np.concatenate([words.features, letters.features + BUCKETS]),
        np.concatenate([words.weights, letters.weights]),
    )


def _words(plain: str) -> NDArray[np.int64]:
    found = _WORD.findall(plain)
    if not found:
        return np.empty(0, np.int64)
    numbers = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in found], np.uint32)
    pairs = (numbers[:-1] * _STEP) ^ (numbers[1:] * _MULTIPLIER)
    both: NDArray[np.uint32] = np.concatenate([numbers, pairs])
    return _mixed(both)


def _letters(plain: str) -> NDArray[np.int64]:
    spaced = f" {' '.join(plain.split())} "
    codes = np.frombuffer(spaced.encode("utf-32-le", "replace"), np.uint32)
    parts = []
    for length in RUNS:
        if len(codes) < length:
            continue
        run = np.full(len(codes) - length + 1, length, np.uint32)
        for start in range(length):
            run = (run * _STEP) ^ codes[start : start + len(run)]
        parts.append(run)
    return _mixed(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _mixed(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Spread hashes over the buckets (the high bits of a product by 2^32 / golden ratio)."""
    return ((numbers * _MULTIPLIER) >> np.uint32(17)).astype(np.int64)


def _half(numbers: NDArray[np.int64]) -> HashedRow:
    if len(numbers) > _SORTED_BELOW:
        counted = np.bincount(numbers, minlength=BUCKETS)
        features = np.flatnonzero(counted)
        counts = counted[features]
    else:
        features, counts = np.unique(numbers, return_counts=True)
    weights = (1 + np.log(counts)).astype(np.float32)
    length = np.sqrt(np.dot(weights, weights))
    return HashedRow(features, weights / length if length > 0 else weights)
