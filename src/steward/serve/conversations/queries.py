"""SQL over conversation, message and feedback; rows go in and out, sealed bytes stay sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.base.db.contracts import ReadSession, Row, WriteSession
from steward.serve.conversations.contracts import (
    Conversation,
    ConversationId,
    MessageId,
    MessageRole,
    Speaker,
    TurnId,
)

_COLUMNS = """c.id, c.customer_id, c.assistant, c.release_id, c.arm, c.channel, c.locale, c.verified,
    c.simulated, c.state, c.speaker, c.speaker_account, c.epoch, c.turn_id, c.category, c.intent,
    c.opened_at, c.last_at, c.closed_at, c.resolved, c.rollout_id, c.phase, c.assigned_at is not null,
    c.assigned_category, c.moved_at is not null, c.pinned"""
_WIDTH = 26


# A statement that had to wait for the lock gets the row as it is now, but still sees the other tables as
# they were before it waited (PostgreSQL manual, 13.2.1). The last column tells that this happened; with
# the lock in hand, asking again sees everything.
_LOCK = f"""
    select {_COLUMNS}, c.next_seq, c.turn_holder, c.asked_back,
           (select m.turn_id from message m where m.conversation_id = c.id and m.client_key = %s),
           (select h.priority from handover h where h.conversation_id = c.id and h.ended_at is null),
           exists (select from message m where m.conversation_id = c.id and m.pending),
           exists (select from workflow_run r where r.conversation_id = c.id and r.state in
                ('offered', 'collecting', 'confirming', 'awaiting_approval', 'acting', 'unknown')),
           (select s.generation from serving s where s.assistant = c.assistant and s.simulated <= c.simulated
            order by s.simulated desc limit 1),
           latest.roles, latest.bodies,
           c.ctid is distinct from (select before.ctid from conversation before where before.id = c.id)
    from conversation c left join lateral (
        select array_agg(m.role order by m.seq) as roles, array_agg(m.body order by m.seq) as bodies
        from (select role, body, seq from message where conversation_id = c.id order by seq desc limit %s) m
    ) latest on true
    where c.id = %s for update of c"""
MESSAGE_COLUMNS = "id, conversation_id, seq, role, turn_id, epoch, body, events, at"
"""Columns of a message that the assistant says."""
HELD = """id = %(conversation)s and turn_id = %(turn)s and epoch = %(epoch)s and speaker = 'assistant'
    and state = 'open'"""
"""Holds for a conversation's row while a turn may speak."""
_SPEAK = f"""
    with mine as (
        update conversation set next_seq = next_seq + 1, last_at = %(at)s where {HELD}
        returning id, next_seq - 1 as seq)
    insert into message ({MESSAGE_COLUMNS})
    select %(id)s, mine.id, mine.seq, %(role)s, %(turn)s, %(epoch)s, %(body)s, %(events)s, %(at)s from mine"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A conversation whose row this transaction holds, with what only the lock makes reliable.

    `known_turn` is the turn of the message that already carries the asked-for client key;
    `waiting_priority` that of the open hand-over, while the customer waits for a human; `has_pending`
    tells of messages whose turns are running or yet to come, `has_run` of a workflow that isn't finished.
    `generation` is that of the lane's traffic. `latest` are the last messages, oldest first and sealed, as
    many as were asked for.
    """

    conversation: Conversation
    next_seq: int
    turn_holder: int | None
    asked_back: int
    known_turn: TurnId | None
    waiting_priority: int | None
    has_pending: bool
    has_run: bool
    generation: int | None
    latest: tuple[tuple[MessageRole, bytes], ...]

    @property
    def is_free(self) -> bool:
        """Whether a new message's turn may begin at once: no turn runs, and no earlier message waits."""
        return self.conversation.turn_id is None and not self.has_pending


@dataclass(frozen=True, slots=True)
class Lease:
    """A turn's right to speak in its conversation: its own until somebody takes it, or the turn ends."""

    conversation_id: ConversationId
    turn_id: TurnId
    epoch: int


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message about to be stored; `body` and `events` are sealed.

    With a `holder` the message's turn becomes the conversation's running turn, held by that process.
    """

    id: MessageId
    role: MessageRole
    turn_id: TurnId | None
    body: bytes
    events: bytes | None
    at: datetime
    client_key: str | None = None
    account_id: UUID | None = None
    pending: bool = False
    holder: int | None = None


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """A stored message as the database has it."""

    id: MessageId
    seq: int
    role: MessageRole
    turn_id: TurnId | None
    body: bytes
    events: bytes | None
    at: datetime


def conversation_of(row: Row) -> Conversation:
    """Build a conversation from a row of `_COLUMNS`."""
    values = list(row[:_WIDTH])
    values[0] = ConversationId(values[0])
    values[10] = Speaker(values[10])
    return Conversation(*values)


async def select_conversation(session: ReadSession, conversation_id: UUID) -> Conversation | None:
    """Return the conversation, or None."""
    row = await session.one(f"select {_COLUMNS} from conversation c where c.id = %s", (conversation_id,))
    return None if row is None else conversation_of(row)


async def lock_conversation(
    session: WriteSession, conversation_id: UUID, *, client_key: str | None = None, latest: int = 0
) -> Locked | None:
    """Take the conversation's row lock and return its state, or None where it doesn't exist.

    Args:
        session: the transaction that holds the lock.
        conversation_id: which conversation.
        client_key: asks for the turn of the message that carries it.
        latest: so many of the last messages are read along.
    """
    row = await session.one(_LOCK, (client_key, latest, conversation_id))
    if row is not None and row[-1]:
        row = await session.one(_LOCK, (client_key, latest, conversation_id))
    if row is None:
        return None
    roles, bodies = row[-3:-1]
    said = tuple(zip(map(MessageRole, roles or ()), bodies or (), strict=True))
    return Locked(conversation_of(row), *(*row[_WIDTH:-3], said))


async def hold_lease(session: WriteSession, lease: Lease) -> bool:
    """Take the conversation's row lock for a turn that speaks; tell whether it still has the lease."""
    row = await session.one(f"select from conversation where {HELD} for update", held_values(lease))
    return row is not None


