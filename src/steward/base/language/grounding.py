"""How probably a sentence stands in its passages: overlap of words in many forms, weighed by small trees.

Words only, no embedding: vectors of words or sentences move the figures by less than seven thousandths
and cost forty to four hundred times the time (`docs/concepts/verification.md`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from steward.base.language.errors import UnreadableHead
from steward.base.language.grounding_text import BEGINNING, Part, Told, told, told_sentence
from steward.base.language.shipped import unpack

NAME: Final = "grounding"
FEATURES: Final = (
    "stems",
    "near_stems",
    "stems_in_one_passage",
    "stems_in_one_sentence",
    "stems_in_two_sentences",
    "content_pairs",
    "pairs",
    "triples",
    "longest_run",
    "all_words",
    "missing_stems",
    "missing_numbers",
    "missing_names",
    "denial_differs",
    "first_person",
    "question",
    "stem_count",
    "word_count",
)
"""Names of the features in their order."""
RISING: Final = (1,) * 10 + (-1,) * 6 + (0, 0)
"""Whether more of a feature may only raise the score (1), only lower it (-1), or either."""
_Item = TypeVar("_Item")
_KEPT_GROUNDS = 1024
_MOST_COUNTED = 3
_MATCHED_FROM = 0.4
"""Share of stems from which a passage's sentence is taken for the one that is told."""


