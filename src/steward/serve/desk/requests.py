"""Asking for a human: the conversation joins a queue, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.ids import new_id
from steward.serve.conversations.contracts import HandedOver

PRIORITIES = {"normal": 0, "high": 1, "urgent": 2}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation in a queue."""

    conversation_id: UUID
    queue: str
    reason: str
    priority: int
    asked_at: datetime
    position: int


async def request_human(
    session: WriteSession,
    conversation_id: UUID,
    *,
    turn_id: UUID | None,
    queue: str,
    reason: str,
    priority: str,
    clock: Clock,
) -> HandedOver:
    """Put a conversation into a queue and return the event; one that waits already keeps its place."""
    await session.execute(
        """insert into handover (id, conversation_id, turn_id, queue, reason, priority, asked_at)
           values (%s, %s, %s, %s, %s, %s, %s)
           on conflict (conversation_id) where ended_at is null
           do update set priority = greatest(handover.priority, excluded.priority)""",
        (new_id(clock), conversation_id, turn_id, queue, reason, PRIORITIES[priority], clock.now()),
    )
    row = await session.one(
        """select mine.queue, mine.reason,
                  (select count(*) from handover h
                    where h.queue = mine.queue and h.taken_at is null and h.ended_at is null
                      and (h.priority, mine.asked_at, mine.id) >= (mine.priority, h.asked_at, h.id))
           from handover mine where mine.conversation_id = %s and mine.ended_at is null""",
        (conversation_id,),
    )
    assert row is not None
    return HandedOver(queue=row[0], reason=row[1], position=int(row[2]))


async def select_waiting(
    session: ReadSession, *, categories: frozenset[str] | None = None
) -> tuple[Waiting, ...]:
    """Return the conversations that wait for a human, the most pressing first; perhaps of some categories."""
    rows = await session.all(
        """select w.conversation_id, w.queue, w.reason, w.priority, w.asked_at, w.position
           from (select conversation_id, queue, reason, priority, asked_at,
                        row_number() over (partition by queue order by priority desc, asked_at, id)
                            as position
                 from handover where taken_at is null and ended_at is null) w
           join conversation c on c.id = w.conversation_id
           where %(categories)s::text[] is null or c.category = any(%(categories)s)
           order by w.priority desc, w.asked_at""",
        {"categories": None if categories is None else sorted(categories)},
    )
    return tuple(Waiting(*row) for row in rows)
