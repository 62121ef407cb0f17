"""How strong the passages found are as evidence for an answer.

Two things tell an answered question from one that the knowledge base doesn't cover: the best
passage's score, and how far it stands out from the fifth. Where nothing answers, the passages
are equally wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

COMPARED = 5
"""Passages that a search needs for the comparison."""

# A logistic over score and margin. Fitted on the sample's evaluation cases with 30 questions it
# doesn't answer, and on MTRAG's unanswerable questions (Apache-2.0); the intercept is set so that
# the default threshold of 0.38 keeps 97 % of the sample's answerable questions.
_SCORE, _MARGIN, _INTERCEPT = 16.0, 8.0, -5.4
# Beyond this a larger margin says nothing more. With too few passages to compare, a common margin.
_LARGEST_MARGIN = 0.15
_COMMON_MARGIN = 0.05


def strength(scores: Sequence[float]) -> float:
    """Return the evidence (0..1) of passages by their scores, best first; none found is 0."""
    if not scores:
        return 0.0
    margin = scores[0] - scores[COMPARED - 1] if len(scores) >= COMPARED else _COMMON_MARGIN
    return 1 / (1 + exp(-(_SCORE * scores[0] + _MARGIN * min(margin, _LARGEST_MARGIN) + _INTERCEPT)))
