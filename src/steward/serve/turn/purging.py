"""What turns keep of a customer, and how whole months of them go at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import CustomerId
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement
from steward.serve.turn.decisions import open_decisions

STAYS = f"""exists (
    select from conversation c where c.id = t.conversation_id
    and (c.state = 'open' or not ({UNHELD.format(customer="c.customer_id")})))"""
"""Condition that a turn `t` has to stay whatever its age."""
_OLD = f"t.id < %(before_id)s and not {STAYS}"
_FORGET = f"""
    with due as (select t.id from turn t where {_OLD} order by t.id limit %(limit)s),
    gone as (delete from turn t using due where t.id = due.id and t.id < %(before_id)s returning 1)
    select count(*) from gone"""


def turns_purger(vault: Vault) -> SqlPurger:
    """Return the purger of turns."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        key = await vault.key_for(session, CustomerId(customer_id))
        rows = await session.all(
            """select t.id, t.conversation_id, t.started_at, t.outcome, t.reason, t.intent, t.confidence,
                      t.category, t.risk, t.guard_rule, t.cited, t.model, t.workflow, t.release_id,
                      t.decisions
               from turn t join conversation c on c.id = t.conversation_id
               where c.customer_id = %s order by t.id""",
            (customer_id,),
        )
        return [
            {
                "turn": str(row[0]),
                "conversation": str(row[1]),
                "at": row[2].isoformat(),
                "outcome": row[3],
                "reason": row[4],
                "intent": row[5],
                "confidence": row[6],
                "category": row[7],
                "risk": row[8],
                "guard_rule": row[9],
                "cited": list(row[10]),
                "model": row[11],
                "workflow": row[12],
                "release": row[13],
                "decisions": None if row[14] is None else open_decisions(key, row[14]),
            }
            for row in rows
        ]

    return SqlPurger(
        name="turns",
        kind=DataKind.TURNS,
        holds="What each answer was decided by: intent, scores, times and cost, and the reasons, sealed.",
        tables=("turn",),
        erasing=(
            Statement(
                "turn",
                """delete from turn where conversation_id in (
                       select id from conversation where customer_id = %(customer)s)""",
            ),
        ),
        due_sql=f"select count(*) from turn t where {_OLD}",
        expiring=(_FORGET,),
        export_with=export,
    )
