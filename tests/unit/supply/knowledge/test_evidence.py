"""The strength of evidence."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from steward.supply.knowledge.evidence import strength


class TestStrength:
    def test_nothing_found_is_no_evidence(self) -> None:
        assert strength([]) == 0.0

    @settings(deadline=None)
    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8).map(lambda scores: sorted(scores, reverse=True)))
    def test_it_is_a_share(self, scores: list[float]) -> None:
        assert 0 <= strength(scores) <= 1

    def test_a_passage_that_stands_out_is_stronger(self) -> None:
        assert strength([0.4, 0.2, 0.2, 0.2, 0.2]) > strength([0.4, 0.4, 0.39, 0.39, 0.38])

    def test_the_default_threshold_parts_strong_from_weak(self) -> None:
        assert strength([0.45, 0.4, 0.35, 0.3, 0.3]) > 0.38 > strength([0.2, 0.19, 0.19, 0.18, 0.17])
