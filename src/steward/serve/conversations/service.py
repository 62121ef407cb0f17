"""Conversations: starting, reading, following, rating and closing them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession
from steward.base.ids import new_id
from steward.govern.privacy.contracts import Purpose
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.claims import claims_of, seal_claims
from steward.serve.conversations.contracts import (
    ActionChanged,
    Conversation,
    ConversationId,
    Customer,
    Event,
    HandedOver,
    Message,
    MessageRole,
    Question,
    Speaker,
)
from steward.serve.conversations.errors import ConversationNotFound, TurnNotFound
from steward.serve.conversations.following import Followers
from steward.serve.conversations.queries import (
    SealedMessage,
    insert_conversation,
    lock_conversation,
    select_conversation,
    select_messages,
)
from steward.serve.conversations.speech import open_body, open_events
from steward.serve.conversations.turn_records import has_turn

FOLLOW_EVERY_S = 5.0
"""How often a follower looks again without being woken: bounds the delay of a lost notification."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a conversation starts with, as the serving release says it."""

    release_id: str
    assistant_title: str
    greeting: str


class Openings(Protocol):
    """Knows which release new conversations of an assistant start on."""

    async def opening(
        self, assistant: str, *, simulated: bool = False, release_id: str | None = None
    ) -> Opening:
        """Return the opening of a lane or a release; raises NotFound for an assistant that isn't served."""
        ...


@dataclass(frozen=True, slots=True)
class Started:
    """A fresh conversation and the words it opens with."""

    conversation: Conversation
    greeting: str
    assistant_title: str


