"""The assistant's voice: words are committed under the lease before their bytes leave.

Each `say` is one transaction that takes the conversation's row lock, checks that the assistant
still holds the word in the same epoch and that this turn is the conversation's turn, and stores the
words at their place. A take-over takes the same lock, so its commit is the boundary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    Delta,
    Event,
    MessageRole,
    Question,
    Speaker,
)
from steward.serve.conversations.queries import Locked, lock_conversation
from steward.serve.conversations.speech import say
from steward.serve.turn.receive import Received
from steward.serve.turn.running import speaking


class WordLost(Exception):
    """Somebody else holds the word now; the turn says nothing more."""


InSameCommit = Callable[[WriteSession], Awaitable[None]]
EventsBefore = Callable[[WriteSession], Awaitable[tuple[Event, ...]]]


class Voice:
    """Says one turn's words."""

    def __init__(
        self, received: Received, *, database: Database, vault: Vault, clock: Clock, detector: Detector
    ) -> None:
        self._received = received
        self._database = database
        self._vault = vault
        self._clock = clock
        self._detector = detector
        self.said = "".join(received.sent)

    async def say(
        self,
        text: str = "",
        events: Sequence[Event] = (),
        *,
        verified: str = "",
        separator: str = " ",
        before: EventsBefore | None = None,
        together: InSameCommit | None = None,
    ) -> tuple[Event, ...]:
        """Commit words and return the events to deliver: their delta, then `events`.

        Args:
            text: what to say; personal values in it are masked before they are stored.
            verified: what is said before `text`, stored as it is. Verification has looked for personal data
                in it, and its tokens are the customer's own.
            events: citations, questions and the like, masked and stored beside the words.
            separator: what stands between these words and those before them.
            before: gives more events, once the lock is held and before the words are stored.
            together: more to do in the same transaction, under the same lock.

        Raises:
            WordLost: a human took over, or the turn was ended; nothing was stored.
        """
        with speaking():
            delivered = await self._commit(verified, text, events, separator, before, together)
        self.said += "".join(event.text for event in delivered if isinstance(event, Delta))
        return delivered

    async def _commit(
        self,
        verified: str,
        text: str,
        events: Sequence[Event],
        separator: str,
        before: EventsBefore | None,
        together: InSameCommit | None,
    ) -> tuple[Event, ...]:
        async with self._database.write() as session:
            locked = await self._lock(session)
            more = await before(session) if before is not None else ()
            masked = verified + (await self._masked(session, text) if text else "")
            delivered = await self._store(session, locked, masked, (*events, *more), separator)
            if together is not None:
                await together(session)
        return delivered

    async def _lock(self, session: WriteSession) -> Locked:
        locked = await lock_conversation(session, self._received.conversation.id)
        mine = self._received.conversation
        if (
            locked is None
            or locked.conversation.speaker is not Speaker.ASSISTANT
            or locked.conversation.epoch != mine.epoch
            or locked.conversation.turn_id != self._received.turn_id
            or locked.conversation.state != "open"
        ):
            raise WordLost
        return locked

    async def _store(
        self, session: WriteSession, locked: Locked, masked: str, events: Sequence[Event], separator: str
    ) -> tuple[Event, ...]:
        if not masked and not events:
            return ()
        events = [await self._masked_event(session, event) for event in events]
        words = f"{separator}{masked}" if self.said and masked else masked
        await say(
            session,
            locked,
            key=self._received.key,
            clock=self._clock,
            role=MessageRole.ASSISTANT,
            text=words,
            seq=locked.next_seq,
            events=events,
            turn_id=self._received.turn_id,
        )
        return (Delta(words), *events) if words else tuple(events)

    async def _masked_event(self, session: WriteSession, event: Event) -> Event:
        match event:
            case Question():
                return replace(event, text=await self._masked(session, event.text))
            case ActionChanged():
                return replace(event, summary=await self._masked(session, event.summary))
            case _:
                return event

    async def _masked(self, session: WriteSession, text: str) -> str:
        mine = self._received
        masked = await self._vault.mask(
            session,
            mine.conversation.customer_id,
            text,
            detector=self._detector,
            known=tuple(mine.claims.items()),
        )
        return masked.text
