"""Whether the passages found answer a question: two logistic regressions over signs of one turn.

One part tells a question that the passages cover from one that they don't, the other a question that
says what it is about from one that leaves it open ("does this restaurant deliver?"). Their product is the
probability that an answer from these passages is one to this question. What the signs are is said where
they are read off a turn; here they are numbers in a fixed order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from steward.base.language.errors import UnreadableHead
from steward.base.language.shipped import pack, unpack

NAME: Final = "answerable"
_FORM: Final = "steward-answerable-1"


@dataclass(frozen=True, slots=True)
class Answerability:
    """Probabilities that the passages cover what is asked, and that it's clear what is asked."""

    covered: float
    specified: float

    @property
    def probability(self) -> float:
        """Probability that an answer from the passages is an answer to the question."""
        return self.covered * self.specified


@dataclass(frozen=True, slots=True, eq=False)
class AnswerableHead:
    """Weights over named signs: shape (2, signs), one row for covered and one for specified.

    `share` is the share of covered questions in the training; where another share is known, it is put in
    its place (Elkan, "The Foundations of Cost-Sensitive Learning", 2001, theorem 2).
    """

    signs: tuple[str, ...]
    share: float
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def judge(self, signs: Mapping[str, float], *, share: float | None = None) -> Answerability:
        """Return what a turn's signs come to.

        Args:
            signs: by name; one that isn't a number says nothing.
            share: the share of questions that this knowledge base covers, where it's known.

        Raises:
            KeyError: a sign that the head was trained with is missing.
        """
        values = np.array([signs[name] for name in self.signs], np.float64)
        standard = standardised(values, self.centre, self.spread)
        logits = np.vecdot(self.weights, standard) + self.intercepts
        if share is not None:
            logits[0] += _logit(share) - _logit(self.share)
        covered, specified = 1 / (1 + np.exp(-logits))
        return Answerability(float(covered), float(specified))

    def to_bytes(self, facts: Mapping[str, object] | None = None) -> bytes:
        """Serialise, with further facts of the training."""
        arrays = {
            "centre": self.centre,
            "spread": self.spread,
            "weights": self.weights,
            "intercepts": self.intercepts,
        }
        return pack(arrays, {**(facts or {}), "form": _FORM, "signs": list(self.signs), "share": self.share})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            UnreadableHead: the bytes hold something else.
        """
        packed = unpack(NAME, content)
        if packed.facts.get("form") != _FORM:
            raise UnreadableHead(reason=f"its form is {packed.facts.get('form')!r}")
        try:
            return cls(
                tuple(packed.facts["signs"]),
                packed.facts["share"],
                **{name: packed.arrays[name] for name in ("centre", "spread", "weights", "intercepts")},
            )
        except KeyError as error:
            raise UnreadableHead(reason=f"'{NAME}' lacks {error.args[0]}") from error


def standardised(
    signs: NDArray[np.float64], centre: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return signs in spreads from the centre; what isn't known is put there.

    No sign speaks louder than it did in training: another knowledge base can lie far outside.
    """
    return np.nan_to_num(np.clip((signs - centre) / spread, -3, 3))


def _logit(share: float) -> float:
    inside = min(max(share, 0.01), 0.99)
    return math.log(inside / (1 - inside))
