from __future__ import annotations

import numpy as np
import pytest

from steward.base.language.scope import (
    auroc,
    scope_figures,
    scope_scores,
    scope_threshold,
    wilson_interval,
)


class TestAuroc:
    def test_is_one_where_all_are_apart(self) -> None:
        assert auroc(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == pytest.approx(1)

    def test_counts_ties_by_half(self) -> None:
        assert auroc(np.array([0.5, 0.5]), np.array([0.5])) == pytest.approx(0.5)


class TestScopeScores:
    def test_a_text_between_two_labels_scores_above_one_between_all(self) -> None:
        between_two, between_all = scope_scores(np.array([[0.5, 0.5, 0.0], [0.33, 0.33, 0.34]]))
        assert between_two > between_all


class TestScopeThreshold:
    def test_rejects_the_asked_share(self) -> None:
        held_out = np.linspace(0, 1, 1001)
        assert (held_out < scope_threshold(held_out, 0.05)).mean() == pytest.approx(0.05, abs=0.002)


class TestScopeFigures:
    def test_counts_both_kinds(self) -> None:
        figures = scope_figures(np.array([0.9, 0.8, 0.4, 0.7]), np.array([0.1, 0.6]), 0.5)
        assert figures.recall == pytest.approx(0.5)
        assert figures.in_scope_rejected == pytest.approx(0.25)
        assert figures.out_of_scope_texts == 2
        assert figures.auroc == pytest.approx(7 / 8)


class TestWilsonInterval:
    def test_equals_the_published_value(self) -> None:
        # Newcombe 1998, Table I: 81 of 263.
        low, high = wilson_interval(81, 263)
        assert low == pytest.approx(0.2553, abs=1e-4)
        assert high == pytest.approx(0.3662, abs=1e-4)

    def test_knows_nothing_without_trials(self) -> None:
        assert wilson_interval(0, 0) == (0.0, 1.0)
