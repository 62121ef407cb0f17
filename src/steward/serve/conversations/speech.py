"""Saying something in a conversation: sealed, and in order.

People's messages are stored through `say`, under the row lock; the assistant's, which `sealed` makes, by the
statements that check that its turn still has the word.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import WriteSession
from steward.base.ids import new_id
from steward.govern.privacy.sealing import CustomerKey
from steward.serve.conversations.contracts import Event, MessageId, MessageRole, TurnId
from steward.serve.conversations.events import event_data, event_name, read_event
from steward.serve.conversations.queries import Locked, NewMessage, SealedMessage, insert_message

BODY = "message.body"
EVENTS = "message.events"
CHANNEL = "steward_conversation"


async def say(
    session: WriteSession,
    locked: Locked,
    *,
    key: CustomerKey,
    clock: Clock,
    role: MessageRole,
    text: str,
    seq: int,
    events: Sequence[Event] = (),
    turn_id: TurnId | None = None,
    client_key: str | None = None,
    account_id: UUID | None = None,
    pending: bool = False,
    holder: int | None = None,
    announce: bool = False,
) -> MessageId:
    """Store one message (masked text) at place `seq` and return its id.

    `holder` is the process that begins the message's turn at once. `announce` notifies every process
    that follows the conversation; the assistant's own sentences
    reach their reader through the turn and need no announcement.
    """
    message = replace(
        sealed(key, clock, role=role, text=text, events=events, turn_id=turn_id),
        client_key=client_key,
        account_id=account_id,
        pending=pending,
        holder=holder,
    )
    await insert_message(session, locked, message, seq=seq)
    if announce:
        await session.notify(CHANNEL, str(locked.conversation.id))
    return message.id


def sealed(
    key: CustomerKey,
    clock: Clock,
    *,
    role: MessageRole,
    text: str,
    events: Sequence[Event] = (),
    turn_id: TurnId | None = None,
) -> NewMessage:
    """Return a message (masked text) as it is stored."""
    return NewMessage(
        id=MessageId(new_id(clock)),
        role=role,
        turn_id=turn_id,
        body=key.seal(text, BODY),
        events=key.seal(pack_events(events), EVENTS) if events else None,
        at=clock.now(),
    )


def open_body(message: SealedMessage, key: CustomerKey) -> str:
    """Return the masked text of a stored message."""
    return open_words(message.body, key)


def open_words(body: bytes, key: CustomerKey) -> str:
    """Return the masked text of a message's sealed body."""
    return key.open(body, BODY).decode()


def open_events(message: SealedMessage, key: CustomerKey) -> tuple[Event, ...]:
    """Return the events that were stored with a message."""
    if message.events is None:
        return ()
    return unpack_events(key.open(bytes(message.events), EVENTS))


def pack_events(events: Sequence[Event]) -> bytes:
    """Write events as JSON bytes."""
    return json.dumps([[event_name(event), event_data(event)] for event in events]).encode()


def unpack_events(packed: bytes) -> tuple[Event, ...]:
    """Read what `pack_events` wrote."""
    return tuple(read_event(name, data) for name, data in json.loads(packed))
