"""One leader at a time, and another when it is gone."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable

import psycopg
from tests.conftest import TestDatabase
from tests.integration.improve.rollout.field import Field

from steward.improve.rollout.contracts import Rollout, RolloutState
from steward.improve.rollout.leader import Leadership
from steward.supply.releases.assignment import Arm

WAITS_S = 60.0
CLOSED_LONG_AGO = """
update conversation set state = 'closed', closed_at = last_at - interval '5 minutes'
"""


class Process:
    """Something that would lead: tells when it does."""

    def __init__(self, url: str) -> None:
        self.leadership = Leadership(url, "a thing")
        self.begun = asyncio.Event()
        self.task = asyncio.create_task(self.leadership.lead(self._work))

    async def _work(self) -> None:
        self.begun.set()
        await asyncio.Event().wait()

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def first_of(*processes: Process) -> Process:
    """Wait until one of the processes leads, and return it."""
    async with asyncio.timeout(WAITS_S):
        waiting = {asyncio.create_task(one.begun.wait()): one for one in processes}
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
    return waiting[done.pop()]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which nobody announces."""
    async with asyncio.timeout(WAITS_S):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


async def until_ended(field: Field, rollout: Rollout) -> None:
    """Wait until a rollout has ended."""
    async with asyncio.timeout(WAITS_S):
        while True:
            if not (await field.rollouts.get(rollout.id)).state.is_open:
                return
            await asyncio.sleep(0.05)


async def until_looked_at(field: Field, rollout: Rollout) -> None:
    """Wait until a leader has judged a rollout for the first time."""
    async with asyncio.timeout(WAITS_S):
        while True:
            if await field.rollouts.looks(rollout.id):
                return
            await asyncio.sleep(0.05)


class TestLead:
    async def test_another_goes_on_when_the_leader_ends(self, app_url: str) -> None:
        both = [Process(app_url), Process(app_url)]
        leader = await first_of(*both)
        (other,) = [one for one in both if one is not leader]
        assert not other.begun.is_set()
        await leader.end()
        assert await first_of(other) is other
        assert other.leadership.leads
        await other.end()

    async def test_a_lost_connection_ends_the_work_and_somebody_leads_again(
        self, app_url: str, clean_database: TestDatabase
    ) -> None:
        both = [Process(app_url), Process(app_url)]
        leader = await first_of(*both)
        for one in both:
            one.begun.clear()
        with psycopg.connect(clean_database.admin_url, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s",
                ("steward a thing",),
            )
        await first_of(*both)
        assert sum(one.leadership.leads for one in both) == 1
        for one in both:
            await one.end()
        assert not leader.leadership.leads


class TestStandingStill:
    async def test_a_process_that_stands_still_loses_the_lead(self, app_url: str) -> None:
        code = (
            "import asyncio, sys\n"
            "from steward.improve.rollout.leader import Leadership\n"
            "async def work():\n"
            "    print('leads', flush=True)\n"
            "    await asyncio.Event().wait()\n"
            "asyncio.run(Leadership(sys.argv[1], 'a thing').lead(work))\n"
        )
        still = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, app_url, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert still.stdout is not None
            async with asyncio.timeout(WAITS_S):
                while b"leads" not in await still.stdout.readline():
                    pass
            other = Process(app_url)
            still.send_signal(signal.SIGSTOP)
            assert await first_of(other) is other
            await other.end()
        finally:
            still.kill()
            await still.wait()


class TestController:
    async def test_the_next_leader_decides_what_the_first_left(self, field: Field) -> None:
        rollout = await field.start()
        first, second = field.controller, field.another_controller()
        running = [asyncio.create_task(first.run()), asyncio.create_task(second.run())]
        try:
            await until(lambda: first.leads or second.leads)
            assert not (first.leads and second.leads)
            running[0 if first.leads else 1].cancel()
            await field.customers(rollout, Arm.BASELINE, count=300, escalated=30)
            await field.customers(rollout, Arm.CANDIDATE, count=300, escalated=150)
            await until_ended(field, rollout)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        assert (await field.rollouts.get(rollout.id)).state is RolloutState.ROLLED_BACK
        kinds = [event.kind for event in await field.rollouts.events(rollout.id)]
        assert kinds.count("rolled_back") == 1

    async def test_conversations_closed_by_a_slow_clock_are_found(self, field: Field) -> None:
        rollout = await field.start()
        for arm, escalated in ((Arm.BASELINE, 30), (Arm.CANDIDATE, 150)):
            await field.customers(rollout, arm, count=300, escalated=escalated, closed=False)
        running = asyncio.create_task(field.controller.run())
        try:
            await until(lambda: field.controller.leads)
            await until_looked_at(field, rollout)
            async with field.database.write() as session:
                await session.execute(CLOSED_LONG_AGO)
            await until_ended(field, rollout)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert (await field.rollouts.get(rollout.id)).state is RolloutState.ROLLED_BACK
