"""The circuit breaker on a clock that is moved by hand."""

from __future__ import annotations

from steward.supply.models.breaker import LONGEST_REST_S, Breaker


class Moment:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class TestBreaker:
    def test_opens_after_failures_in_a_row_only(self) -> None:
        breaker = Breaker(failures_to_open=2, now=Moment())
        breaker.failed()
        breaker.succeeded()
        breaker.failed()
        assert breaker.take()
        breaker.failed()
        assert not breaker.take()

    def test_lets_one_probe_through_after_its_rest(self) -> None:
        now = Moment()
        breaker = Breaker(failures_to_open=1, open_s=10, now=now)
        breaker.failed()
        now.at = 11
        assert breaker.take()
        assert not breaker.take()
        breaker.failed()
        assert not breaker.take()
        now.at = 22
        assert breaker.take()
        breaker.succeeded()
        assert breaker.take()
        assert breaker.take()

    def test_cancelled_probe_makes_room_for_the_next(self) -> None:
        now = Moment()
        breaker = Breaker(failures_to_open=1, open_s=10, now=now)
        breaker.failed()
        now.at = 11
        assert breaker.take()
        breaker.abandoned()
        assert breaker.take()

    def test_rests_as_long_as_the_server_asks_but_not_for_hours(self) -> None:
        now = Moment()
        breaker = Breaker(now=now)
        breaker.failed(rest_s=7200)
        now.at = LONGEST_REST_S - 1
        assert not breaker.take()
        now.at = LONGEST_REST_S + 1
        assert breaker.take()
