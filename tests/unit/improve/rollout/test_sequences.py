import random
from dataclasses import replace
from math import isclose, log, sqrt
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.sequences import (
    MINIMUM_UNITS,
    Bounds,
    arm_ratio,
    bounds,
    exact_bounds,
    half_width,
    is_binary,
    multiplier,
    share_high,
    share_low,
    tuning,
)
from steward.improve.rollout.sums import Unit, of_units

ALPHAS = st.floats(1e-5, 0.2)
TINY = 1e-9


class Ends(NamedTuple):
    low: float
    high: float


def events(count: int, of: int) -> Sums:
    return Sums(of, count, of, count, of, count)


def times(sums: Sums, factor: int) -> Sums:
    total = Sums()
    for _ in range(factor):
        total = total.plus(sums)
    return total


class TestTuning:
    @given(ALPHAS, st.floats(0.05, 20))
    def test_no_other_progress_is_much_tighter(self, alpha: float, progress: float) -> None:
        # At a given moment the width is sqrt((1 + 1/u) 2 log(...)); the published optimum is approximate.
        assert multiplier(alpha, 1.0) <= multiplier(alpha, progress) * 1.01

    @pytest.mark.parametrize("alpha", [0.0, 0.5, -1.0])
    def test_other_alphas_are_refused(self, alpha: float) -> None:
        with pytest.raises(ValueError, match="between 0 and"):
            tuning(alpha)


class TestMultiplier:
    def test_it_is_the_published_one_sided_bound(self) -> None:
        alpha, rho, moment = 0.05, 0.1, 400
        published = sqrt(
            2
            * (moment * rho**2 + 1)
            / (moment**2 * rho**2)
            * log(1 + sqrt(moment * rho**2 + 1) / (2 * alpha))
        )
        progress = rho**2 * moment / tuning(alpha)
        assert isclose(multiplier(alpha, progress) / sqrt(moment), published)

    @given(ALPHAS, ALPHAS, st.floats(0.01, 100))
    def test_less_alpha_is_wider(self, one: float, other: float, moment: float) -> None:
        assume(one < other)
        rho = 0.1
        assert multiplier(one, rho * moment / tuning(one)) >= multiplier(other, rho * moment / tuning(other))

    def test_before_anything_arrived_it_says_nothing(self) -> None:
        assert multiplier(0.05, 0.0) == float("inf")


class TestHalfWidth:
    @given(ALPHAS, st.floats(0.01, 2.0), st.floats(0.001, 1.0))
    def test_it_shrinks_as_evidence_grows(self, alpha: float, target: float, error: float) -> None:
        later = half_width(error / 1.1, alpha, units=100, target=target)
        assert later < half_width(error, alpha, units=100, target=target)

    @given(ALPHAS, st.floats(0.01, 2.0))
    def test_it_reaches_its_target_where_it_is_tightest(self, alpha: float, target: float) -> None:
        error = target / multiplier(alpha, 1.0)
        assert isclose(half_width(error, alpha, units=1, target=target), target)


class TestArmRatio:
    def test_a_mean_has_the_sample_variance(self) -> None:
        arm = arm_ratio(of_units([Unit(1, 1), Unit(2, 1), Unit(6, 1)]))
        assert arm is not None
        assert (arm.ratio, arm.units) == (3.0, 3.0)
        assert isclose(arm.variance, 7.0)

    def test_silent_customers_change_nothing(self) -> None:
        units = [Unit(4, 1), Unit(5, 1), Unit(2, 1)]
        assert arm_ratio(of_units(units)) == arm_ratio(of_units([*units, Unit(0, 0), Unit(0, 0)]))

    def test_nothing_yet_is_no_ratio(self) -> None:
        assert arm_ratio(Sums()) is None
        assert arm_ratio(of_units([Unit(0, 0)])) is None

    def test_events_are_recognised_as_a_share_and_money_is_not(self) -> None:
        counted, money, marks = (
            arm_ratio(of_units(units))
            for units in ([Unit(1, 4), Unit(0, 2)], [Unit(0.3, 1)], [Unit(4, 1), Unit(5, 1)])
        )
        assert counted is not None
        assert money is not None
        assert marks is not None
        assert (counted.is_share, money.is_share, marks.is_share) == (True, False, False)


def of_events(
    old: Sums, new: Sums, *, margin: float = 0.02, higher: bool = False, exact: bool = False
) -> Bounds:
    compute = exact_bounds if exact else bounds
    return compute(old, new, margin=margin, higher_is_better=higher, alpha=0.01, safe_alpha=0.05)


def ends(old: Sums, new: Sums, *, margin: float = 0.02, higher: bool = False, exact: bool = False) -> Ends:
    found = of_events(old, new, margin=margin, higher=higher, exact=exact)
    assert found.low is not None
    assert found.high is not None
    return Ends(found.low, found.high)


