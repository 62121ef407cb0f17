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
    ConversationId,
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
    async def voice(
        self,
        database: PooledDatabase,
        clock: FixedClock,
        vault: Vault,
        conversations: Conversations,
        claims: dict[str, str],
    ) -> tuple[Voice, ConversationId]:
        """Start a conversation whose turn is under way."""
        started = await conversations.start(
            assistant="northline",
            channel="web",
            customer=Customer("priya", bool(claims), claims),
            locale=None,
        )
        conversation, turn_id = started.conversation, TurnId(new_id(clock))
        async with database.write() as session:
            await session.execute(
                "update conversation set turn_id = %s where id = %s", (turn_id, conversation.id)
            )
            key = await vault.key_for(session, conversation.customer_id)
        received = Received(
            replace(conversation, turn_id=turn_id), turn_id, MessageId(new_id(clock)), "yes", 0, key,
            (), None, claims, 0,
        )  # fmt: skip
        voice = Voice(received, database=database, vault=vault, clock=clock, detector=Detector())
        return voice, conversation.id

    async def test_personal_data_in_a_question_stays_in_the_vault(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        voice, conversation_id = await self.voice(database, fixed_clock, vault, conversations, {})
        await voice.say(
            ASKED, (ActionChanged("contact", ActionState.CONFIRMING, ASKED), Question(None, ASKED))
        )

        (seen_by_staff,) = await conversations.transcript(conversation_id)
        assert "joel@mail.example" not in repr(seen_by_staff)
        assert Question(None, "Shall I write to [EMAIL_1]?") in seen_by_staff.events
        (told,) = await conversations.messages(conversation_id)
        assert told.text == ASKED
        assert Question(None, ASKED) in told.events
        assert ActionChanged("contact", ActionState.CONFIRMING, ASKED) in told.events

    async def test_a_signed_in_customers_own_values_are_masked_wherever_they_stand(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        claims = {"name": "Priya Nair", "account": "NL-204816"}
        voice, conversation_id = await self.voice(database, fixed_clock, vault, conversations, claims)
        await voice.say("Hello Priya, I found nl 204816.")
        (seen_by_staff,) = await conversations.transcript(conversation_id)
        assert seen_by_staff.text == "Hello [NAME_1], I found [ACCOUNT_1]."

    async def test_verified_words_tell_the_customer_what_their_tokens_stand_for(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        voice, conversation_id = await self.voice(database, fixed_clock, vault, conversations, {})
        await voice.say(ASKED)
        await voice.say(" I may call 020 7946 0018.", verified="Your address is [EMAIL_1].", separator="")
        told = (await conversations.messages(conversation_id))[-1].text
        assert told.endswith("Your address is joel@mail.example. I may call 020 7946 0018.")
        seen_by_staff = (await conversations.transcript(conversation_id))[-1].text
        assert seen_by_staff.endswith("Your address is [EMAIL_1]. I may call [PHONE_1].")
