"""What retention itself keeps of a customer: holds, and the list of files that left the house."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.exporting import select_exports
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement

_OLD = f"e.made_at < %(before)s and {UNHELD.format(customer='e.customer_id')}"
_FORGET = f"""
    with due as (select e.id from export_made e where {_OLD} limit %(limit)s),
    gone as (delete from export_made e using due where e.id = due.id returning 1)
    select count(*) from gone"""


async def _holds(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    rows = await session.all(
        "select placed_at, lifted_at from legal_hold where customer_id = %s order by placed_at",
        (customer_id,),
    )
    return [
        {"placed_at": row[0].isoformat(), "lifted_at": None if row[1] is None else row[1].isoformat()}
        for row in rows
    ]


async def _exports(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
    return [
        {"made_at": line.made_at.isoformat(), "kind": line.kind, "digest": line.digest.hex()}
        for line in await select_exports(session, customers=(customer_id,))
    ]


def holds_purger() -> SqlPurger:
    """Return the purger of legal holds; one in force keeps an erasure from beginning."""
    return SqlPurger(
        name="holds",
        holds="That a legal hold was placed, and why.",
        tables=("legal_hold",),
        erasing=(Statement("legal_hold", "delete from legal_hold where customer_id = %(customer)s"),),
        export_with=_holds,
    )


def exports_purger() -> SqlPurger:
    """Return the purger of the list of exports; erasing leaves them in it, about nobody."""
    return SqlPurger(
        name="exports",
        kind=DataKind.EXPORTS,
        holds="When a file with this data was handed out, to whom in the house, and its digest.",
        tables=("export_made",),
        erasing=(
            Statement(
                "export_made",
                "update export_made set customer_id = null where customer_id = %(customer)s",
                keeps=True,
            ),
        ),
        due_sql=f"select count(*) from export_made e where {_OLD}",
        expiring=(_FORGET,),
        export_with=_exports,
    )