class Conversations:
    """The service; built once by the composition root."""

    def __init__(
        self, *, database: Database, vault: Vault, clock: Clock, openings: Openings, followers: Followers
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._openings = openings
        self._followers = followers

    async def start(
        self,
        *,
        assistant: str,
        channel: str,
        customer: Customer,
        locale: str | None,
        simulated: bool = False,
        release_id: str | None = None,
    ) -> Started:
        """Open a conversation for a customer and return it with its greeting.

        With a `release_id` it is pinned: that release answers it, and no rollout takes it.
        """
        opening = await self._openings.opening(assistant, simulated=simulated, release_id=release_id)
        now = self._clock.now()
        async with self._database.write() as session:
            customer_id = await self._vault.open_customer(
                session, reference=customer.reference, verified=customer.verified
            )
            claims = None
            if customer.claims:
                key = await self._vault.key_for(session, customer_id)
                claims = seal_claims(customer.claims, key)
            conversation = Conversation(
                id=ConversationId(new_id(self._clock)),
                customer_id=customer_id,
                assistant=assistant,
                release_id=opening.release_id,
                arm="baseline",
                channel=channel,
                locale=locale,
                verified=customer.verified,
                simulated=simulated,
                state="open",
                speaker=Speaker.ASSISTANT,
                speaker_account=None,
                epoch=0,
                turn_id=None,
                category=None,
                intent=None,
                opened_at=now,
                last_at=now,
                closed_at=None,
                resolved=None,
                pinned=release_id is not None,
            )
            await insert_conversation(session, conversation, claims)
        return Started(conversation, opening.greeting, opening.assistant_title)

    async def get(self, conversation_id: UUID) -> Conversation:
        """Return a conversation.

        Raises:
            ConversationNotFound: there is none with this id.
        """
        async with self._database.read() as session:
            return await self._get(session, conversation_id)

    async def claims(self, session: ReadSession, conversation: Conversation) -> dict[str, str]:
        """Return the claims of the verified customer, empty for anyone else."""
        return await claims_of(session, conversation, self._vault)

    async def messages(self, conversation_id: UUID, *, after: int = 0) -> tuple[Message, ...]:
        """Return what was said behind a place, in the customer's own words."""
        async with self._database.read() as session:
            conversation = await self._get(session, conversation_id)
            masked = await self._masked(session, conversation, after=after)
            return tuple([await self._restored(session, conversation, message) for message in masked])

    async def transcript(self, conversation_id: UUID, *, after: int = 0) -> tuple[Message, ...]:
        """Return what was said with personal data masked, as staff see it."""
        async with self._database.read() as session:
            conversation = await self._get(session, conversation_id)
            return await self._masked(session, conversation, after=after)

    async def follow(
        self, conversation_id: UUID, *, after: int
    ) -> AsyncIterator[Message | HandedOver | ActionChanged]:
        """Yield what reaches the customer without being a turn's answer: humans, notices, queue changes."""
        place = after
        with self._followers.waiting_for(conversation_id) as news:
            while True:
                news.clear()
                for message in await self.messages(conversation_id, after=place):
                    place = max(place, message.seq)
                    if message.turn_id is not None or message.role is MessageRole.CUSTOMER:
                        continue
                    for event in message.events:
                        if isinstance(event, HandedOver | ActionChanged):
                            yield event
                    if message.text:
                        yield message
                try:
                    await asyncio.wait_for(news.wait(), FOLLOW_EVERY_S)
                except TimeoutError:
                    continue

    async def feedback(
        self,
        conversation_id: UUID,
        *,
        csat: int | None = None,
        turn_id: UUID | None = None,
        thumb: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Store a survey answer or a thumb; a later answer replaces an earlier one.

        Raises:
            ConversationNotFound: there is none with this id.
            TurnNotFound: the conversation has no such turn.
        """
        async with self._database.write() as session:
            # Locked, so that it isn't erased between here and the insert.
            locked = await lock_conversation(session, conversation_id)
            if locked is None:
                raise ConversationNotFound(conversation_id)
            if turn_id is not None and not await has_turn(session, conversation_id, turn_id):
                raise TurnNotFound(turn_id)
            key = await self._vault.key_for(session, locked.conversation.customer_id)
            sealed = key.seal(comment, "feedback.comment") if comment else None
            target = (
                "(conversation_id) where csat is not null" if csat else "(turn_id) where thumb is not null"
            )
            await session.execute(
                f"""insert into feedback (id, conversation_id, turn_id, csat, thumb, comment_sealed, at)
                    values (%s, %s, %s, %s, %s, %s, %s)
                    on conflict {target} do update
                    set csat = excluded.csat, thumb = excluded.thumb, at = excluded.at,
                        comment_sealed = coalesce(excluded.comment_sealed, feedback.comment_sealed)""",
                (new_id(self._clock), conversation_id, turn_id, csat, thumb, sealed, self._clock.now()),
            )

    async def close(self, conversation_id: UUID, *, resolved: bool | None, by: str) -> None:
        """End a conversation; closing a closed one only adds what wasn't known."""
        async with self._database.write() as session:
            locked = await lock_conversation(session, conversation_id)
            if locked is None:
                raise ConversationNotFound(conversation_id)
            await session.execute(
                """update conversation
                   set state = 'closed', closed_at = coalesce(closed_at, %s),
                       closed_by = coalesce(closed_by, %s),
                       resolved = coalesce(%s, resolved)
                   where id = %s""",
                (self._clock.now(), by, resolved, conversation_id),
            )
            await session.execute(
                "update handover set ended_at = %s where conversation_id = %s and ended_at is null",
                (self._clock.now(), conversation_id),
            )

    async def belongs_to(self, conversation_id: UUID, reference: str) -> bool:
        """Tell whether a conversation is that of the verified customer with this reference."""
        async with self._database.read() as session:
            owner = await self._vault.find_verified(session, reference)
            return owner is not None and (await self._get(session, conversation_id)).customer_id == owner

    async def take_by_transcript(self, digest: bytes) -> ConversationId | None:
        """Return the open conversation whose transcript so far has this digest, once.

        Two customers of one client may have said and heard the same words so far. The digest goes with
        the conversation, so that their next messages don't meet in it.
        """
        async with self._database.write() as session:
            row = await session.one(
                """update conversation set transcript = null where id = (
                       select id from conversation where transcript = %s and state = 'open'
                       order by last_at desc limit 1 for update skip locked)
                   returning id""",
                (digest,),
            )
        return None if row is None else ConversationId(row[0])

    async def remember_transcript(self, conversation_id: UUID, digest: bytes) -> None:
        """Note the digest of the transcript that the client has seen."""
        async with self._database.write() as session:
            await session.execute(
                "update conversation set transcript = %s where id = %s", (digest, conversation_id)
            )

    async def _get(self, session: ReadSession, conversation_id: UUID) -> Conversation:
        conversation = await select_conversation(session, conversation_id)
        if conversation is None:
            raise ConversationNotFound(conversation_id)
        return conversation

    async def _masked(
        self, session: ReadSession, conversation: Conversation, *, after: int
    ) -> tuple[Message, ...]:
        sealed = await select_messages(session, conversation.id, after=after)
        key = await self._vault.key_for(session, conversation.customer_id)
        return merge_parts(sealed, key)

    async def _restored(self, session: ReadSession, conversation: Conversation, message: Message) -> Message:
        async def own_words(text: str) -> str:
            return await self._vault.unmask(
                session, conversation.customer_id, text, purpose=Purpose.OWN_WORDS, actor="customer"
            )

        events: list[Event] = []
        for event in message.events:
            match event:
                case Question():
                    events.append(replace(event, text=await own_words(event.text)))
                case ActionChanged():
                    events.append(replace(event, summary=await own_words(event.summary)))
                case _:
                    events.append(event)
        return replace(message, text=await own_words(message.text), events=tuple(events))


def merge_parts(sealed: Iterable[SealedMessage], key: CustomerKey) -> tuple[Message, ...]:
    """Open messages and join the assistant's parts of one turn into one message."""
    merged: list[Message] = []
    for item in sealed:
        text, events = open_body(item, key), open_events(item, key)
        last = merged[-1] if merged else None
        if (
            last is not None
            and item.turn_id is not None
            and last.turn_id == item.turn_id
            and last.role is item.role is MessageRole.ASSISTANT
        ):
            merged[-1] = replace(last, seq=item.seq, text=last.text + text, events=last.events + events)
        else:
            merged.append(Message(item.id, item.seq, item.role, text, item.at, item.turn_id, events))
    return tuple(merged)
