import random
from dataclasses import replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.improve.rollout.plans import CSAT, ESCALATION, plan

from steward.improve.rollout.power import (
    Comparison,
    Expected,
    chance_found,
    chance_safe,
    customers_to_find,
    customers_to_safe,
    expected_of,
    phase_power,
    smallest_harm,
)
from steward.improve.rollout.sequences import EARLY_SHARE, EARLY_UNITS, LOWER_TARGET, half_width, multiplier
from steward.improve.rollout.sums import Unit, of_units

ESCALATES = Expected(ratio=0.15, variance=0.1275, units_per_customer=1.0, scale=(0.0, 1.0))
MARKS = Expected(ratio=4.2, variance=1.25, units_per_customer=0.2, scale=(1.0, 5.0))
WATCHED = Comparison(ESCALATION, ESCALATES, share=0.5, alpha=0.002, safe_alpha=0.05)


class TestExpectedOf:
    def test_silent_customers_show_in_the_units_per_customer(self) -> None:
        found = expected_of(of_units([Unit(5, 1), Unit(3, 1)] + [Unit(0, 0)] * 8), scale=(1, 5))
        assert found == Expected(4.0, 2.0, 0.2, (1, 5))

    def test_silent_customers_may_be_told_instead(self) -> None:
        found = expected_of(of_units([Unit(5, 1), Unit(3, 1)]), scale=(1, 5), customers=10)
        assert found == Expected(4.0, 2.0, 0.2, (1, 5))

    def test_nothing_yet_is_nothing_expected(self) -> None:
        assert expected_of(of_units([])) is None


class TestChanceFound:
    @given(st.integers(100, 50_000), st.floats(0.03, 0.3))
    def test_it_grows_with_customers_and_with_harm(self, customers: int, harm: float) -> None:
        chance = chance_found(WATCHED, harm, customers)
        assert 0 <= chance <= 1
        assert chance_found(WATCHED, harm, customers * 1.5) >= chance - 0.01
        assert chance_found(WATCHED, harm * 1.3, customers) >= chance - 0.01

    def test_a_smaller_share_finds_less(self) -> None:
        chances = [
            chance_found(replace(WATCHED, share=share), 0.05, 12_000) for share in (0.01, 0.05, 0.25, 0.5)
        ]
        assert chances == sorted(chances)
        assert chances[0] < 0.01
        assert chances[3] > 0.6

    def test_before_the_first_bound_nothing_is_found(self) -> None:
        assert chance_found(WATCHED, 0.5, 90) == 0.0

    def test_it_agrees_with_paths_that_were_played(self) -> None:
        harm, customers, steps = 0.05, 9_000, 90
        chance = random.Random(5)
        variance = (0.2 * 0.8 + 0.15 * 0.85) * 2 / customers
        found = 0
        for _ in range(300):
            position = 0.0
            for step in range(1, steps + 1):
                information = step / steps / variance
                position += chance.gauss(harm / variance / steps, sqrt(1 / variance / steps))
                error, units = 1 / sqrt(information), customers / 4 * step / steps
                width = min(
                    half_width(error, 0.002 * (1 - EARLY_SHARE), units=units, target=LOWER_TARGET * 0.02),
                    error * multiplier(0.002 * EARLY_SHARE, units / EARLY_UNITS),
                )
                if units >= 25 and position / information - width > 0.02:
                    found += 1
                    break
        assert chance_found(WATCHED, harm, customers) == pytest.approx(found / 300, abs=0.1)


class TestCustomersToFind:
    def test_it_is_where_the_chance_is_reached(self) -> None:
        needed = customers_to_find(WATCHED, 0.05, power=0.8)
        assert needed is not None
        assert chance_found(WATCHED, 0.05, needed) == pytest.approx(0.8, abs=0.002)

    def test_harm_within_the_margin_is_never_found(self) -> None:
        assert customers_to_find(WATCHED, 0.02, power=0.8) is None


class TestCustomersToSafe:
    def test_it_is_where_the_chance_is_reached(self) -> None:
        needed = customers_to_safe(WATCHED, power=0.8)
        assert needed is not None
        assert chance_safe(WATCHED, 0.0, needed) == pytest.approx(0.8, abs=0.002)

    def test_harm_at_the_margin_is_never_safe(self) -> None:
        assert customers_to_safe(WATCHED, 0.02, power=0.8) is None

    def test_a_rare_survey_takes_longer(self) -> None:
        asked = Comparison(CSAT, MARKS, share=0.5, alpha=0.002, safe_alpha=0.05)
        often = replace(asked, expected=replace(MARKS, units_per_customer=1.0))
        few, many = customers_to_safe(asked, power=0.8), customers_to_safe(often, power=0.8)
        assert few is not None
        assert many is not None
        assert few == pytest.approx(5 * many, rel=0.02)


class TestSmallestHarm:
    def test_it_is_found_with_the_power_asked_for(self) -> None:
        harm = smallest_harm(WATCHED, 5_000, power=0.9)
        assert harm is not None
        assert chance_found(WATCHED, harm, 5_000) == pytest.approx(0.9, abs=0.01)

    def test_too_few_customers_find_none(self) -> None:
        assert smallest_harm(WATCHED, 50, power=0.8) is None


class TestPhasePower:
    def test_a_row_for_each_known_trigger_in_the_plans_order(self) -> None:
        rows = phase_power(
            plan(), 3, expected={"csat": MARKS, "escalation_rate": ESCALATES}, customers_per_day=400
        )
        assert [row.kpi for row in rows] == ["escalation_rate", "csat"]
        escalation, csat = rows
        assert escalation.customers == 800
        assert escalation.harm_80 is not None
        assert escalation.harm_90 is not None
        assert escalation.margin < escalation.harm_80 < escalation.harm_90
        assert csat.safe_customers is not None
        assert csat.safe_days == pytest.approx(csat.safe_customers / 400 + 3 + 30 / 1440)

    def test_a_small_share_waits_for_its_smaller_arm(self) -> None:
        (row,) = phase_power(plan(), 1, expected={"escalation_rate": ESCALATES}, customers_per_day=400)
        assert row.customers == 20_000

    def test_without_traffic_no_days_are_told(self) -> None:
        (row,) = phase_power(plan(), 3, expected={"escalation_rate": ESCALATES}, customers_per_day=0)
        assert (row.double_days, row.safe_days) == (None, None)
        assert row.safe_customers is not None
