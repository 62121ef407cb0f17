"""Turns scores into probabilities, and says how far probabilities are from the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]

# Sharpness is searched on this scale, far wider than any that was seen (8 to 30).
_SHARPEST = 200.0
_BLUNTEST = 0.2
CALIBRATION_BINS = 15


def softmax(scores: Scores) -> NDArray[np.float64]:
    """Return probabilities over the last axis."""
    exponentials = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def fit_sharpness(scores: Scores, truth: NDArray[np.integer[Any]]) -> float:
    """Return the factor on held-out scores that makes softmax likeliest to give the truth.

    This is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017), with
    the temperature's inverse. The loss has one minimum in it; it is found by golden section on a
    logarithmic scale.

    Args:
        scores: held-out scores, shape (texts, labels).
        truth: the right label's number for each text.
    """
    low, high = np.log(_BLUNTEST), np.log(_SHARPEST)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(scores * np.exp(left), truth) < _loss(scores * np.exp(right), truth):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def calibration_error(
    confidences: Scores, correct: NDArray[np.bool_], *, bins: int = CALIBRATION_BINS
) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy over equal-width bins."""
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    gap = 0.0
    for place in range(bins):
        inside = places == place
        if inside.any():
            gap += abs(float(confidences[inside].mean()) - float(correct[inside].mean())) * inside.mean()
    return float(gap)


def _loss(scores: Scores, truth: NDArray[np.integer[Any]]) -> float:
    probabilities = softmax(scores)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())
