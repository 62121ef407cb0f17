"""Silent conversations are closed as of their last word; those that somebody waits in aren't."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.serve.conversations.contracts import Customer
from steward.serve.conversations.idle import IdleClosing
from steward.serve.conversations.service import Conversations

HOLDERS = {
    "a person speaks": "update conversation set speaker = 'human' where id = %s",
    "a turn runs": "update conversation set turn_id = gen_random_uuid(), turn_holder = 7 where id = %s",
    "a person is waited for": """insert into handover (id, conversation_id, queue, reason, asked_at)
        select gen_random_uuid(), %s, 'billing', 'asked', now()""",
    "a message waits for its turn": """
        insert into message (id, conversation_id, seq, role, epoch, pending, body, at)
        select gen_random_uuid(), %s, 1, 'customer', 0, true, '', now()""",
    "an action isn't decided": """
        insert into workflow_run (id, conversation_id, customer_id, release_id, workflow, state,
             values_sealed, created_at, updated_at)
        select gen_random_uuid(), id, customer_id, release_id, 'refund', 'unknown', '', now(), now()
        from conversation where id = %s""",
}


class AfterAnHour:
    """Calls an hour of silence the end."""

    async def idle_minutes(self, assistant: str) -> int:
        return 60


@pytest.fixture
def closing(database: PooledDatabase, fixed_clock: FixedClock) -> IdleClosing:
    return IdleClosing(database=database, clock=fixed_clock, minutes=AfterAnHour(), assistant="northline")


async def started(conversations: Conversations, assistant: str = "northline") -> UUID:
    opened = await conversations.start(
        assistant=assistant, channel="web", customer=Customer(None, False, {}), locale=None
    )
    return opened.conversation.id


class TestSweep:
    async def test_closes_what_was_silent_as_of_its_last_word(
        self,
        conversations: Conversations,
        closing: IdleClosing,
        fixed_clock: FixedClock,
        database: PooledDatabase,
    ) -> None:
        silent, last_word = await started(conversations), fixed_clock.now()
        fixed_clock.advance(timedelta(minutes=61))
        lively, other = await started(conversations), await started(conversations, "another")
        assert await closing.sweep() == 1
        assert await closing.sweep() == 0
        closed = await conversations.get(silent)
        assert (closed.state, closed.closed_at) == ("closed", last_word)
        assert {(await conversations.get(each)).state for each in (lively, other)} == {"open"}
        async with database.read() as session:
            assert await session.one("select closed_by from conversation where id = %s", (silent,)) == (
                "idle",
            )

    @pytest.mark.parametrize("why", list(HOLDERS))
    async def test_leaves_open(
        self,
        why: str,
        conversations: Conversations,
        closing: IdleClosing,
        fixed_clock: FixedClock,
        database: PooledDatabase,
    ) -> None:
        silent = await started(conversations)
        async with database.write() as session:
            await session.execute(HOLDERS[why], (silent,))
        fixed_clock.advance(timedelta(minutes=61))
        assert await closing.sweep() == 0
