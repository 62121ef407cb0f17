"""The trained head that finds harmful content: sexual, hateful, violent, harassing, or about self-harm.

A support-vector machine with a Gaussian kernel over the shared embedding beside the shares of words in a few
groups: what a text means, and how outspoken it is. Scores are probabilities of each concern alone; `ANY`
is the probability of at least one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from steward.base.language.errors import UnreadableHead
from steward.base.language.moderation_words import GROUPS
from steward.base.language.shipped import unpack
from steward.base.language.weights import MODEL_NAME
from steward.base.language.word_groups import WordGroups, words_of

NAME: Final = "moderation"
_PLACES: Final = {name: place for place, name in enumerate(GROUPS)}
_TOGETHER: Final = (
    ("sexual", "young"), ("peoples", "contempt"), ("violence", "story"), ("sexual", "story"),
    ("self_harm", "advice"), ("peoples", "violence"), ("spoken_to", "insult"), ("of_oneself", "self_harm"),
    ("peoples", "generalising"), ("spoken_to", "violence"),
)  # fmt: skip
"""Groups whose words say more in one text than apart."""
WORD_FEATURES: Final = 3 * len(GROUPS) + 1 + len(_TOGETHER)
Floats = NDArray[np.float32]


class Concern(StrEnum):
    """What a text may hold that somebody should look at."""

    ANY = "any"
    SEXUAL = "sexual"
    HATE = "hate"
    VIOLENCE = "violence"
    HARASSMENT = "harassment"
    SELF_HARM = "self_harm"


@dataclass(frozen=True, slots=True, eq=False)
class ModerationHead:
    """Scores texts for each concern; pure, and safe to share between threads.

    `rows` are the training texts' features, shape (texts, 384 + WORD_FEATURES), `duals` and `offsets` one
    row for each concern, `slopes` and `shifts` turn a margin into a probability (Platt, 1999).
    """

    rows: Floats
    lengths: Floats
    duals: Floats
    offsets: Floats
    slopes: Floats
    shifts: Floats
    mean: Floats
    scale: Floats
    gamma: float
    knows_meaning: bool
    facts: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, content: bytes, *, encoder: str = MODEL_NAME) -> Self:
        """Read what training wrote.

        Args:
            content: the head's file.
            encoder: the name of the encoder whose vectors it'll be given. It says nothing of the vectors of
                another one than it was trained with: every probability is 0.

        Raises:
            UnreadableHead: the bytes are something else.
        """
        packed = unpack(NAME, content)
        arrays = {name: np.asarray(array, np.float32) for name, array in packed.arrays.items()}
        try:
            rows = np.ascontiguousarray(arrays["rows"])
            return cls(
                rows=rows,
                lengths=np.vecdot(rows, rows),
                duals=np.ascontiguousarray(arrays["duals"]),
                offsets=arrays["offsets"],
                slopes=arrays["slopes"],
                shifts=arrays["shifts"],
                mean=arrays["mean"],
                scale=arrays["scale"],
                gamma=float(packed.facts["gamma"]),
                knows_meaning=encoder == MODEL_NAME,
                facts=packed.facts,
            )
        except KeyError as error:
            raise UnreadableHead(reason=f"'{NAME}' lacks {error.args[0]}") from error

    def scores(
        self, text: str, vector: Floats, *, words: Sequence[str] | None = None
    ) -> dict[Concern, float]:
        """Return the probability of each concern.

        Args:
            text: a message, masked or not.
            vector: its embedding, a unit vector of shape (384,).
            words: the text's `words_of`, where they are known already.
        """
        if not self.knows_meaning:
            return dict.fromkeys(Concern, 0.0)
        features = (word_features(text, words=words) - self.mean) * self.scale
        row = np.concatenate([vector, features], dtype=np.float32)
        # One dot product a row: a matrix product would wake BLAS's own threads in the middle of a turn.
        distances = np.vecdot(self.rows, row)
        distances *= np.float32(-2)
        distances += self.lengths + np.dot(row, row)
        distances *= np.float32(-self.gamma)
        kernel = np.exp(distances, out=distances)
        margins = np.vecdot(self.duals, kernel) + self.offsets
        odds = (self.slopes * margins + self.shifts).tolist()
        return {concern: _probability(value) for concern, value in zip(Concern, odds, strict=True)}


def word_features(text: str, *, words: Sequence[str] | None = None) -> Floats:
    """Return how often words of each group stand in a text: counts, different words, shares, and pairs."""
    words = words_of(text) if words is None else words
    counts, different = [0] * len(GROUPS), [0] * len(GROUPS)
    for term, places in _GROUPED.places(words).items():
        for group in _GROUPED.groups_of[term]:
            counts[group] += len(places)
            different[group] += 1
    logs = list(map(math.log1p, counts))
    total = max(len(words), 1)
    return np.array(
        [
            *logs,
            *map(math.log1p, different),
            *[math.sqrt(count / total) for count in counts],
            math.log1p(total),
            *[logs[first] * logs[second] for first, second in _PAIRS],
        ],
        np.float32,
    )


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(log_odds, -30.0), 30.0)))


_GROUPED: Final = WordGroups(GROUPS)
_PAIRS: Final = tuple((_PLACES[first], _PLACES[second]) for first, second in _TOGETHER)
