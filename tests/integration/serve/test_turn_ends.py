"""A turn's end: one statement stores all of it, or nothing where the turn has lost the lease."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf, nan
from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Row
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Conversation, Customer, MessageRole, TurnId
from steward.serve.conversations.queries import Lease, NewMessage, lock_conversation
from steward.serve.conversations.service import Conversations
from steward.serve.conversations.speech import say, sealed
from steward.serve.conversations.turn_ends import Settled, end_silently, end_turn
from steward.serve.conversations.turn_records import TurnRow, select_turn

AT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


class Scene:
    """A conversation whose first message is being answered."""

    def __init__(self, database: PooledDatabase, clock: FixedClock, key: CustomerKey) -> None:
        self.database = database
        self.clock = clock
        self.key = key

    async def begin(self, conversation: Conversation) -> None:
        turn_id = TurnId(new_id(self.clock))
        async with self.database.write() as session:
            locked = await lock_conversation(session, conversation.id)
            assert locked is not None
            message_id = await say(
                session, locked, key=self.key, clock=self.clock, role=MessageRole.CUSTOMER, text="Hi", seq=1,
                turn_id=turn_id, pending=True, holder=7,
            )  # fmt: skip
        self.lease = Lease(conversation.id, turn_id, conversation.epoch)
        self.settled = Settled(message_id, 2, "billing", "refund_status")
        self.row = TurnRow(
            id=turn_id, conversation_id=conversation.id, message_id=message_id, release_id="r1",
            assistant="northline", arm="baseline", channel="web", simulated=False, outcome="answered",
            reason='quoted "by" \\ hand', intent="refund_status", confidence=0.5, in_scope=0.25,
            out_of_scope=False, category="billing", risk="low", override=False, guard_rule=None,
            guard_score=None, masked_count=4, evidence=0.75, passages=["a, b", "{c}", 'd"e', "ünï\u2028"],
            cited=[], model="main", route=None, workflow=None, workflow_run_id=UUID(int=7),
            sentences_sent=1, sentences_dropped=0, resumed=True, prompt_tokens=800, completion_tokens=None,
            cost=Decimal("0.00012345"), currency="GBP", receive_ms=1.5, mask_ms=None, understand_ms=0.0,
            guard_ms=1e-3, retrieve_ms=1.0, generate_ms=1.0, verify_ms=1.0, act_ms=1.0, record_ms=1.0,
            first_token_ms=1.0, total_ms=9.0, decisions=bytes(range(256)), started_at=AT,
            finished_at=AT + timedelta(seconds=1), rollout_id=None, answerable=0.5, decision="answer",
            expected_cost=0.125,
        )  # fmt: skip

    def words(self, text: str) -> NewMessage:
        role = MessageRole.ASSISTANT
        return sealed(self.key, self.clock, role=role, text=text, turn_id=self.lease.turn_id)

    async def end(self, last: NewMessage | None, *, settled: Settled | None = None) -> bool:
        async with self.database.write_once() as session:
            return await end_turn(session, self.lease, self.row, settled or self.settled, last)

    async def state(self) -> Row | None:
        async with self.database.read() as session:
            return await session.one(
                "select turn_id, turn_holder, asked_back, category, intent, next_seq from conversation"
            )

    async def messages(self) -> list[Row]:
        async with self.database.read() as session:
            return await session.all("select seq, role, pending from message order by seq")

    async def turn(self) -> TurnRow | None:
        async with self.database.read() as session:
            return await select_turn(session, self.lease.turn_id)


@pytest.fixture
async def scene(
    database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
) -> Scene:
    customer = Customer("priya", False, {})
    started = await conversations.start(assistant="northline", channel="web", customer=customer, locale=None)
    async with database.read() as session:
        key = await vault.key_for(session, started.conversation.customer_id)
    scene = Scene(database, fixed_clock, key)
    await scene.begin(started.conversation)
    return scene


class TestEndTurn:
    async def test_stores_words_row_and_state_together(self, scene: Scene) -> None:
        assert await scene.end(scene.words("Hello."))
        assert await scene.messages() == [(1, "customer", False), (2, "assistant", False)]
        assert await scene.state() == (None, None, 2, "billing", "refund_status", 3)
        assert await scene.turn() == scene.row

    async def test_stores_what_json_has_no_number_for(self, scene: Scene) -> None:
        scene.row = replace(scene.row, evidence=inf, answerable=nan)
        assert await scene.end(None)
        stored = await scene.turn()
        assert stored is not None
        assert (stored.evidence, str(stored.answerable)) == (inf, "nan")

    async def test_needs_no_words(self, scene: Scene) -> None:
        assert await scene.end(None)
        assert await scene.messages() == [(1, "customer", False)]
        assert await scene.state() == (None, None, 2, "billing", "refund_status", 2)

    async def test_the_first_matter_stays(self, scene: Scene) -> None:
        async with scene.database.write() as session:
            await session.execute("update conversation set category = 'account', intent = 'password'")
        assert await scene.end(None)
        state = await scene.state()
        assert state is not None
        assert state[3:5] == ("account", "password")

    async def test_a_message_that_names_no_matter_leaves_none(self, scene: Scene) -> None:
        assert await scene.end(None, settled=replace(scene.settled, category=None, intent=None))
        state = await scene.state()
        assert state is not None
        assert state[3:5] == (None, None)

    async def test_stores_nothing_without_the_lease(self, scene: Scene) -> None:
        async with scene.database.write() as session:
            await session.execute("update conversation set speaker = 'human', epoch = epoch + 1")
        before = await scene.state()
        assert not await scene.end(scene.words("Hello."))
        assert await scene.messages() == [(1, "customer", True)]
        assert (await scene.state(), await scene.turn()) == (before, None)

    async def test_happens_once(self, scene: Scene) -> None:
        assert await scene.end(scene.words("Hello."))
        assert not await scene.end(scene.words("Hello again."))
        assert len(await scene.messages()) == 2


class TestEndSilently:
    async def test_stores_the_row_whoever_has_the_lease(self, scene: Scene) -> None:
        async with scene.database.write() as session:
            await session.execute("update conversation set speaker = 'human', turn_id = null")
            await end_silently(session, scene.row, scene.settled)
        assert await scene.messages() == [(1, "customer", False)]
        assert await scene.turn() == scene.row
