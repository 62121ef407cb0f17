"""Nobody speaks in a conversation that has ended."""

from __future__ import annotations

from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Customer
from steward.serve.conversations.errors import ConversationClosed
from steward.serve.conversations.following import Followers
from steward.serve.conversations.service import Conversations
from steward.serve.desk.service import Desk


class Texts:
    """What a release says around a hand-over."""

    async def give_back_text(self, release_id: str) -> str:
        return "It's me again."

    async def detector(self, release_id: str) -> Detector:
        return Detector()


async def nothing_to_silence(conversation_id: UUID) -> None:
    """No turn runs."""


class TestDesk:
    async def test_the_customers_end_is_the_end(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        desk = Desk(
            database=database,
            vault=vault,
            ledger=Ledger(fixed_clock),
            clock=fixed_clock,
            texts=Texts(),
            followers=Followers(),
            silence=nothing_to_silence,
        )
        account_id = new_id(fixed_clock)
        async with database.write() as session:
            await session.execute(
                """insert into account (id, login, name, role, created_at)
                   values (%s, 'al', 'Al', 'agent', %s)""",
                (account_id, fixed_clock.now()),
            )
        started = await conversations.start(
            assistant="northline", channel="web", customer=Customer(None, False, {}), locale=None
        )
        conversation_id = started.conversation.id
        await desk.take_over(conversation_id, account_id=account_id)
        await desk.reply(conversation_id, "Hello.", account_id=account_id)
        await conversations.close(conversation_id, resolved=None, by="customer")
        with pytest.raises(ConversationClosed, match="closed"):
            await desk.reply(conversation_id, "Late.", account_id=account_id)
        with pytest.raises(ConversationClosed, match="closed"):
            await desk.give_back(conversation_id, account_id=account_id)
        assert [message.text for message in await conversations.messages(conversation_id)] == ["Hello."]
