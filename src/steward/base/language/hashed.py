"""A text's words and letters as a sparse row of hashed features, fast enough for every message.

Words with pairs of neighbours go into one half of the row, runs of three to five characters into the
other; counts are logarithmic and each half has length one. Hashing needs no vocabulary, so a row costs
a few array operations (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
"""

from __future__ import annotations

import math
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
_RADIX_FROM: Final = 1000
_MULTIPLIER: Final = np.uint32(0x9E3779B1)
_STEP: Final = np.uint32(16777619)
_NOTHING: Final = np.empty(0, np.uint32)
_SEEDS: Final = (np.array(RUNS, np.uint32) * _STEP)[:, None]
_WEIGHTS: Final = (1 + np.log(np.arange(1, 4 * len(RUNS) * LONGEST))).astype(np.float32)
"""What a feature weighs by how often it's there, less one; a text can grow in lower case."""


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
    words, letters = _words(plain), _letters(plain)
    hashes = np.concatenate([*words, *letters])
    if not len(hashes):
        return HashedRow(np.empty(0, np.int64), np.empty(0, np.float32))
    # Spread over the buckets: the high bits of a product by 2^32 / golden ratio.
    hashes *= _MULTIPLIER
    hashes >>= np.uint32(17)
    numbers = hashes.astype(np.uint16)
    numbers[sum(map(len, words)) :] += np.uint16(BUCKETS)
    # For 16 bits "stable" is a radix sort, which pays from some length on.
    numbers.sort(kind="stable" if len(numbers) > _RADIX_FROM else None)
    changes = (numbers[1:] != numbers[:-1]).nonzero()[0]
    lasts = np.empty(len(changes) + 2, np.int64)
    lasts[0], lasts[1:-1], lasts[-1] = -1, changes, len(numbers) - 1
    features = numbers.take(lasts[1:]).astype(np.int64)
    weights = _WEIGHTS.take(lasts[1:] - lasts[:-1] - 1)
    middle = int(features.searchsorted(BUCKETS))
    for half in (weights[:middle], weights[middle:]):
        if len(half):
            half /= math.sqrt(np.dot(half, half))
    return HashedRow(features, weights)


def _words(plain: str) -> list[NDArray[np.uint32]]:
    """Return hashes of words and of pairs of neighbours."""
    if plain.isascii():
        found = _ASCII_WORD.findall(plain.encode())
    else:
        found = "\n".join(_WORD.findall(plain)).encode("utf-8", "replace").split(b"\n")
    if not found or not found[0]:
        return [_NOTHING]
    numbers = np.array(list(map(zlib.crc32, found)), np.uint32)
    pairs = numbers[:-1] * _STEP
    pairs ^= numbers[1:] * _MULTIPLIER
    return [numbers, pairs]


def _letters(plain: str) -> list[NDArray[np.uint32]]:
    """Return hashes of runs of letters of each length, which grow side by side."""
    spaced = f" {' '.join(plain.split())} "
    codes = np.frombuffer(spaced.encode("utf-32-le", "replace"), np.uint32)
    if len(codes) < RUNS[0]:
        return [_NOTHING]
    runs = _SEEDS ^ codes[:-2]
    for start in range(1, RUNS[-1]):
        # What is still growing, and where enough letters follow.
        growing = runs[max(0, start + 1 - RUNS[0]) :, : max(0, len(codes) - start)]
        growing *= _STEP
        growing ^= codes[start : start + growing.shape[1]]
    return [run[: max(0, len(codes) - length + 1)] for run, length in zip(runs, RUNS, strict=True)]
