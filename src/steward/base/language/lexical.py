"""A text's own words and letters as weighted features, and how alike they make two texts.

Two vocabularies: words with pairs of neighbours, and pieces of three and four letters within
words, which forgive typos. Weights are TF-IDF with logarithmic counts (Manning, Raghavan, Schütze,
"Introduction to Information Retrieval", 6.4), rows have length one, so the product of two rows is a
similarity from 0 to 1. Plain dictionaries and NumPy: nothing heavy is imported to predict.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Features = Callable[[str], list[str]]

_WORD = re.compile(r"\w+")
PIECE_LENGTHS = (3, 4)
# Features in more than this share of the texts are common; the optimum is flat.
COMMON_SHARE = 0.02
BLOCK_ROWS = 1024


def words_and_pairs(text: str) -> list[str]:
    """Return the lower-cased words and each pair of neighbours."""
    words = _WORD.findall(_plain(text))
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def letter_pieces(text: str) -> list[str]:
    """Return pieces of three and four characters of each word, its borders marked by spaces."""
    pieces: list[str] = []
    for word in _plain(text).split():
        bounded = f" {word} "
        for length in PIECE_LENGTHS:
            if length >= len(bounded):
                pieces.append(bounded)
                break
            pieces.extend(bounded[start : start + length] for start in range(len(bounded) - length + 1))
    return pieces


@dataclass(frozen=True, slots=True)
class SparseRow:
    """Features of one text: their numbers, ascending, and weights of length one."""

    features: NDArray[np.int32]
    weights: Floats


class Vocabulary:
    """Which features count and how much; learned from training texts."""

    def __init__(self, features: Features, terms: Sequence[str], rarity: Floats) -> None:
        """Take the terms in order and each one's inverse document frequency."""
        self._features = features
        self._numbers = {term: number for number, term in enumerate(terms)}
        self.terms = tuple(terms)
        self.rarity = rarity

    @classmethod
    def learn(cls, features: Features, texts: Iterable[str], *, least_texts: int) -> Vocabulary:
        """Keep the terms that occur in at least `least_texts` texts."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            counts.update(set(features(text)))
            total += 1
        terms = sorted(term for term, count in counts.items() if count >= least_texts)
        found = np.array([counts[term] for term in terms], np.float64)
        rarity = np.log((1 + total) / (1 + found)) + 1
        return cls(features, terms, rarity.astype(np.float32))

    def row(self, text: str) -> SparseRow:
        """Weigh one text's known features."""
        counts: dict[int, int] = {}
        for term in self._features(text):
            number = self._numbers.get(term)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
        features = np.array(sorted(counts), np.int32)
        weights = np.array([counts[number] for number in features.tolist()], np.float32)
        weights = (1 + np.log(weights)) * self.rarity[features]
        length = np.sqrt(np.dot(weights, weights))
        return SparseRow(features, weights / length if length > 0 else weights)


@dataclass(frozen=True, slots=True)
class Postings:
    """Training texts by feature: for feature f, rows[starts[f]:starts[f+1]] with their weights."""

    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    weights: Floats
    count: int

    @classmethod
    def collect(cls, rows: Sequence[SparseRow], features: int) -> Postings:
        """Turn rows of features into features' lists of rows."""
        lengths = [len(row.features) for row in rows]
        numbers = _joined([row.features for row in rows], np.int32)
        weights = _joined([row.weights for row in rows], np.float32)
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        order = np.argsort(numbers, kind="stable")
        starts = np.zeros(features + 1, np.int64)
        np.cumsum(np.bincount(numbers, minlength=features), out=starts[1:])
        return cls(starts=starts, rows=owners[order], weights=weights[order], count=len(rows))

    def similarities(self, row: SparseRow) -> Floats:
        """Return the similarity of one text to every training text, shape (count,)."""
        bounds = list(zip(self.starts[row.features], self.starts[row.features + 1], strict=True))
        rows = _joined([self.rows[start:end] for start, end in bounds], np.int32)
        weights = _joined([self.weights[start:end] for start, end in bounds], np.float32)
        weights = weights * np.repeat(row.weights, [end - start for start, end in bounds])
        return np.bincount(rows, weights=weights, minlength=self.count).astype(np.float32)

    def add_all_similarities(self, sums: Floats, *, factor: float) -> None:
        """Add `factor` times the texts' similarities to each other to the lower triangle of `sums`.

        Features of many texts are multiplied as dense columns, the many rare ones as sparse blocks:
        either way alone takes several times longer, and a whole sparse product several times the memory.
        """
        from scipy.sparse import csc_matrix

        features = len(self.starts) - 1
        matrix = csc_matrix((self.weights, self.rows, self.starts), shape=(self.count, features))
        common = np.diff(self.starts) > max(self.count * COMMON_SHARE, 1)
        dense = matrix[:, common].toarray()
        rare = matrix[:, ~common].tocsr()
        for start in range(0, self.count, BLOCK_ROWS):
            end = min(start + BLOCK_ROWS, self.count)
            sums[start:end, :end] += np.float32(factor) * (dense[start:end] @ dense[:end].T)
            sums[start:end, :end] += np.float32(factor) * (rare[start:end] @ rare[:end].T).toarray()


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
