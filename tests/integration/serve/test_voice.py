"""The assistant says what it may: masked, in order, and only while its turn has the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Citation,
    ConversationId,
    Customer,
    MessageId,
    Question,
    TurnId,
)
from steward.serve.conversations.service import Conversations
from steward.serve.turn.receive import Received
from steward.serve.turn.voice import LeaseLost, Voice

ASKED = "Shall I write to joel@mail.example?"


CITED = Citation(1, "refunds.md", "p1", "Refunds", None)
Speaker = Callable[..., Awaitable[tuple[Voice, ConversationId]]]
TAKEN = (
    "update conversation set speaker = 'human', epoch = epoch + 1 where id = %s",
    "update conversation set epoch = epoch + 1 where id = %s",
    "update conversation set turn_id = null where id = %s",
    "update conversation set turn_id = gen_random_uuid() where id = %s",
    "update conversation set state = 'closed' where id = %s",
    "delete from conversation where id = %s",
)
"""Ways in which a turn loses the lease."""
SAYINGS = (("", "Words."), ("Words.", ""))
"""One statement, and a transaction of several."""


@pytest.fixture
def speaking(
    database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
) -> Speaker:
    """Starts a conversation whose turn is under way."""
    clock = fixed_clock

    async def start(**claims: str) -> tuple[Voice, ConversationId]:
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

    return start


async def until_somebody_waits(database: PooledDatabase) -> None:
    """Return once a session waits for a lock."""
    async with asyncio.timeout(5), database.read() as session:
        while await session.one("select from pg_locks where not granted") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def stored(database: PooledDatabase) -> list[tuple[int, str]]:
    """Return the places and roles of all messages."""
    async with database.read() as session:
        return [(row[0], row[1]) for row in await session.all("select seq, role from message order by seq")]


class TestLease:
    async def test_what_is_said_stands_in_order(
        self, database: PooledDatabase, conversations: Conversations, speaking: Speaker
    ) -> None:
        voice, conversation_id = await speaking()
        await voice.say(verified="One.")
        await voice.say("Two.", verified="")
        await voice.say(verified="Three.", events=(CITED,))
        assert await stored(database) == [(1, "assistant"), (2, "assistant"), (3, "assistant")]
        told = await conversations.messages(conversation_id)
        assert [(message.text, message.events) for message in told] == [("One. Two. Three.", (CITED,))]

    @pytest.mark.parametrize("taken", TAKEN)
    @pytest.mark.parametrize(("text", "verified"), SAYINGS)
    async def test_is_needed(
        self, database: PooledDatabase, speaking: Speaker, taken: str, text: str, verified: str
    ) -> None:
        voice, conversation_id = await speaking()
        async with database.write() as session:
            await session.execute(taken, (conversation_id,))
        with pytest.raises(LeaseLost):
            await voice.say(text, verified=verified)
        assert (await stored(database), voice.said) == ([], "")

    @pytest.mark.parametrize("taken", TAKEN)
    @pytest.mark.parametrize(("text", "verified"), SAYINGS)
    async def test_is_looked_at_again_after_waiting_for_whoever_takes_it(
        self, database: PooledDatabase, speaking: Speaker, taken: str, text: str, verified: str
    ) -> None:
        voice, conversation_id = await speaking()
        async with database.write() as session:
            await session.execute(taken, (conversation_id,))
            saying = asyncio.create_task(voice.say(text, verified=verified))
            await until_somebody_waits(database)
            assert not saying.done()
        with pytest.raises(LeaseLost):
            await saying
        assert await stored(database) == []


class TestSay:
    async def test_personal_data_in_a_question_stays_in_the_vault(
        self, conversations: Conversations, speaking: Speaker
    ) -> None:
        voice, conversation_id = await speaking()
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
        self, conversations: Conversations, speaking: Speaker
    ) -> None:
        claims = {"name": "Priya Nair", "account": "NL-204816"}
        voice, conversation_id = await speaking(**claims)
        await voice.say("Hello Priya, I found nl 204816.")
        (seen_by_staff,) = await conversations.transcript(conversation_id)
        assert seen_by_staff.text == "Hello [NAME_1], I found [ACCOUNT_1]."

    async def test_verified_words_tell_the_customer_what_their_tokens_stand_for(
        self, conversations: Conversations, speaking: Speaker
    ) -> None:
        voice, conversation_id = await speaking()
        await voice.say(ASKED)
        await voice.say(" I may call 020 7946 0018.", verified="Your address is [EMAIL_1].", separator="")
        told = (await conversations.messages(conversation_id))[-1].text
        assert told.endswith("Your address is joel@mail.example. I may call 020 7946 0018.")
        seen_by_staff = (await conversations.transcript(conversation_id))[-1].text
        assert seen_by_staff.endswith("Your address is [EMAIL_1]. I may call [PHONE_1].")
