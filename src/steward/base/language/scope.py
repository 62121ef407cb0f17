"""Whether a text belongs to any label at all: a score and a threshold of their own.

The score is the highest of the labels' regression scores: near 1 beside training texts and towards 0
away from all of them. Unlike a confidence it
stays low for a text that is equally far from every label. The threshold is the value below which
the asked share of held-out in-scope texts falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """How well out-of-scope texts are told apart."""

    auroc: float
    recall: float
    recall_low: float
    recall_high: float
    in_scope_rejected: float
    out_of_scope_texts: int


def scope_scores(scores: Scores) -> NDArray[np.float64]:
    """Return each text's in-scope score from the labels' scores, shape (texts, labels)."""
    return np.asarray(scores.max(axis=-1), np.float64)


def scope_threshold(held_out: Scores, rejection: float) -> float:
    """Return the score below which the share `rejection` of held-out in-scope texts falls."""
    return float(np.quantile(held_out, rejection))


def scope_figures(in_scope: Scores, out_of_scope: Scores, threshold: float) -> ScopeFigures:
    """Measure a threshold on texts of both kinds."""
    caught = int((out_of_scope < threshold).sum())
    low, high = wilson_interval(caught, len(out_of_scope))
    return ScopeFigures(
        auroc=auroc(in_scope, out_of_scope),
        recall=caught / len(out_of_scope),
        recall_low=low,
        recall_high=high,
        in_scope_rejected=float((in_scope < threshold).mean()),
        out_of_scope_texts=len(out_of_scope),
    )


def auroc(higher: Scores, lower: Scores) -> float:
    """Return the share of pairs in which the first kind scores above the second; ties count half."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, side="left")
    not_above = np.searchsorted(ordered, higher, side="right")
    return float((below + not_above).sum() / 2 / (len(higher) * len(lower)))


def wilson_interval(successes: int, trials: int, *, deviations: float = 1.96) -> tuple[float, float]:
    """Return Wilson's score interval of a share; 1.96 deviations are 95 %."""
    if trials == 0:
        return 0.0, 1.0
    share, spread = successes / trials, deviations**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = deviations * math.sqrt(share * (1 - share) / trials + spread / trials / 4) / (1 + spread)
    return max(centre - half, 0.0), min(centre + half, 1.0) if successes < trials else 1.0
