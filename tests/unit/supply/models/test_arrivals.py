from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from steward.supply.models.arrivals import MOST_WAITING, Arrivals

LONG_S = 5.0


class Broken(Exception):
    pass


class Body:
    """A response's body whose parts a test lets come."""

    def __init__(self) -> None:
        self._parts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.read = 0

    def comes(self, *parts: bytes | Exception | None) -> None:
        for part in parts:
            self._parts.put_nowait(part)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._parts.get()) is not None:
            if isinstance(part, Exception):
                raise part
            self.read += 1
            yield part


@asynccontextmanager
async def arriving(*parts: bytes | Exception | None) -> AsyncIterator[tuple[Body, Arrivals]]:
    body = Body()
    body.comes(*parts)
    arrivals = Arrivals(aiter(body))
    try:
        yield body, arrivals
    finally:
        await arrivals.close()


async def take(arrivals: Arrivals, *, within_s: float = LONG_S) -> bytes:
    return await arrivals.take(until=asyncio.get_running_loop().time() + within_s)


class TestTake:
    async def test_gives_what_has_come_together_at_once(self) -> None:
        async with arriving(b"one ", b"two ", b"three") as (body, arrivals):
            assert await take(arrivals) == b"one two three"
            body.comes(b" four")
            assert await take(arrivals) == b" four"

    async def test_gives_nothing_at_the_end(self) -> None:
        async with arriving(b"all", None) as (_, arrivals):
            assert [await take(arrivals), await take(arrivals), await take(arrivals)] == [b"all", b"", b""]

    async def test_gives_what_came_before_it_broke(self) -> None:
        async with arriving(b"half", Broken()) as (_, arrivals):
            assert await take(arrivals) == b"half"
            with pytest.raises(Broken):
                await take(arrivals)

    async def test_gives_up_in_time_and_goes_on_afterwards(self) -> None:
        async with arriving() as (body, arrivals):
            with pytest.raises(TimeoutError):
                await take(arrivals, within_s=0.01)
            body.comes(b"late")
            assert await take(arrivals) == b"late"

    async def test_gives_up_on_what_goes_on_beyond_its_time(self) -> None:
        async with arriving(b"on ", b"and on") as (_, arrivals):
            await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                await take(arrivals, within_s=0)

    async def test_gives_what_ended_in_time_however_late_it_is_taken(self) -> None:
        async with arriving(b"all", None) as (_, arrivals):
            await asyncio.sleep(0.01)
            assert await take(arrivals, within_s=0) == b"all"

    async def test_reads_no_further_than_somebody_takes(self) -> None:
        part = b"x" * (MOST_WAITING // 4)
        async with arriving(*[part] * 12, None) as (body, arrivals):
            await asyncio.sleep(0.01)
            assert body.read == 5
            taken = [await take(arrivals), await take(arrivals), await take(arrivals)]
        assert b"".join(taken) == part * 12


class TestDrain:
    async def test_drops_what_still_comes(self) -> None:
        async with arriving(b"answer") as (body, arrivals):
            await take(arrivals)
            body.comes(b"rest", None)
            await arrivals.drain(within_s=LONG_S)
            assert body.read == 2

    async def test_waits_no_longer_than_told(self) -> None:
        async with arriving(b"answer") as (_, arrivals):
            await arrivals.drain(within_s=0.01)


class TestClose:
    async def test_stops_reading(self) -> None:
        async with arriving(b"one") as (body, arrivals):
            await take(arrivals)
            await arrivals.close()
            body.comes(b"two")
            await asyncio.sleep(0.01)
            assert body.read == 1

    async def test_says_nothing_of_what_nobody_asked_for(self) -> None:
        async with arriving(Broken()):
            await asyncio.sleep(0.01)
