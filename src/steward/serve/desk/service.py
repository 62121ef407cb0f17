"""The desk: who waits, taking over, replying, giving back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.claims import claims_of
from steward.serve.conversations.contracts import (
    ConversationId,
    HandedOver,
    Message,
    MessageRole,
    Speaker,
)
from steward.serve.conversations.errors import ConversationClosed, ConversationNotFound, NotTheSpeaker
from steward.serve.conversations.following import Followers
from steward.serve.conversations.queries import Locked, lock_conversation
from steward.serve.conversations.speech import say
from steward.serve.desk.errors import AlreadyTaken
from steward.serve.desk.introducing import own_names
from steward.serve.desk.requests import Waiting, select_waiting

Silence = Callable[[UUID], Awaitable[None]]
"""Ends the assistant's running turn of a conversation and returns once nothing more is delivered."""


class DeskTexts(Protocol):
    """What the release of a conversation says around a hand-over, and how it masks."""

    async def give_back_text(self, release_id: str) -> str:
        """Return the sentence said when the assistant has the word again."""
        ...

    async def detector(self, release_id: str) -> Detector:
        """Return the release's masking rules."""
        ...


class Desk:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        ledger: Ledger,
        clock: Clock,
        texts: DeskTexts,
        followers: Followers,
        silence: Silence,
    ) -> None:
        self._database = database
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._texts = texts
        self._followers = followers
        self._silence = silence

    async def waiting(self, *, categories: frozenset[str] | None = None) -> tuple[Waiting, ...]:
        """Return who waits for a human, the most pressing first: all, or those of categories."""
        async with self._database.read() as session:
            return await select_waiting(session, categories=categories)

    async def held_by(self, account_id: UUID) -> tuple[ConversationId, ...]:
        """Return the open conversations in which this member of staff holds the word."""
        async with self._database.read() as session:
            rows = await session.all(
                """select id from conversation where speaker_account = %s and state = 'open'
                   order by last_at desc""",
                (account_id,),
            )
        return tuple(ConversationId(row[0]) for row in rows)

    async def take_over(self, conversation_id: UUID, *, account_id: UUID) -> None:
        """Give the word to a human. When this returns, the assistant has said its last sentence.

        Raises:
            AlreadyTaken: another human holds it.
            ConversationClosed: it has ended.
        """
        async with self._database.write() as session:
            locked = await self._lock(session, conversation_id)
            holder = locked.conversation.speaker_account
            if locked.conversation.speaker is Speaker.HUMAN:
                if holder != account_id:
                    raise AlreadyTaken(conversation_id)
                return
            await session.execute(
                """update conversation set speaker = 'human', speaker_account = %s, epoch = epoch + 1
                   where id = %s""",
                (account_id, conversation_id),
            )
            await session.execute(
                """update handover set taken_at = %s, taken_by = %s
                   where conversation_id = %s and ended_at is null""",
                (self._clock.now(), account_id, conversation_id),
            )
            await self._record(session, "conversation.taken_over", account_id, conversation_id)
        await self._silence(conversation_id)
        self._followers.wake(conversation_id)

    async def reply(self, conversation_id: UUID, text: str, *, account_id: UUID) -> Message:
        """Say something as the human who holds the word.

        Raises:
            NotTheSpeaker: this member of staff doesn't hold it.
            ConversationClosed: the customer has ended it.
        """
        async with self._database.write() as session:
            locked = await self._lock(session, conversation_id)
            self._require_word(locked, account_id)
            detector = await self._texts.detector(locked.conversation.release_id)
            customer_id = locked.conversation.customer_id
            claims = await claims_of(session, locked.conversation, self._vault)
            masked = await self._vault.mask(
                session, customer_id, text, detector=detector, known=tuple(claims.items()),
                not_theirs=own_names(text, claims),
            )  # fmt: skip
            message_id = await say(
                session,
                locked,
                key=await self._vault.key_for(session, customer_id),
                clock=self._clock,
                role=MessageRole.HUMAN,
                text=masked.text,
                seq=locked.next_seq,
                account_id=account_id,
                announce=True,
            )
        return Message(message_id, locked.next_seq, MessageRole.HUMAN, masked.text, self._clock.now(), None)

    async def give_back(self, conversation_id: UUID, *, account_id: UUID) -> None:
        """Give the word back to the assistant and tell the customer so."""
        async with self._database.write() as session:
            locked = await self._lock(session, conversation_id)
            self._require_word(locked, account_id)
            await session.execute(
                """update conversation
                   set speaker = 'assistant', speaker_account = null, epoch = epoch + 1, asked_back = 0
                   where id = %s""",
                (conversation_id,),
            )
            await session.execute(
                "update handover set ended_at = %s where conversation_id = %s and ended_at is null",
                (self._clock.now(), conversation_id),
            )
            await say(
                session,
                locked,
                key=await self._vault.key_for(session, locked.conversation.customer_id),
                clock=self._clock,
                role=MessageRole.SYSTEM,
                text=await self._texts.give_back_text(locked.conversation.release_id),
                seq=locked.next_seq,
                events=(HandedOver(queue="assistant", reason="given_back", position=None),),
                announce=True,
            )
            await self._record(session, "conversation.given_back", account_id, conversation_id)

    async def _lock(self, session: WriteSession, conversation_id: UUID) -> Locked:
        locked = await lock_conversation(session, conversation_id)
        if locked is None:
            raise ConversationNotFound(conversation_id)
        if locked.conversation.state == "closed":
            raise ConversationClosed(conversation_id)
        return locked

    def _require_word(self, locked: Locked, account_id: UUID) -> None:
        conversation = locked.conversation
        if conversation.speaker is not Speaker.HUMAN or conversation.speaker_account != account_id:
            raise NotTheSpeaker(conversation.id, conversation.speaker.value)

    async def _record(self, session: WriteSession, deed: str, account_id: UUID, subject: UUID) -> None:
        await self._ledger.append(
            session,
            Entry(actor=f"account:{account_id}", deed=deed, subject=f"conversation:{subject}", details={}),
        )
