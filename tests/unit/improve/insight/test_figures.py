"""Intervals, design effects and buckets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from steward.improve.insight.contracts import Method, Sums
from steward.improve.insight.figures import (
    GROWTH,
    LOWEST_MS,
    bucket_middle,
    counts_of,
    figure_of,
    quantile_figure,
    quantile_of,
    variance_of,
    wilson,
)
from steward.improve.insight.rollups import design_effect


def totals(y: list[float], d: list[float]) -> Sums:
    """Add up units."""
    numerators, denominators = np.array(y), np.array(d)
    return Sums(
        len(y),
        float(numerators.sum()),
        float(denominators.sum()),
        float((numerators**2).sum()),
        float((denominators**2).sum()),
        float((numerators * denominators).sum()),
    )


def packed(counts: dict[int, int]) -> bytes:
    """Write buckets as the database does."""
    return b"".join(bucket.to_bytes(2) + count.to_bytes(4) for bucket, count in counts.items())


class TestFigureOf:
    """A ratio with its interval."""

    @pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 20), (20, 20), (450, 1000)])
    def test_a_proportion_has_the_interval_that_scipy_gives(self, hits: int, n: int) -> None:
        figure = figure_of(totals([1.0] * hits + [0.0] * (n - hits), [1.0] * n))
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert figure.method is Method.WILSON
        assert (figure.low, figure.high) == pytest.approx((expected.low, expected.high), abs=1e-12)

    def test_a_mean_has_the_normal_interval(self) -> None:
        values = [1.0, 4.0, 5.0, 2.0]
        figure = figure_of(totals(values, [1.0] * 4))
        reach = 1.959963984540054 * np.std(values, ddof=1) / 2
        assert figure.method is Method.DELTA
        assert figure.low is not None
        assert figure.low == pytest.approx(3.0 - reach)

    def test_turns_of_a_conversation_belong_together(self) -> None:
        figure = figure_of(totals([1.0, 0.0], [2.0, 3.0]))
        assert (figure.value, figure.n, figure.method) == (0.2, 2, Method.DELTA)

    @pytest.mark.parametrize("hit", [0.0, 1.0])
    def test_nothing_or_everything_is_no_certainty(self, hit: float) -> None:
        turns = [3.0, 1.0, 4.0, 2.0]
        figure = figure_of(totals([hit * turn for turn in turns], turns), design=2.0, share=True)
        assert (figure.value, figure.n, figure.method) == (hit, 4, Method.WILSON)
        assert (figure.low, figure.high) == wilson(hit, 2.0)

    def test_units_that_do_not_count_do_not_narrow_it(self) -> None:
        figure = figure_of(totals([0.0] * 4, [1.0, 0.0, 1.0, 0.0]), share=True)
        assert (figure.low, figure.high) == wilson(0.0, 2.0)

    def test_weights_are_no_counts(self) -> None:
        assert figure_of(totals([0.0, 0.0], [1.5, 2.25]), share=True).method is Method.DELTA

    def test_a_cost_of_0_is_no_proportion(self) -> None:
        figure = figure_of(totals([0.0] * 5, [1.0] * 5), share=False)
        assert (figure.low, figure.high, figure.method) == (0.0, 0.0, Method.DELTA)

    def test_returning_customers_widen_it(self) -> None:
        units = totals([1.0, 0.0] * 50, [1.0] * 100)
        alone, clustered = figure_of(units), figure_of(units, design=2.0)
        assert alone.low is not None
        assert clustered.low is not None
        assert clustered.low < alone.low

    def test_what_is_not_final_is_counted_and_left_out(self) -> None:
        figure = figure_of(totals([5.0], [1.0]), immature=totals([1.0], [1.0]))
        assert (figure.value, figure.so_far, figure.n, figure.immature) == (5.0, 3.0, 1, 1)

    def test_a_denominator_of_zero_has_no_value(self) -> None:
        figure = figure_of(totals([0.5], [0.0]))
        assert (figure.value, figure.n, figure.method) == (None, 1, Method.NONE)

    def test_one_unit_has_no_variance(self) -> None:
        assert variance_of(totals([3.0], [1.0])) is None

    def test_wilson_stays_inside(self) -> None:
        low, high = wilson(1.0, 3)
        assert 0 < low < high <= 1


class TestDeltaMethod:
    """Its interval covers what it says."""

    def test_covers_a_ratio_of_sums_95_times_of_100(self) -> None:
        random = np.random.default_rng(5)
        hits = 0
        for _ in range(2000):
            turns = 1 + random.poisson(4, 400)
            slow = random.binomial(turns, 0.1)
            figure = figure_of(totals(slow.tolist(), turns.tolist()))
            assert figure.low is not None
            assert figure.high is not None
            hits += figure.low <= 0.1 <= figure.high
        assert 0.935 <= hits / 2000 <= 0.965


class TestDesignEffect:
    """How much alike conversations of a customer are."""

    def test_customers_that_always_do_the_same_count_once(self) -> None:
        y = np.repeat([1.0, 0.0, 1.0, 0.0], 3)
        sums = totals(y.tolist(), [1.0] * 12)
        of_customers = totals([3.0, 0.0, 3.0, 0.0], [3.0] * 4)
        effect = design_effect(
            sums.n, sums.y, sums.d, sums.yy, sums.dd, sums.yd, of_customers.yy, of_customers.dd,
            of_customers.yd,
        )  # fmt: skip
        assert effect == pytest.approx(3.0)

    def test_it_never_narrows(self) -> None:
        assert design_effect(4, 2, 4, 2, 4, 2, 2, 8, 4) == 1.0


class TestBuckets:
    """Log-spaced buckets that can be added."""

    def test_a_bucket_stands_for_all_in_it_within_half_a_percent(self) -> None:
        for bucket in (1, 100, 1500):
            low, high = LOWEST_MS * GROWTH ** (bucket - 1), LOWEST_MS * GROWTH**bucket
            middle = bucket_middle(bucket)
            assert max(middle / low, high / middle) - 1 <= 0.005

    def test_quantiles_are_within_one_percent(self) -> None:
        values = np.random.default_rng(3).lognormal(6, 1, 20_000)
        places = np.ceil(np.log(values / LOWEST_MS) / math.log(GROWTH)).astype(int)
        counts = np.bincount(places)
        for share in (0.01, 0.5, 0.95, 0.999):
            found = quantile_of(counts, share)
            assert found is not None
            assert found == pytest.approx(float(np.quantile(values, share)), rel=0.01)

    def test_packed_pairs_add_up(self) -> None:
        together = counts_of(packed({3: 2, 1000: 70_000}) + packed({3: 5}))
        assert (together[3], together[1000], int(together.sum())) == (7, 70_000, 70_007)

    def test_nothing_has_no_quantile(self) -> None:
        assert quantile_of(counts_of(b""), 0.5) is None
        assert quantile_figure(counts_of(b""), 0.5).method is Method.NONE

    def test_interval_is_that_of_order_statistics(self) -> None:
        figure = quantile_figure(np.bincount(np.repeat(np.arange(500, 1000), 4)), 0.5)
        assert figure.low is not None
        assert figure.value is not None
        assert figure.high is not None
        assert figure.low < figure.value < figure.high
        assert figure.n == 2000
