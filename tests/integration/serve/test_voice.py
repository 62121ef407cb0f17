"""What the assistant says is stored masked, questions too, and told in the customer's own words."""

from __future__ import annotations

from dataclasses import replace

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Customer,
    MessageId,
    Question,
    TurnId,
)
from steward.serve.conversations.service import Conversations
from steward.serve.turn.receive import Received
from steward.serve.turn.voice import Voice

ASKED = "Shall I write to joel@mail.example?"


class TestSay:
    async def test_personal_data_in_a_question_stays_in_the_vault(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        started = await conversations.start(
            assistant="northline", channel="web", customer=Customer(None, False, {}), locale=None
        )
        conversation, turn_id = started.conversation, TurnId(new_id(fixed_clock))
        async with database.write() as session:
            await session.execute(
                "update conversation set turn_id = %s where id = %s", (turn_id, conversation.id)
            )
            key = await vault.key_for(session, conversation.customer_id)
        received = Received(
            replace(conversation, turn_id=turn_id), turn_id, MessageId(new_id(fixed_clock)), "yes", 0, key,
            (), None, {}, 0,
        )  # fmt: skip
        voice = Voice(received, database=database, vault=vault, clock=fixed_clock, detector=Detector())
        await voice.say(
            ASKED, (ActionChanged("contact", ActionState.CONFIRMING, ASKED), Question(None, ASKED))
        )

        (seen_by_staff,) = await conversations.transcript(conversation.id)
        assert "joel@mail.example" not in repr(seen_by_staff)
        assert Question(None, "Shall I write to [EMAIL_1]?") in seen_by_staff.events
        (told,) = await conversations.messages(conversation.id)
        assert told.text == ASKED
        assert Question(None, ASKED) in told.events
        assert ActionChanged("contact", ActionState.CONFIRMING, ASKED) in told.events
