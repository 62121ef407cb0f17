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
_ASCII_WORD = re.compile(rb"\w+|[^\w\s\x1c-\x1f]")
"""The same over bytes, for which the last four characters are no white space."""
_MULTIPLIER: Final = np.uint32(0x9E3779B1)
_STEP: Final = np.uint32(16777619)
_SEEDS: Final = (np.array(RUNS, np.uint32) * _STEP)[:, None]
_WEIGHTS: Final = (1 + np.log(np.arange(1, 4 * len(RUNS) * LONGEST))).astype(np.float32)
"""What a feature weighs that is there so many times, less one; a text can grow in lower case."""


@dataclass(frozen=True, slots=True)
class HashedRow:
    """Numbers of the features present (0 to 2 x BUCKETS - 1) and their weights."""

    features: NDArray[np.int64]
    weights: NDArray[np.float32]

    def times(self, coefficients: NDArray[np.float32]) -> float:
        """Return the product with a column of coefficients, shape (2 x BUCKETS,)."""
        return float(np.dot(coefficients.take(self.features), self.weights))


def hashed_row(text: str) -> HashedRow:
    """Weigh the words and letters of a text; case and width of white space don't count."""
    plain = text[:LONGEST].lower()
    parts = [*_words(plain), *_letters(plain)]
    if not parts:
        return HashedRow(np.empty(0, np.int64), np.empty(0, np.float32))
    numbers = np.concatenate(parts)
    numbers.sort(kind="stable")
    changes = np.flatnonzero(numbers[1:] != numbers[:-1])
    lasts = np.empty(len(changes) + 2, np.int64)
    lasts[0], lasts[1:-1], lasts[-1] = -1, changes, len(numbers) - 1
    features = numbers.take(lasts[1:]).astype(np.int64)
    weights = _WEIGHTS.take(lasts[1:] - lasts[:-1] - 1)
    words = int(features.searchsorted(BUCKETS))
    for half in (weights[:words], weights[words:]):
        if len(half):
            half /= np.sqrt(np.dot(half, half))
    return HashedRow(features, weights)


def _words(plain: str) -> list[NDArray[np.uint16]]:
    """Return the features of words and pairs of neighbours, in no order."""
    if plain.isascii():
        found = _ASCII_WORD.findall(plain.encode())
    else:
        found = "\n".join(_WORD.findall(plain)).encode("utf-8", "replace").split(b"\n")
    if not found or not found[0]:
        return []
    numbers = np.array(list(map(zlib.crc32, found)), np.uint32)
    pairs = (numbers[:-1] * _STEP) ^ (numbers[1:] * _MULTIPLIER)
    return [_mixed(numbers), _mixed(pairs)]


def _letters(plain: str) -> list[NDArray[np.uint16]]:
    """Return the features of runs of letters, in no order; those of each length grow from shorter ones."""
    spaced = f" {' '.join(plain.split())} "
    codes = np.frombuffer(spaced.encode("utf-32-le", "replace"), np.uint32)
    if len(codes) < RUNS[0]:
        return []
    runs = _SEEDS ^ codes[:-2]
    for start in range(1, RUNS[-1]):
        # What is still growing, and where enough letters follow.
        growing = runs[max(0, start + 1 - RUNS[0]) :, : max(0, len(codes) - start)]
        growing *= _STEP
        growing ^= codes[start : start + growing.shape[1]]
    mixed = _mixed(runs) + np.uint16(BUCKETS)
    return [row[: max(0, len(codes) - length + 1)] for row, length in zip(mixed, RUNS, strict=True)]


def _mixed(numbers: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Spread hashes over the buckets (the high bits of a product by 2^32 / golden ratio)."""
    return ((numbers * _MULTIPLIER) >> np.uint32(17)).astype(np.uint16)
