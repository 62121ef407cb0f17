"""Thresholds with a bounded share of mistakes, on simulated messages whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steward.base.language.conformal import (
    NEVER,
    Bounded,
    Promise,
    bounded_threshold,
    fewest_judged,
    most_accepted,
)

WORLDS = 400


def messages(generator: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return confidences that promise a little too much, and whether each was right."""
    confidences = generator.beta(4, 1.5, count)
    return confidences, generator.random(count) < confidences**1.5


def threshold_of(generator: np.random.Generator, promise: Promise) -> float:
    """Return the threshold that 400 judged messages give for a bound of 5 %."""
    return bounded_threshold(*messages(generator, 400), most_wrong=0.05, promise=promise).threshold


def mistakes(confidences: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> float:
    """Return the share of all messages that are acted on wrongly."""
    return float(((confidences >= threshold) & ~right).mean())


class TestBoundedThreshold:
    @pytest.mark.parametrize("most_wrong", [0.02, 0.05, 0.1])
    def test_the_share_among_the_next_messages_keeps_its_promise(self, most_wrong: float) -> None:
        generator = np.random.default_rng(7)
        held = 0
        for _ in range(WORLDS):
            bounded = bounded_threshold(*messages(generator, 400), most_wrong=most_wrong)
            held += mistakes(*messages(generator, 400), bounded.threshold) <= most_wrong
        assert held / WORLDS >= 0.95

    def test_the_long_run_keeps_its_promise(self) -> None:
        generator = np.random.default_rng(8)
        endless = messages(generator, 100_000)
        found = [mistakes(*endless, threshold_of(generator, Promise.LONG_RUN)) <= 0.05 for _ in range(WORLDS)]
        assert sum(found) / WORLDS >= 0.95

    def test_the_expected_share_keeps_its_promise_and_no_more(self) -> None:
        generator = np.random.default_rng(9)
        endless = messages(generator, 100_000)
        found = [mistakes(*endless, threshold_of(generator, Promise.EXPECTED)) for _ in range(WORLDS)]
        assert 0.045 < float(np.mean(found)) <= 0.05
        assert float((np.array(found) <= 0.05).mean()) < 0.7

    def test_is_the_lowest_that_passes(self) -> None:
        confidences, right = messages(np.random.default_rng(1), 600)
        bounded = bounded_threshold(confidences, right, most_wrong=0.05)
        accepted = most_accepted(600, 0.05, promise=Promise.NEXT)
        assert bounded.wrong == accepted
        below = float(confidences[~right & (confidences < bounded.threshold)].max())
        assert ((confidences >= below) & ~right).sum() == bounded.wrong + 1

    def test_does_everything_where_little_is_wrong(self) -> None:
        bounded = bounded_threshold(np.linspace(0, 1, 200), np.ones(200, np.bool_), most_wrong=0.05)
        assert bounded == Bounded(0.0, 200, 200, 0, 0.05)

    def test_does_nothing_where_too_little_was_judged(self) -> None:
        bounded = bounded_threshold(np.ones(10), np.ones(10, np.bool_), most_wrong=0.05)
        assert (bounded.threshold, bounded.done, bounded.possible) == (NEVER, 0, False)

    def test_messages_that_are_never_acted_on_are_no_mistakes(self) -> None:
        confidences = np.where(np.arange(400) % 2, -1.0, 0.9)
        bounded = bounded_threshold(confidences, confidences > 0, most_wrong=0.05)
        assert (bounded.threshold, bounded.done, bounded.wrong) == (0.0, 200, 0)

    def test_equal_confidences_are_taken_or_left_together(self) -> None:
        confidences = np.full(400, 0.7)
        right = np.arange(400) % 4 > 0
        assert bounded_threshold(confidences, right, most_wrong=0.05).done == 0

    @given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.3), st.floats(0.0, 0.3))
    def test_a_tighter_bound_never_acts_more(self, seed: int, most_wrong: float, less: float) -> None:
        judged = messages(np.random.default_rng(seed), 150)
        loose = bounded_threshold(*judged, most_wrong=most_wrong)
        tight = bounded_threshold(*judged, most_wrong=max(most_wrong - less, 0.0))
        assert tight.threshold >= loose.threshold

    @given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.3))
    def test_what_promises_more_never_acts_more(self, seed: int, most_wrong: float) -> None:
        judged = messages(np.random.default_rng(seed), 150)
        following, long_run = (
            bounded_threshold(*judged, most_wrong=most_wrong, promise=promise).threshold
            for promise in (Promise.NEXT, Promise.LONG_RUN)
        )
        assert following >= long_run


class TestFewestJudged:
    @pytest.mark.parametrize("most_wrong", [0.02, 0.05, 0.1])
    def test_one_fewer_shows_nothing(self, most_wrong: float) -> None:
        fewest = fewest_judged(most_wrong)
        assert fewest is not None
        assert most_accepted(fewest, most_wrong, promise=Promise.NEXT) == 0
        assert most_accepted(fewest - 1, most_wrong, promise=Promise.NEXT) is None

    def test_nothing_shows_that_nothing_is_ever_wrong(self) -> None:
        assert fewest_judged(0.0) is None
