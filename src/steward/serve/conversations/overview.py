"""The list of conversations that staff see: one line each, no words of the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from steward.base.db.contracts import Database, Row
from steward.serve.conversations.contracts import ConversationId, Speaker


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One conversation at a glance."""

    id: ConversationId
    opened_at: datetime
    last_at: datetime
    channel: str
    state: str
    speaker: Speaker
    category: str | None
    intent: str | None
    release_id: str
    verified: bool
    turns: int
    last_outcome: str | None
    waiting_queue: str | None
    waiting_since: datetime | None
    csat: int | None
    simulated: bool = False


class Overview:
    """Reads lines of conversations, the latest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(
        self,
        *,
        limit: int = 50,
        state: str | None = None,
        waiting: bool = False,
        simulated: bool | None = None,
        categories: frozenset[str] | None = None,
    ) -> tuple[ConversationLine, ...]:
        """Return the latest conversations: open ones, those that wait, one lane's, those of categories."""
        async with self._database.read() as session:
            rows = await session.all(
                """select c.id, c.opened_at, c.last_at, c.channel, c.state, c.speaker, c.category, c.intent,
                          c.release_id, c.verified, coalesce(t.turns, 0), t.last_outcome, h.queue, h.asked_at,
                          f.csat, c.simulated
                   from conversation c
                   left join lateral (
                       select count(*) as turns, (array_agg(outcome order by id desc))[1] as last_outcome
                       from turn where conversation_id = c.id) t on true
                   left join handover h
                       on h.conversation_id = c.id and h.taken_at is null and h.ended_at is null
                   left join feedback f on f.conversation_id = c.id and f.csat is not null
                   where (%(state)s::text is null or c.state = %(state)s)
                     and (not %(waiting)s or h.id is not null)
                     and (%(simulated)s::boolean is null or c.simulated = %(simulated)s)
                     and (%(categories)s::text[] is null or c.category = any(%(categories)s))
                   order by c.last_at desc limit %(limit)s""",
                {
                    "state": state,
                    "waiting": waiting,
                    "simulated": simulated,
                    "categories": None if categories is None else sorted(categories),
                    "limit": limit,
                },
            )
        return tuple(_line(row) for row in rows)


def _line(row: Row) -> ConversationLine:
    values = list(row)
    values[0], values[5] = ConversationId(values[0]), Speaker(values[5])
    return ConversationLine(*values)
