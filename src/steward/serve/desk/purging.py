"""What the desk keeps of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.retention.contracts import Record
from steward.govern.retention.purging import SqlPurger, Statement


async def _export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    rows = await session.all(
        """select h.conversation_id, h.queue, h.reason, h.asked_at, h.taken_at, h.ended_at from handover h
           join conversation c on c.id = h.conversation_id where c.customer_id = %s order by h.asked_at""",
        (customer_id,),
    )
    return [
        {
            "conversation": str(row[0]),
            "queue": row[1],
            "reason": row[2],
            **{
                name: None if at is None else at.isoformat()
                for name, at in zip(("asked_at", "taken_at", "ended_at"), row[3:], strict=True)
            },
        }
        for row in rows
    ]


def handovers_purger() -> SqlPurger:
    """Return the purger of hand-overs; they expire with their conversation."""
    return SqlPurger(
        name="handovers",
        holds="When a person was asked for, in which queue and why.",
        tables=("handover",),
        erasing=(
            Statement(
                "handover",
                """delete from handover where conversation_id in (
                       select id from conversation where customer_id = %(customer)s)""",
            ),
        ),
        export_with=_export,
    )
