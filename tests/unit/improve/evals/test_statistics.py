"""Chance and harm in counts of passes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from steward.improve.evals.statistics import Counts, fisher_worse, holm, pass_to_the_k, pooled_worse

runs = st.integers(1, 12)


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    """Counts of one case."""
    before, after = draw(runs), draw(runs)
    return Counts(draw(st.integers(0, before)), before, draw(st.integers(0, after)), after)


class TestFisher:
    @given(counts())
    def test_it_agrees_with_scipy(self, given_counts: Counts) -> None:
        c = given_counts
        table = [
            [c.candidate_passed, c.candidate_runs - c.candidate_passed],
            [c.baseline_passed, c.baseline_runs - c.baseline_passed],
        ]
        assert fisher_worse(c) == pytest.approx(fisher_exact(table, alternative="less").pvalue)

    def test_ten_of_ten_against_three_of_ten_is_beyond_chance(self) -> None:
        assert fisher_worse(Counts(10, 10, 3, 10)) == pytest.approx(0.00155, abs=5e-5)

    def test_without_a_difference_there_is_nothing_to_find(self) -> None:
        assert fisher_worse(Counts(3, 3, 3, 3)) == 1.0


class TestPooled:
    @given(counts())
    def test_of_one_case_it_is_fishers_test(self, given_counts: Counts) -> None:
        assert pooled_worse([given_counts]) == pytest.approx(fisher_worse(given_counts))

    def test_cases_that_always_pass_say_nothing(self) -> None:
        always = [Counts(3, 3, 3, 3)] * 50
        assert pooled_worse([*always, Counts(3, 3, 0, 3)]) == pytest.approx(fisher_worse(Counts(3, 3, 0, 3)))

    def test_small_harm_everywhere_adds_up(self) -> None:
        assert pooled_worse([Counts(3, 3, 2, 3)] * 20) < 1e-5

    def test_no_cases_no_evidence(self) -> None:
        assert pooled_worse([]) == 1.0

    def test_its_false_alarms_stay_below_its_level(self) -> None:
        chance = random.Random(7)
        found = 0
        for _ in range(400):
            cases = []
            for _ in range(30):
                p = chance.choice([1.0, 0.95, 0.7])
                passed = [sum(chance.random() < p for _ in range(3)) for _ in range(2)]
                cases.append(Counts(passed[0], 3, passed[1], 3))
            found += pooled_worse(cases) <= 0.05
        assert found <= 0.05 * 400


class TestHolm:
    def test_the_smallest_must_pass_the_strictest_level(self) -> None:
        p_values = {"a": 0.004, "b": 0.02, "c": 0.5}
        assert holm(p_values, alpha=0.05) == {"a", "b"}
        assert holm(p_values, alpha=0.01) == set()

    def test_none_after_the_first_that_stays(self) -> None:
        assert holm({"a": 0.03, "b": 0.031}, alpha=0.05) == set()

    def test_nothing_to_test(self) -> None:
        assert holm({}, alpha=0.05) == set()


class TestPassToTheK:
    def test_estimates_all_of_k(self) -> None:
        assert pass_to_the_k(9, 10, 3) == pytest.approx(84 / 120)

    def test_fewer_runs_than_k_stand_for_k(self) -> None:
        assert pass_to_the_k(2, 2, 5) == 1.0

    def test_not_run_is_not_passed(self) -> None:
        assert pass_to_the_k(0, 0, 3) == 0.0
