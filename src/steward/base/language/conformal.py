"""Thresholds whose share of mistakes is bounded, from judged messages.

A message is a mistake when its confidence reaches the threshold and what was done is wrong; messages below it
are asked about or handed over and can't be mistakes. The share of mistakes among all messages falls as the
threshold rises, so the lowest threshold that keeps a promise is the one that does most. Three promises:

`EXPECTED` keeps the mean share below the bound (Angelopoulos, Bates, Fisch, Lei and Schuster, "Conformal
Risk Control", 2022, equation 4, with losses of 0 and 1). `LONG_RUN` keeps the share of all messages to come
below it with a probability (Bates, Angelopoulos, Lei, Malik and Jordan, "Distribution-Free,
Risk-Controlling Prediction Sets", 2021; for losses of 0 and 1 their bound is the exact binomial one of
Clopper and Pearson). `NEXT` does so for the share that will be counted among the next messages, as many as
were judged: their number is finite as well, so it is a little stricter. It is what Steward uses, because
that share is what a reviewer counts.

All three hold for messages that are exchangeable with the judged ones; when traffic changes, judge anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, lgamma, log

import numpy as np
from numpy.typing import NDArray

CHANCE = 0.03
"""Accepted chance that a bound with a probability fails: low enough that it holds in 95 of 100 cases when
they are counted, not just on average."""
NEVER = 1.01
"""A threshold that no confidence reaches."""


class Promise(StrEnum):
    """What is promised of the share of mistakes."""

    EXPECTED = "expected"
    LONG_RUN = "long_run"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Bounded:
    """A threshold with what it stands on.

    Of `judged` messages `done` reached it and `wrong` of those were mistakes; `most_wrong` is the bound on
    their share. Nothing is done where even the highest confidences hold too many mistakes, or too few
    messages were judged: the threshold is then `NEVER`.
    """

    threshold: float
    judged: int
    done: int
    wrong: int
    most_wrong: float

    @property
    def possible(self) -> bool:
        """Whether any confidence is enough."""
        return self.threshold < NEVER


def bounded_threshold(
    confidences: NDArray[np.float64],
    right: NDArray[np.bool_],
    *,
    most_wrong: float,
    promise: Promise = Promise.NEXT,
    chance: float = CHANCE,
) -> Bounded:
    """Return the lowest threshold under which at most the share `most_wrong` of messages is a mistake.

    Args:
        confidences: of judged messages; below 0 for one that is never acted on, whatever the threshold.
        right: whether acting on it would be right.
        most_wrong: the bound, a share of all messages.
        promise: what is promised.
        chance: the accepted chance that a `LONG_RUN` or `NEXT` bound fails.
    """
    judged = len(confidences)
    accepted = most_accepted(judged, most_wrong, promise=promise, chance=chance)
    threshold = NEVER
    if accepted is not None:
        mistakes = np.sort(confidences[~right & (confidences >= 0)])[::-1]
        # Above the first mistake too many; with few enough, everything.
        threshold = 0.0 if len(mistakes) <= accepted else _just_above(float(mistakes[accepted]))
    reached = confidences >= threshold
    return Bounded(threshold, judged, int(reached.sum()), int((reached & ~right).sum()), most_wrong)


def fewest_judged(
    most_wrong: float, *, promise: Promise = Promise.NEXT, chance: float = CHANCE
) -> int | None:
    """Return how many judged messages, all of them right, show anything; None if no number does."""
    if most_wrong <= 0:
        return None
    judged = 1
    while most_accepted(judged, most_wrong, promise=promise, chance=chance) is None:
        judged += 1
    return judged


def most_accepted(judged: int, most_wrong: float, *, promise: Promise, chance: float = CHANCE) -> int | None:
    """Return the most mistakes among judged messages with which a promise is kept; None if none will do."""
    if judged == 0:
        return None
    most = floor(judged * most_wrong)
    passing = [count for count in range(most + 1) if _passes(count, judged, most_wrong, promise, chance)]
    return max(passing, default=None)


def _passes(mistakes: int, judged: int, most_wrong: float, promise: Promise, chance: float) -> bool:
    match promise:
        case Promise.EXPECTED:
            return (mistakes + 1) / (judged + 1) <= most_wrong
        case Promise.LONG_RUN:
            return _binomial_at_most(mistakes, judged, most_wrong) <= chance
        case Promise.NEXT:
            too_many = floor(judged * most_wrong) + 1
            return _hypergeometric_at_most(mistakes, mistakes + too_many, judged) <= chance


def _binomial_at_most(count: int, trials: int, share: float) -> float:
    """Return the chance of at most `count` in `trials` of this share."""
    if not 0 < share < 1:
        return 0.0 if share >= 1 and count < trials else 1.0
    logs = [_log_choose(trials, k) + k * log(share) + (trials - k) * log(1 - share) for k in range(count + 1)]
    return float(np.exp(logs).sum())


def _hypergeometric_at_most(count: int, marked: int, half: int) -> float:
    """Return the chance that at most `count` of `marked` among 2 x `half` fall into a random half."""
    whole = _log_choose(2 * half, half)
    logs = [
        _log_choose(marked, k) + _log_choose(2 * half - marked, half - k) - whole for k in range(count + 1)
    ]
    return float(np.exp(logs).sum())


def _log_choose(of: int, taken: int) -> float:
    if not 0 <= taken <= of:
        return float("-inf")
    return lgamma(of + 1) - lgamma(taken + 1) - lgamma(of - taken + 1)


def _just_above(value: float) -> float:
    return float(np.nextafter(value, np.inf))
