"""A transcript finds one conversation once, and nobody rates another conversation's turn."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.serve.conversations.contracts import ConversationId, Customer
from steward.serve.conversations.errors import ConversationNotFound, TurnNotFound
from steward.serve.conversations.service import Conversations

DIGEST = b"d" * 32


async def start(conversations: Conversations) -> ConversationId:
    """Start a conversation with a customer of its own."""
    started = await conversations.start(
        assistant="northline", channel="api", customer=Customer(None, False, {}), locale=None
    )
    return started.conversation.id


async def store_turn(database: PooledDatabase, conversation_id: UUID, turn_id: UUID, at: datetime) -> None:
    """Store the least that a turn's row may hold."""
    async with database.write() as session:
        await session.execute(
            """insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel,
                   simulated, outcome, reason, currency, total_ms, started_at, finished_at)
               values (%s, %s, %s, 'r1', 'northline', 'baseline', 'api', false, 'answered', 'answered',
                   'GBP', 1, %s, %s)""",
            (turn_id, conversation_id, turn_id, at, at),
        )


class TestTakeByTranscript:
    async def test_two_customers_who_said_the_same_dont_meet(self, conversations: Conversations) -> None:
        mine, other = await start(conversations), await start(conversations)
        for conversation_id in (mine, other):
            await conversations.remember_transcript(conversation_id, DIGEST)
        taken = [await conversations.take_by_transcript(DIGEST) for _ in range(3)]
        assert set(taken[:2]) == {mine, other}
        assert taken[2] is None

    async def test_a_closed_one_isnt_found(self, conversations: Conversations) -> None:
        mine = await start(conversations)
        await conversations.remember_transcript(mine, DIGEST)
        await conversations.close(mine, resolved=None, by="customer")
        assert await conversations.take_by_transcript(DIGEST) is None


class TestFeedback:
    async def test_a_turn_of_another_conversation_cant_be_rated(
        self, conversations: Conversations, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        mine, other = await start(conversations), await start(conversations)
        turn_id = new_id(fixed_clock)
        await store_turn(database, mine, turn_id, fixed_clock.now())
        await conversations.feedback(mine, turn_id=turn_id, thumb="up")
        with pytest.raises(TurnNotFound, match="no turn"):
            await conversations.feedback(other, turn_id=turn_id, thumb="down")
        async with database.read() as session:
            rows = await session.all("select conversation_id, thumb from feedback")
        assert rows == [(mine, "up")]

    async def test_a_conversation_that_is_erased_meanwhile_isnt_there(
        self, conversations: Conversations, database: PooledDatabase
    ) -> None:
        gone = await start(conversations)
        async with database.write() as session:
            await session.execute("delete from conversation where id = %s", (gone,))
            rating = asyncio.create_task(conversations.feedback(gone, csat=5, comment="well done"))
            await until_blocked(database)
        with pytest.raises(ConversationNotFound, match="no conversation"):
            await rating


async def until_blocked(database: PooledDatabase) -> None:
    """Return once somebody waits for a row that another transaction holds."""
    while True:
        async with database.read() as session:
            if await session.one("select 1 from pg_locks where not granted"):
                return
