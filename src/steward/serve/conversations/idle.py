"""Closing conversations in which nobody has said anything for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from steward.base.clock import Clock
from steward.base.db.contracts import Database

BATCH: Final = 200
# It ended with its last word: the time in which nothing happened belongs to no figure. Where a person holds
# the word or is waited for, that person closes it; where an action isn't decided, its outcome is to be told.
_CLOSE: Final = """
    with silent as (
        select c.id from conversation c
        where c.assistant = %(assistant)s and c.state = 'open' and c.last_at < %(before)s
          and c.speaker = 'assistant' and c.turn_id is null
          and not exists (select from handover h where h.conversation_id = c.id and h.ended_at is null)
          and not exists (select from message m where m.conversation_id = c.id and m.pending)
          and not exists (select from workflow_run r where r.conversation_id = c.id
                          and r.state in ('awaiting_approval', 'acting', 'unknown'))
        order by c.last_at limit %(limit)s for update of c skip locked
    )
    update conversation c set state = 'closed', closed_at = c.last_at, closed_by = 'idle'
    from silent where c.id = silent.id"""


class IdleMinutes(Protocol):
    """Knows after how long without a word an assistant's conversations are over."""

    async def idle_minutes(self, assistant: str) -> int:
        """Return what the served release says."""
        ...


class IdleClosing:
    """Closes silent conversations of one assistant; several processes don't get in each other's way."""

    def __init__(self, *, database: Database, clock: Clock, minutes: IdleMinutes, assistant: str) -> None:
        self._database = database
        self._clock = clock
        self._minutes = minutes
        self._assistant = assistant

    async def sweep(self) -> int:
        """Close what is silent by now, in batches, and return how many conversations that were."""
        minutes = await self._minutes.idle_minutes(self._assistant)
        values = {
            "assistant": self._assistant,
            "before": self._clock.now() - timedelta(minutes=minutes),
            "limit": BATCH,
        }
        closed = 0
        while True:
            async with self._database.write() as session:
                batch = await session.execute(_CLOSE, values)
            closed += batch
            if batch < BATCH:
                return closed
