"""Buckets hold what they promise, on a few thousand customers; the campaign takes a million."""

from __future__ import annotations

from tests.prove.shares import SHARES, measure


class TestMeasure:
    def test_shares_growth_and_independence(self) -> None:
        shown = measure(1, customers=5_000)
        assert shown.problems == []
        assert (shown.left, shown.moved_back) == (0, 0)
        assert len(shown.errors) == len(SHARES) + 1
