"""What rollouts keep of a customer: their arm, and turns that a candidate answered unheard. Sums stay."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement

_ENDED = "exists (select from rollout r where r.id = {rollout} and r.ended_at is not null)"
_OLD = f"""
    a.at < %(before)s and {_ENDED.format(rollout="a.rollout_id")}
    and {UNHELD.format(customer="a.customer_id")}"""
_FORGET_ASSIGNMENTS = f"""
    with due as (select a.rollout_id, a.phase, a.customer_id from assignment a where {_OLD} limit %(limit)s),
    gone as (delete from assignment a using due
             where (a.rollout_id, a.phase, a.customer_id) = (due.rollout_id, due.phase, due.customer_id)
             returning 1)
    select count(*) from gone"""
_FORGET_SHADOWS = f"""
    with due as (select s.rollout_id, s.turn_id from shadow_turn s
                 where s.begun_at < %(before)s and {_ENDED.format(rollout="s.rollout_id")}
                   and not exists (select from turn t join conversation c on c.id = t.conversation_id
                                   join held_customer h on h.customer_id = c.customer_id
                                   where t.id = s.turn_id)
                 limit %(limit)s),
    gone as (delete from shadow_turn s using due
             where (s.rollout_id, s.turn_id) = (due.rollout_id, due.turn_id) returning 1)
    select count(*) from gone"""


async def _export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    rows = await session.all(
        """select rollout_id, phase, conversation_id, arm, category, at from assignment
           where customer_id = %s order by at""",
        (customer_id,),
    )
    return [
        {
            "rollout": str(row[0]),
            "phase": row[1],
            "conversation": str(row[2]),
            "arm": row[3],
            "category": row[4],
            "at": row[5].isoformat(),
        }
        for row in rows
    ]


def rollouts_purger() -> SqlPurger:
    """Return the purger of assignments and shadow turns; it erases before turns do."""
    return SqlPurger(
        name="rollouts",
        kind=DataKind.ROLLOUTS,
        holds="Which arm of a rollout answered the customer, and how a candidate would have; no words.",
        tables=("assignment", "shadow_turn"),
        erasing=(
            Statement("assignment", "delete from assignment where customer_id = %(customer)s"),
            Statement(
                "shadow_turn",
                """delete from shadow_turn where turn_id in (
                       select t.id from turn t join conversation c on c.id = t.conversation_id
                       where c.customer_id = %(customer)s)""",
            ),
        ),
        due_sql=f"select count(*) from assignment a where {_OLD}",
        expiring=(_FORGET_ASSIGNMENTS, _FORGET_SHADOWS),
        export_with=_export,
    )