class GroundingHead:
    """Scores sentences; made by `benchmarks/training/grounding.py`."""

    def __init__(
        self,
        *,
        features: NDArray[np.int16],
        thresholds: NDArray[np.float32],
        children: NDArray[np.int16],
        values: NDArray[np.float32],
        slope: float,
        offset: float,
    ) -> None:
        """Take the trees and the calibration.

        Args:
            features: which feature each node looks at, shape (trees, nodes); -1 at a leaf.
            thresholds: a node's left child is taken up to this value, shape (trees, nodes).
            children: the left and the right child, shape (2, trees, nodes).
            values: what each leaf adds, shape (trees, nodes).
            slope: of the calibration, which is logistic (Platt 1999).
            offset: of the calibration.
        """
        self._features = features
        self._thresholds = thresholds
        self._children = children
        self._values = values
        self._slope = slope
        self._offset = offset
        self._rows = np.arange(len(features))
        self._depth = _depth(features, children)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a packed head.

        Raises:
            UnreadableHead: the bytes are something else, or of features that this version doesn't know.
        """
        packed = unpack(NAME, content)
        if tuple(packed.facts.get("features", ())) != FEATURES:
            raise UnreadableHead(reason=f"'{NAME}' looks at features that this version doesn't have")
        try:
            return cls(
                features=packed.arrays["features"],
                thresholds=packed.arrays["thresholds"],
                children=packed.arrays["children"],
                values=packed.arrays["values"],
                slope=float(packed.facts["slope"]),
                offset=float(packed.facts["offset"]),
            )
        except KeyError as error:
            raise UnreadableHead(reason=f"'{NAME}' lacks {error.args[0]}") from error

    def score(self, sentence: str, passages: Sequence[str]) -> float:
        """Return the probability (0..1) that the passages say what the sentence says."""
        return self.weigh(features_of(sentence, passages))

    def weigh(self, values: Sequence[float]) -> float:
        """Return the probability for features in the order of `FEATURES`."""
        row = np.asarray(values, np.float32)
        nodes = np.zeros(len(self._rows), np.intp)
        for _ in range(self._depth):
            looked_at = self._features[self._rows, nodes]
            right = row[looked_at] > self._thresholds[self._rows, nodes]
            nodes = np.where(looked_at < 0, nodes, self._children[right.astype(np.intp), self._rows, nodes])
        margin = float(self._values[self._rows, nodes].sum())
        return 1 / (1 + math.exp(-(self._slope * margin + self._offset)))


@dataclass(frozen=True, slots=True)
class Ground:
    """Passages taken together: what sentences are compared with."""

    passages: tuple[Told, ...]
    parts: tuple[Part, ...]
    neighbours: tuple[frozenset[str], ...]
    every: frozenset[str]
    stems: frozenset[str]
    beginnings: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    triples: frozenset[tuple[str, str, str]]
    content_pairs: frozenset[tuple[str, str]]
    numbers: frozenset[str]


@lru_cache(maxsize=_KEPT_GROUNDS)
def ground_of(passages: tuple[str, ...]) -> Ground:
    """Prepare passages; the latest are kept, since sentence after sentence stands on them."""
    known = tuple(told(passage) for passage in passages)
    return Ground(
        passages=known,
        parts=tuple(part for passage in known for part in passage.parts),
        neighbours=tuple(
            first.stems | second.stems for passage in known for first, second in pairwise(passage.parts)
        ),
        every=_union(passage.every for passage in known),
        stems=_union(passage.stems for passage in known),
        beginnings=_union(passage.beginnings for passage in known),
        pairs=_union(passage.pairs for passage in known),
        triples=_union(passage.triples for passage in known),
        content_pairs=_union(passage.content_pairs for passage in known),
        numbers=_union(passage.numbers for passage in known),
    )


def features_of(sentence: str, passages: Sequence[str]) -> list[float]:
    """Return what is compared between a sentence and its passages, in the order of `FEATURES`."""
    said = told_sentence(sentence)
    ground = ground_of(tuple(passages))
    shares = [_share(said.stems, part.stems) for part in ground.parts]
    missing = said.stems - ground.stems
    covered = _share(said.stems, ground.stems)
    pairs = _share(said.pairs, ground.pairs, otherwise=covered)
    nothing = float(not said.stems)
    best = max(shares, default=nothing)
    return [
        covered,
        _near(said.stems, missing, ground.beginnings),
        max((_share(said.stems, passage.stems) for passage in ground.passages), default=nothing),
        best,
        max([best, *(_share(said.stems, stems) for stems in ground.neighbours)]),
        _share(said.content_pairs, ground.content_pairs, otherwise=covered),
        pairs,
        _share(said.triples, ground.triples, otherwise=pairs),
        _longest_run(said.runs, ground.pairs),
        sum(item in ground.every for item in said.runs) / len(said.runs) if said.runs else 1.0,
        math.log1p(len(missing)),
        float(min(len(said.numbers - ground.numbers), _MOST_COUNTED)),
        float(min(len(said.names - ground.every), _MOST_COUNTED)),
        float(best >= _MATCHED_FROM and _denied_otherwise(said, ground.parts, shares, best)),
        float(min(said.first_person, _MOST_COUNTED)),
        float(said.asks),
        math.log1p(len(said.stems)),
        math.log1p(len(said.runs)),
    ]


def _union(sets: Iterable[frozenset[_Item]]) -> frozenset[_Item]:
    return frozenset().union(*sets)


def _share(wanted: frozenset[_Item], known: frozenset[_Item], *, otherwise: float = 1.0) -> float:
    return len(wanted & known) / len(wanted) if wanted else otherwise


def _near(wanted: frozenset[str], missing: frozenset[str], beginnings: frozenset[str]) -> float:
    if not wanted:
        return 1.0
    gone = sum(len(item) < BEGINNING or item[:BEGINNING] not in beginnings for item in missing)
    return 1 - gone / len(wanted)


def _denied_otherwise(said: Told, parts: Sequence[Part], shares: Sequence[float], best: float) -> bool:
    """Tell whether every sentence that shares most with what is said denies what that affirms."""
    nearest = [part for part, share in zip(parts, shares, strict=True) if share == best]
    return all(part.denies != said.denies for part in nearest)


def _longest_run(runs: Sequence[str], known: frozenset[tuple[str, str]]) -> float:
    """Return the longest stretch of words whose neighbours stand together in the passages, as a share."""
    longest = current = 0
    for pair in pairwise(runs):
        current = current + 1 if pair in known else 0
        longest = max(longest, current)
    return (longest + 1) / len(runs) if longest else 0.0


def _depth(features: NDArray[np.int16], children: NDArray[np.int16]) -> int:
    """Return the steps from the root to the deepest leaf; a node's children stand behind it."""
    trees, nodes = features.shape
    steps = np.zeros((trees, nodes), np.intp)
    for node in range(nodes):
        inner = np.flatnonzero(features[:, node] >= 0)
        for side in children:
            steps[inner, side[inner, node]] = steps[inner, node] + 1
    return int(steps.max(initial=0))
