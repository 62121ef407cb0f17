"""What reviews keep of a customer: what people found in the turns that answered them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement

_OLD = f"""
    r.at < %(before)s and exists (
        select from conversation c where c.id = r.conversation_id
        and {UNHELD.format(customer="c.customer_id")})"""
_FORGET = f"""
    with due as (select r.id from review r where {_OLD} order by r.at limit %(limit)s),
    gone as (delete from review r using due where r.id = due.id returning 1)
    select count(*) from gone"""


async def _export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    rows = await session.all(
        """select r.turn_id, r.at, r.intent_right, r.misrouted, r.grounded, r.guard_right from review r
           join conversation c on c.id = r.conversation_id where c.customer_id = %s order by r.at""",
        (customer_id,),
    )
    return [
        {
            "turn": str(row[0]),
            "at": row[1].isoformat(),
            "intent_right": row[2],
            "misrouted": row[3],
            "grounded": row[4],
            "guard_right": row[5],
        }
        for row in rows
    ]


def reviews_purger() -> SqlPurger:
    """Return the purger of reviews."""
    return SqlPurger(
        name="reviews",
        kind=DataKind.REVIEWS,
        holds="What members of staff found when they looked at turns; no words.",
        tables=("review",),
        erasing=(
            Statement(
                "review",
                """delete from review where conversation_id in (
                       select id from conversation where customer_id = %(customer)s)""",
            ),
        ),
        due_sql=f"select count(*) from review r where {_OLD}",
        expiring=(_FORGET,),
        export_with=_export,
    )
