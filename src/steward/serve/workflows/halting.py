"""Bringing everything of a customer to rest before they are erased."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.db.presence import alive_among

_LOCK = "select id from conversation where customer_id = any(%s) order by id for update"
_CLOSE = """
    update conversation set state = 'closed', closed_at = coalesce(closed_at, %(now)s),
        closed_by = coalesce(closed_by, 'staff')
    where customer_id = any(%(customers)s) and state = 'open'"""
_END_WAITING = """
    update handover set ended_at = %(now)s
    where ended_at is null and conversation_id in (
        select id from conversation where customer_id = any(%(customers)s))"""
_CANCEL = """
    update workflow_run set state = 'cancelled', updated_at = %(now)s
    where customer_id = any(%(customers)s)
      and state in ('offered', 'collecting', 'confirming', 'awaiting_approval')"""
_HOLDERS = """
    select turn_holder, count(*) from conversation
    where customer_id = any(%s) and turn_holder is not null group by turn_holder"""
_UNDECIDED = """
    select count(*) from workflow_run r
    where r.customer_id = any(%s) and (r.state in ('acting', 'unknown') or exists (
        select from action a where a.run_id = r.id and a.state in ('intended', 'unknown')))"""


class CustomerHalting:
    """Closes conversations; a turn under way notices at its next words and ends in silence."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def halt(self, session: WriteSession, customer_ids: Sequence[UUID]) -> None:
        """Close all conversations under their locks, and end what waits for an answer."""
        values = {"customers": list(customer_ids), "now": self._clock.now()}
        await session.all(_LOCK, (list(customer_ids),))
        for statement in (_CLOSE, _END_WAITING, _CANCEL):
            await session.execute(statement, values)

    async def running(self, session: ReadSession, customer_ids: Sequence[UUID]) -> int:
        """Count the turns whose process is alive; nobody goes on with another's while rows are locked."""
        rows = await session.all(_HOLDERS, (list(customer_ids),))
        alive = await alive_among(session, [row[0] for row in rows])
        return sum(row[1] for row in rows if row[0] in alive)

    async def undecided(self, session: ReadSession, customer_ids: Sequence[UUID]) -> int:
        """Count runs whose actions may or may not have happened."""
        row = await session.one(_UNDECIDED, (list(customer_ids),))
        return int(row[0]) if row else 0
