"""Messages a minute."""

from __future__ import annotations

import asyncio

from steward.improve.evals.pace import Pace


class StandingTime:
    """Time that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))


class TestPace:
    async def test_messages_are_spread_evenly_over_the_minute(self) -> None:
        time = StandingTime()
        pace = Pace(30, now=time.now, sleep=time.sleep)
        await asyncio.gather(*(pace.wait() for _ in range(4)))
        assert time.slept == [2.0, 4.0, 6.0]

    async def test_a_pause_is_not_saved_up(self) -> None:
        time = StandingTime()
        pace = Pace(60, now=time.now, sleep=time.sleep)
        await pace.wait()
        time.at += 50
        await pace.wait()
        await pace.wait()
        assert time.slept == [1.0]

    async def test_without_a_limit_nobody_waits(self) -> None:
        time = StandingTime()
        pace = Pace(None, now=time.now, sleep=time.sleep)
        await asyncio.gather(*(pace.wait() for _ in range(4)))
        assert time.slept == []
