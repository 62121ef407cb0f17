"""Stage 1: take the message, find out who holds the word, and promise an answer.

A message is acknowledged once its masked form is committed. From then on it is `pending` until a
turn is recorded for it, by this process or, after a crash, by another.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.language.contracts import Vectors
from steward.govern.privacy.fragments import Before
from steward.govern.privacy.sealing import CustomerKey
from steward.serve.conversations.contracts import (
    Conversation,
    Event,
    MessageId,
    MessageRole,
    Speaker,
    TurnId,
)
from steward.serve.conversations.errors import ConversationClosed, ConversationNotFound
from steward.serve.conversations.queries import (
    Locked,
    lock_conversation,
    select_latest_messages,
    select_turn_messages,
)
from steward.serve.conversations.speech import open_body, open_events, open_words
from steward.serve.workflows.consent import is_bare_answer
from steward.serve.workflows.contracts import Run
from steward.supply.releases.assignment import Traffic
from steward.supply.releases.contracts import ReleaseId

HISTORY_MESSAGES = 24
PIECES = 3
"""Messages of the customer in which one value may be spread before the latest."""
UNDIVIDED = Traffic("", False, ReleaseId(""), 0)
"""Traffic of a turn that isn't live: nothing is compared."""
LEAST_WORDS = 2
"""Words, of letters alone, in a message that names a matter; others answer a question."""
_PLAIN_WORD = re.compile(r"(?<![\w\[])[^\W\d_]+(?:['’][^\W\d_]+)?(?![\w\]])")


@dataclass(frozen=True, slots=True)
class Said:
    """Something said earlier in the conversation, masked."""

    role: MessageRole
    text: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message that a turn is about to answer.

    `waiting_priority` is that of the queue's entry while the customer waits for a human; `sent` is
    what an earlier attempt at this turn had said before it was cut off by a crash; `embedding` is that of
    the text, where it was begun while the text was stored. `traffic` is the lane's as the message came in;
    `voided` names a workflow that was under way on a candidate and is to be asked again.
    """

    conversation: Conversation
    turn_id: TurnId
    message_id: MessageId
    text: str
    masked_count: int
    key: CustomerKey
    history: tuple[Said, ...]
    run: Run | None
    claims: Mapping[str, str]
    asked_back: int
    waiting_priority: int | None = None
    embedding: asyncio.Task[Vectors] | None = None
    sent: tuple[str, ...] = ()
    sent_events: tuple[Event, ...] = ()
    resumed: bool = False
    traffic: Traffic = UNDIVIDED
    voided: str | None = None

    @property
    def last_matter(self) -> str | None:
        """What the customer said last that was more than yes, no, thanks or a value."""
        said = (
            text for text in reversed(self.customer_texts) if len(_PLAIN_WORD.findall(text)) >= LEAST_WORDS
        )
        return next((text for text in said if not is_bare_answer(text)), None)

    @property
    def customer_texts(self) -> tuple[str, ...]:
        """Everything the customer said before this message."""
        return tuple(said.text for said in self.history if said.role is MessageRole.CUSTOMER)


async def receive(session: WriteSession, conversation_id: UUID, *, client_key: str) -> Locked:
    """Lock the conversation for a new message, and read its last ones.

    Raises:
        ConversationNotFound: there is none with this id.
        ConversationClosed: it has ended, and the key isn't one that it knows.
    """
    locked = await lock_conversation(session, conversation_id, client_key=client_key, latest=HISTORY_MESSAGES)
    if locked is None:
        raise ConversationNotFound(conversation_id)
    if locked.conversation.state == "closed" and locked.known_turn is None:
        raise ConversationClosed(conversation_id)
    return locked


def human_speaks(locked: Locked) -> bool:
    """Tell whether a human holds the word, so that the assistant stays silent."""
    return locked.conversation.speaker is Speaker.HUMAN


def history_of(locked: Locked, key: CustomerKey) -> tuple[Said, ...]:
    """Return the messages that were read with the lock, oldest first, masked."""
    return tuple(Said(role, open_words(body, key)) for role, body in locked.latest)


async def read_history(
    session: ReadSession, conversation_id: UUID, key: CustomerKey, *, before: int
) -> tuple[Said, ...]:
    """Return the latest messages before a place, oldest first, masked."""
    sealed = await select_latest_messages(session, conversation_id, before=before, limit=HISTORY_MESSAGES)
    return tuple(Said(message.role, open_body(message, key)) for message in sealed)


def said_before(history: Sequence[Said]) -> Before:
    """Return what masking has to know of a conversation: a value may be given in pieces, or was asked for."""
    said = [said.text for said in history if said.role is MessageRole.CUSTOMER][-PIECES:]
    asked = history[-1].text if history and history[-1].role is not MessageRole.CUSTOMER else ""
    return Before(said, asked)


async def read_sent(
    session: ReadSession, turn_id: UUID, key: CustomerKey
) -> tuple[tuple[str, ...], tuple[Event, ...]]:
    """Return what the assistant had said in a turn that was cut off, and its events."""
    sealed = await select_turn_messages(session, turn_id)
    mine = [message for message in sealed if message.role is MessageRole.ASSISTANT]
    events: Sequence[Event] = [event for message in mine for event in open_events(message, key)]
    return tuple(open_body(message, key) for message in mine), tuple(events)
