"""Hearing a turn out: what was committed is published and read before a take-over returns."""

from __future__ import annotations

import asyncio

from steward.serve.conversations.contracts import Delta
from steward.serve.turn.running import RunningTurn, speaking


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(100):
        await asyncio.sleep(0)


class TestDrained:
    async def test_it_waits_for_words_between_commit_and_publishing(self) -> None:
        running, committed, heard = RunningTurn(), asyncio.Event(), []

        async def speak() -> None:
            running.enter()
            with speaking():
                await committed.wait()
            running.publish(Delta("last words"))

        async def follow() -> None:
            async for event in running.follow():
                heard.append(event)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(speak())
            tasks.create_task(follow())
            await settle()
            draining = tasks.create_task(running.drained())
            await settle()
            assert not draining.done()
            committed.set()
            await draining
            assert heard == [Delta("last words")]
            running.finish()

    async def test_it_waits_for_a_follower_that_has_not_read_everything(self) -> None:
        running = RunningTurn()
        running.publish(Delta("one"))
        follower = running.follow()
        await anext(follower)
        draining = asyncio.create_task(running.drained())
        await settle()
        assert not draining.done()
        running.finish()
        assert [event async for event in follower] == []
        await draining

    async def test_nobody_speaks_and_nobody_follows(self) -> None:
        running = RunningTurn()
        running.publish(Delta("one"))
        await running.drained()
