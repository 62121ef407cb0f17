"""The assistant's voice: words are committed under the lease before their bytes leave.

Each `say` is one transaction that takes the conversation's row lock, checks that the assistant
still holds the word in the same epoch and that this turn is the conversation's turn, and stores the
words at their place. Words alone, verified ones, are one statement. A take-over takes the same lock, so its
commit is the boundary.
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
)
from steward.serve.conversations.queries import Lease, NewMessage, hold_lease, speak
from steward.serve.conversations.speech import sealed
from steward.serve.turn.receive import Received
from steward.serve.turn.running import speaking


class LeaseLost(Exception):
    """Somebody else holds the word now; the turn says nothing more."""


InSameCommit = Callable[[WriteSession], Awaitable[None]]
LastWords = Callable[[WriteSession, Lease, NewMessage | None], Awaitable[bool]]
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
        mine = received.conversation
        self._lease = Lease(mine.id, received.turn_id, mine.epoch)
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
        last: LastWords | None = None,
    ) -> tuple[Event, ...]:
        """Commit words and return the events to deliver: their delta, then `events`.

        Args:
            text: what to say; personal values in it are masked before they are stored.
            verified: what is said before `text`, stored as it is. Verification has looked for personal data
                in it, and its tokens are the customer's own.
            events: citations, questions and the like, masked and stored beside the words.
            separator: what stands between these words and those before them.
            before: gives more events, once the lock is held and before the words are stored.
            together: more to do in the same transaction, under the same lock, before the words are stored.
            last: stores the words, if there are any, with what ends the turn; tells whether it had the word.

        Raises:
            LeaseLost: a human took over, or the turn was ended; nothing was stored.
        """
        several = bool(text) or before is not None or together is not None or any(map(_holds_words, events))
        with speaking():
            async with self._database.write() if several else self._database.write_once() as session:
                if several and not await hold_lease(session, self._lease):
                    raise LeaseLost
                more = await before(session) if before is not None else ()
                masked = verified + (await self._masked(session, text) if text else "")
                events = [await self._masked_event(session, event) for event in (*events, *more)]
                words = f"{separator}{masked}" if self.said and masked else masked
                if together is not None:
                    await together(session)
                if not await self._store(session, words, events, last):
                    raise LeaseLost
        self.said += words
        return (Delta(words), *events) if words else tuple(events)

    async def _store(
        self, session: WriteSession, words: str, events: Sequence[Event], last: LastWords | None
    ) -> bool:
        message = None
        if words or events:
            message = sealed(
                self._received.key, self._clock, role=MessageRole.ASSISTANT, text=words, events=events,
                turn_id=self._received.turn_id,
            )  # fmt: skip
        if last is not None:
            return await last(session, self._lease, message)
        return message is None or await speak(session, self._lease, message)

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


def _holds_words(event: Event) -> bool:
    """Tell whether an event says something that has to be masked."""
    return isinstance(event, (Question, ActionChanged))