async def speak(session: WriteSession, lease: Lease, message: NewMessage) -> bool:
    """Store what a turn says, if it still has the lease; tell whether it has. One statement."""
    return await session.execute(_SPEAK, {**held_values(lease), **said_values(message)}) == 1


async def insert_conversation(
    session: WriteSession, conversation: Conversation, claims: bytes | None
) -> None:
    """Store a new conversation."""
    c = conversation
    await session.execute(
        """insert into conversation (id, customer_id, assistant, release_id, arm, channel, locale, verified,
               claims_sealed, simulated, pinned, opened_at, last_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (c.id, c.customer_id, c.assistant, c.release_id, c.arm, c.channel, c.locale, c.verified, claims,
         c.simulated, c.pinned, c.opened_at, c.last_at),
    )  # fmt: skip


async def insert_message(session: WriteSession, locked: Locked, message: NewMessage, *, seq: int) -> None:
    """Store a message at its place and move the conversation on. The row lock must be held."""
    await session.execute(
        """with said as (
               insert into message (id, conversation_id, seq, role, turn_id, client_key, epoch, account_id,
                   pending, body, events, at)
               values (%(id)s, %(conversation)s, %(seq)s, %(role)s, %(turn)s, %(key)s, %(epoch)s, %(account)s,
                   %(pending)s, %(body)s, %(events)s, %(at)s))
           update conversation set next_seq = %(seq)s::int + 1, last_at = %(at)s,
               turn_id = case when %(holder)s::bigint is null then turn_id else %(turn)s end,
               turn_holder = coalesce(%(holder)s::bigint, turn_holder)
           where id = %(conversation)s""",
        {
            "id": message.id,
            "conversation": locked.conversation.id,
            "seq": seq,
            "role": message.role.value,
            "turn": message.turn_id,
            "key": message.client_key,
            "epoch": locked.conversation.epoch,
            "account": message.account_id,
            "pending": message.pending,
            "body": message.body,
            "events": message.events,
            "at": message.at,
            "holder": message.holder,
        },
    )


async def select_messages(
    session: ReadSession, conversation_id: UUID, *, after: int = 0, limit: int = 1000
) -> tuple[SealedMessage, ...]:
    """Return the messages behind a place, oldest first."""
    rows = await session.all(
        """select id, seq, role, turn_id, body, events, at from message
           where conversation_id = %s and seq > %s order by seq limit %s""",
        (conversation_id, after, limit),
    )
    return _sealed(rows)


async def select_latest_messages(
    session: ReadSession, conversation_id: UUID, *, before: int, limit: int
) -> tuple[SealedMessage, ...]:
    """Return the last messages before a place, oldest first."""
    rows = await session.all(
        """select id, seq, role, turn_id, body, events, at from message
           where conversation_id = %s and seq < %s order by seq desc limit %s""",
        (conversation_id, before, limit),
    )
    return _sealed(rows)[::-1]


async def select_turn_messages(session: ReadSession, turn_id: UUID) -> tuple[SealedMessage, ...]:
    """Return the messages of one turn, the customer's first."""
    rows = await session.all(
        "select id, seq, role, turn_id, body, events, at from message where turn_id = %s order by seq",
        (turn_id,),
    )
    return _sealed(rows)


async def select_claims(session: ReadSession, conversation_id: UUID) -> bytes | None:
    """Return the sealed claims of a verified customer."""
    row = await session.one("select claims_sealed from conversation where id = %s", (conversation_id,))
    return None if row is None else row[0]


def held_values(lease: Lease) -> dict[str, object]:
    """Return the parameters of `HELD`."""
    return {"conversation": lease.conversation_id, "turn": lease.turn_id, "epoch": lease.epoch}


def said_values(message: NewMessage) -> dict[str, object]:
    """Return the parameters of what the assistant says."""
    return {
        "id": message.id, "role": message.role.value, "body": message.body, "events": message.events,
        "at": message.at,
    }  # fmt: skip


def _sealed(rows: Sequence[Row]) -> tuple[SealedMessage, ...]:
    return tuple(
        SealedMessage(MessageId(row[0]), row[1], MessageRole(row[2]), row[3], bytes(row[4]), row[5], row[6])
        for row in rows
    )
