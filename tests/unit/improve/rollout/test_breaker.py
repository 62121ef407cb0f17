import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.improve.rollout.breaker import tripped
from steward.improve.rollout.contracts import BreakerPlan

PLAN = BreakerPlan(consecutive_failures=4, window_turns=10, failure_share=0.5)


class TestTripped:
    def test_a_run_of_failures_is_named(self) -> None:
        assert tripped([False, *[True] * 4], PLAN) == "4 turns in a row failed; 4 are too many"

    def test_a_run_that_has_ended_still_counts(self) -> None:
        assert tripped([True] * 4 + [False] * 3, PLAN) is not None

    def test_half_of_the_window_is_named(self) -> None:
        assert tripped([True, False] * 5, PLAN) == "5 of 10 turns failed; 50% of 10 are too many"

    def test_it_trips_before_the_window_is_full_once_the_share_is_certain(self) -> None:
        assert tripped([True, True, False, True, True, False, True], PLAN) is not None

    def test_a_window_in_the_middle_counts(self) -> None:
        assert tripped([False] * 20 + [True, False] * 5 + [False] * 20, PLAN) is not None

    @pytest.mark.parametrize("outcomes", [[], [False] * 50, [True, True, True, False] + [False] * 8])
    def test_fewer_failures_pass(self, outcomes: list[bool]) -> None:
        assert tripped(outcomes, PLAN) is None

    @given(st.lists(st.booleans(), max_size=40), st.booleans())
    def test_one_more_turn_never_closes_it_again(self, outcomes: list[bool], last: bool) -> None:
        if tripped(outcomes, PLAN) is not None:
            assert tripped([*outcomes, last], PLAN) is not None