class TestBounds:
    def test_too_few_units_have_no_bounds(self) -> None:
        few = int(MINIMUM_UNITS) - 1
        assert of_events(events(100, 1000), events(10, few)) == Bounds(None, None)

    def test_a_safe_bound_takes_more_than_a_harmful_one(self) -> None:
        found = of_events(events(100, 1000), events(10, int(MINIMUM_UNITS)))
        assert found.low is not None
        assert found.high is None

    def test_units_that_are_all_alike_have_no_bound_on_harm(self) -> None:
        assert of_events(events(0, 1000), events(0, 1000)).low is None

    def test_no_event_at_all_is_not_proof_of_safety(self) -> None:
        soon = of_events(events(0, 110), events(0, 110), margin=0.01).high
        late = of_events(events(0, 9000), events(0, 9000), margin=0.01).high
        assert soon is not None
        assert late is not None
        assert soon > 0.01 > late

    def test_arms_without_variance_that_differ_are_bounded(self) -> None:
        assert ends(events(0, 200), events(200, 200)).low > 0.5

    @given(st.integers(1, 199), st.integers(1, 199), st.integers(2, 5))
    def test_the_estimate_lies_between_and_more_data_bring_the_bounds_closer(
        self, first: int, second: int, factor: int
    ) -> None:
        old, new = events(first, 200), events(second, 200)
        harm = (second - first) / 200
        low, high = ends(old, new)
        closer_low, closer_high = ends(times(old, factor), times(new, factor))
        assert low <= closer_low <= harm + TINY
        assert harm - TINY <= closer_high <= high

    @given(st.integers(1, 199), st.integers(1, 199))
    def test_a_forecast_of_more_units_is_what_more_units_give(self, first: int, second: int) -> None:
        old, new = events(first, 200), events(second, 200)
        wanted = ends(times(old, 3), times(new, 3))
        found = bounds(old, new, margin=0.02, higher_is_better=False, alpha=0.01, safe_alpha=0.05, times=3.0)
        assert (found.low, found.high) == pytest.approx(wanted, rel=0.01, abs=0.001)

    @given(st.integers(1, 199), st.integers(1, 199))
    def test_counting_successes_instead_of_failures_is_the_same(self, first: int, second: int) -> None:
        failures = ends(events(first, 200), events(second, 200))
        successes = ends(events(200 - first, 200), events(200 - second, 200), higher=True)
        assert failures == pytest.approx(successes)

    @given(st.floats(0.1, 10.0))
    def test_the_unit_of_measurement_does_not_matter(self, scale: float) -> None:
        chance = random.Random(1)
        old = [Unit(chance.gauss(3, 1), 1.0) for _ in range(120)]
        new = [Unit(chance.gauss(3.2, 1), 1.0) for _ in range(120)]
        plain = ends(of_units(old), of_units(new), margin=0.1)
        scaled = ends(
            *(
                of_units([replace(unit, numerator=unit.numerator * scale) for unit in arm])
                for arm in (old, new)
            ),
            margin=0.1 * scale,
        )
        assert scaled == pytest.approx([bound * scale for bound in plain])

    def test_they_hold_at_every_look(self) -> None:
        chance = random.Random(7)
        wrong_low = wrong_high = 0
        for _ in range(150):
            old, new = Sums(), Sums()
            low_failed = high_failed = False
            for _ in range(60):
                old = of_units([Unit(float(chance.random() < 0.15), 1.0) for _ in range(30)], start=old)
                new = of_units([Unit(float(chance.random() < 0.17), 1.0) for _ in range(10)], start=new)
                found = bounds(old, new, margin=0.02, higher_is_better=False, alpha=0.05, safe_alpha=0.05)
                low_failed |= found.low is not None and found.low > 0.02
                high_failed |= found.high is not None and found.high < 0.02
            wrong_low += low_failed
            wrong_high += high_failed
        assert wrong_low <= 12
        assert wrong_high <= 12


class TestExactBounds:
    @given(st.integers(0, 60), st.integers(0, 60), st.integers(2, 5))
    def test_the_estimate_lies_between_and_more_data_bring_the_bounds_closer(
        self, first: int, second: int, factor: int
    ) -> None:
        old, new = events(first, 60), events(second, 60)
        harm = (second - first) / 60
        low, high = ends(old, new, exact=True)
        closer_low, closer_high = ends(times(old, factor), times(new, factor), exact=True)
        assert low <= harm <= high
        assert closer_high - closer_low < high - low

    @given(st.integers(0, 60), st.integers(0, 60))
    def test_harm_of_a_fall_is_harm_of_a_rise_with_the_arms_exchanged(self, first: int, second: int) -> None:
        old, new = events(first, 60), events(second, 60)
        assert ends(old, new, exact=True) == ends(new, old, higher=True, exact=True)

    def test_nothing_yet_has_no_bounds(self) -> None:
        assert of_events(Sums(), events(0, 1), exact=True) == Bounds(None, None)

    def test_it_holds_at_every_look_from_the_first(self) -> None:
        chance = random.Random(3)
        wrong = 0
        for _ in range(200):
            seen = 0
            for customers in range(1, 301):
                seen += chance.random() < 0.01
                if customers % 3 == 0 and not (
                    share_low(seen, customers, 0.05, expected=0.01)
                    <= 0.01
                    <= share_high(seen, customers, 0.05, expected=0.01)
                ):
                    wrong += 1
                    break
        assert wrong <= 16


class TestShareHigh:
    def test_without_events_it_falls_with_the_number_of_units(self) -> None:
        ends = [share_high(0, units, 0.05, expected=0.01) for units in (1, 10, 100, 1000, 10000)]
        assert ends == sorted(ends, reverse=True)
        assert ends[-1] < 0.001

    def test_with_nothing_but_events_it_is_one(self) -> None:
        assert share_high(5, 5, 0.05, expected=0.01) == 1.0

    @given(st.integers(0, 50), ALPHAS)
    def test_the_share_lies_between_low_and_high(self, count: int, alpha: float) -> None:
        low, high = (end(count, 50, alpha, expected=0.02) for end in (share_low, share_high))
        assert 0 <= low <= count / 50 <= high <= 1


class TestIsBinary:
    def test_one_yes_or_no_each(self) -> None:
        assert is_binary(of_units([Unit(1, 1), Unit(0, 1), Unit(0, 0)]))

    def test_several_turns_each_are_not(self) -> None:
        assert not is_binary(of_units([Unit(1, 2)]))
