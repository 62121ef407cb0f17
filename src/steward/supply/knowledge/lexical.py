"""BM25 as sparse vectors: the words of a passage and of a question as weights of hashed features.

A passage's vector holds each term's saturated frequency, normalised by length; a question's holds
each term's inverse document frequency within the snapshot. Their inner product is the BM25 score
(Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", section 3), which any store
of sparse vectors can compute.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import log
from typing import Any

import numpy as np

from steward.base.db.vectors import SparseVector

LEXICAL_VERSION = "1"
"""Part of a snapshot's identity: changes whenever the same text would get other weights."""

DIMENSIONS = 1 << 28
"""Features that terms are hashed to. At 100,000 terms fewer than 20 share one with another."""

# Robertson and Zaragoza's usual values.
_SATURATION = 1.2
_LENGTH_SHARE = 0.75

_TERM = re.compile(r"[a-z]+(?:[’'][a-z]+)*|\d+(?:[.,]\d+)*|[^\W\d_a-z]+", re.UNICODE)
_CODE = re.compile(r"\b(?=[a-z_-]*\d)(?=[\d_-]*[a-z])[a-z0-9]+(?:[-_][a-z0-9]+)*\b")
_COMMON = """
    a about after all also am an and any are as at be because been before being but by can cannot could
    did do does doing don for from get got had has have having he her here hers him his how i if in into is it
    its itself just like ll may me might more most my myself no nor not now of off on once only or other our
    ours out over own please re s same shall she should so some such t than that the their theirs them then
    there these they this those through to too under until up ve very want was we were what when where which
    while who whom why will with would you your yours yourself d m hi hello thanks thank im ive id"""
_STOP_WORDS = frozenset(_COMMON.split())


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a snapshot's words weigh: passages, their mean length in terms, passages per feature."""

    passages: int
    mean_length: float
    frequency: Mapping[int, int]

    def to_json(self) -> dict[str, Any]:
        """Return a canonical form without floats."""
        return {
            "version": LEXICAL_VERSION,
            "passages": self.passages,
            "mean_length": f"{self.mean_length:.6f}",
            "frequency": {str(feature): count for feature, count in sorted(self.frequency.items())},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Statistics:
        """Read what `to_json` wrote."""
        frequency = {int(feature): int(count) for feature, count in value["frequency"].items()}
        return cls(int(value["passages"]), float(value["mean_length"]), frequency)

    def has(self, word: str) -> bool:
        """Tell whether a word stands in the snapshot, in this form or another."""
        return feature_of(stem(word.lower())) in self.frequency

    def rarity(self, feature: int) -> float:
        """Return a feature's inverse document frequency, never negative."""
        count = self.frequency.get(feature, 0)
        return log(1 + (self.passages - count + 0.5) / (count + 0.5))


@dataclass(frozen=True, slots=True)
class QueryWeights:
    """A question's sparse vector, and the score that no passage can exceed for it.

    Dividing by `attainable` makes scores of different questions comparable. A word that the
    snapshot lacks counts in it, because a passage without it can't answer all of the question.
    """

    vector: SparseVector
    attainable: float


def terms(text: str) -> tuple[str, ...]:
    """Return the stemmed content words, numbers and codes of a text, in order, with repeats."""
    lowered = text.lower().replace("’", "'")
    found = [stem(word) for word in _TERM.findall(lowered) if word.replace("'", "") not in _STOP_WORDS]
    found.extend(_CODE.findall(lowered))
    return tuple(term for term in found if term and term not in _STOP_WORDS)


@lru_cache(maxsize=65_536)
def feature_of(term: str) -> int:
    """Return the feature (from 0) that a term is hashed to, the same on every machine."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest()) % DIMENSIONS


def statistics_of(texts: Iterable[str]) -> Statistics:
    """Count a snapshot's passages."""
    frequency: Counter[int] = Counter()
    count = length = 0
    for text in texts:
        found = terms(text)
        count += 1
        length += len(found)
        frequency.update({feature_of(term) for term in found})
    return Statistics(count, round(length / count, 6) if count else 0.0, dict(frequency))


def passage_weights(text: str, statistics: Statistics) -> SparseVector:
    """Return a passage's weights."""
    found = terms(text)
    norm = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(found) / max(statistics.mean_length, 1.0)
    counts = Counter(feature_of(term) for term in found)
    return _sparse(
        {
            feature: count * (_SATURATION + 1) / (count + _SATURATION * norm)
            for feature, count in counts.items()
        }
    )


def query_weights(text: str, statistics: Statistics) -> QueryWeights:
    """Return a question's weights; words of no weight at all give an empty vector."""
    weights = {feature: statistics.rarity(feature) for feature in map(feature_of, set(terms(text)))}
    known = {feature: weight for feature, weight in weights.items() if feature in statistics.frequency}
    return QueryWeights(_sparse(known), (_SATURATION + 1) * sum(weights.values()))


def _sparse(weights: Mapping[int, float]) -> SparseVector:
    features = sorted(weights)
    values = [weights[feature] for feature in features]
    return SparseVector(DIMENSIONS, np.array(features, np.int32), np.array(values, np.float32))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return a word without its inflection: plural, -ed, -ing, -ly, possessive.

    Lighter than Porter's: derived words keep apart ("charge" and "charger"), because a customer who
    asks about one seldom means the other.
    """
    word = word.removesuffix("'s").replace("'", "")
    if len(word) <= 3 or not word.isascii() or word[0].isdigit():
        return word
    word = _singular(word)
    for ending in ("ingly", "edly", "ing", "ed"):
        if word.endswith(ending) and _has_vowel(word[: -len(ending)]) and len(word) - len(ending) >= 3:
            return _closed(word[: -len(ending)])
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    return _closed(word)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _closed(stemmed: str) -> str:
    """Bring "charg" and "charge", "stopp" and "stop", "pay" and "paid" to one form each."""
    if stemmed == "paid":
        return "pay"
    if len(stemmed) > 3 and stemmed[-1] == stemmed[-2] and stemmed[-1] not in "lsze":
        return stemmed[:-1]
    if stemmed.endswith("e") and len(stemmed.rstrip("e")) >= 3:
        return stemmed.rstrip("e")
    if stemmed.endswith("y") and len(stemmed) > 3 and stemmed[-2] not in "aeiou":
        return stemmed[:-1] + "i"
    return stemmed


def _has_vowel(text: str) -> bool:
    return any(letter in "aeiouy" for letter in text)
