"""Shares with intervals, and pairs of answers to the same turn."""

from __future__ import annotations

import pytest

from steward.improve.rollout.pairs import mcnemar_p, paired_difference, share_of


class TestShareOf:
    def test_nothing_has_no_share(self) -> None:
        assert share_of(0, 0).share is None

    def test_wilsons_own_interval(self) -> None:
        found = share_of(10, 100)
        assert (found.share, found.low, found.high) == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)

    def test_none_of_some_still_has_an_upper_end(self) -> None:
        found = share_of(0, 20)
        assert found.low == 0.0
        assert found.high == pytest.approx(0.1611, abs=1e-4)


class TestMcnemarP:
    def test_equal_disagreement_is_no_evidence(self) -> None:
        assert mcnemar_p(7, 7) == 1.0

    def test_nobody_disagrees(self) -> None:
        assert mcnemar_p(0, 0) == 1.0

    def test_one_sided_disagreement_is_a_row_of_heads(self) -> None:
        assert mcnemar_p(0, 6) == pytest.approx(2 / 64)

    def test_many_pairs_do_not_overflow(self) -> None:
        assert 0 < mcnemar_p(4_000, 4_300) < 0.01


class TestPairedDifference:
    def test_only_the_turns_that_differ_count(self) -> None:
        found = paired_difference(5, 25, 200)
        assert found.difference == pytest.approx(0.1)
        assert found.low is not None
        assert found.high is not None
        assert found.low > 0
        assert found.high < 0.16

    def test_nothing_compared(self) -> None:
        assert paired_difference(0, 0, 0).p is None
