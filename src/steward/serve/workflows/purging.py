"""What workflows keep of a customer: values, actions, approvals. The bare action stays for the accounts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement
from steward.serve.workflows.actions import ARGUMENTS, RESULT
from steward.serve.workflows.runs import VALUES

_MINE = "run_id in (select id from workflow_run where customer_id = %(customer)s)"
# An idempotency key is a digest of the customer's own values, which can be guessed: it goes as well.
_DETACH = f"""
    update action set run_id = null, conversation_id = null, turn_id = null, arguments_sealed = null,
        arguments_digest = null, result_sealed = null, error = null, idempotency_key = 'erased.' || id
    where {_MINE}"""
_OVER = "('done', 'failed', 'cancelled', 'expired', 'handed_over')"
_OLD = f"""
    r.updated_at < %(before)s and r.state in {_OVER} and {UNHELD.format(customer="r.customer_id")}
    and not exists (select from conversation c where c.id = r.conversation_id and c.state = 'open')"""
_FORGET_RUNS = f"""
    with due as (select r.id from workflow_run r where {_OLD} order by r.updated_at limit %(limit)s),
    gone as (delete from workflow_run r using due where r.id = due.id returning 1)
    select count(*) from gone"""
_FORGET_DETACHED = """
    with due as (select id from action where run_id is null and created_at < %(before)s limit %(limit)s),
    gone as (delete from action a using due where a.id = due.id returning 1)
    select count(*) from gone"""


def actions_purger(vault: Vault) -> SqlPurger:
    """Return the purger of workflow runs with their actions and approvals."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        key = await vault.key_for(session, CustomerId(customer_id))
        rows = await session.all(
            """select id, conversation_id, workflow, state, created_at, values_sealed from workflow_run
               where customer_id = %s order by created_at""",
            (customer_id,),
        )
        records: list[Record] = []
        for run_id, conversation_id, workflow, state, at, sealed in rows:
            values = await vault.unmask(
                session,
                CustomerId(customer_id),
                key.open(bytes(sealed), VALUES).decode(),
                purpose=Purpose.OWN_WORDS,
                actor="customer",
            )
            records.append(
                {
                    "conversation": str(conversation_id),
                    "workflow": workflow,
                    "state": state,
                    "at": at.isoformat(),
                    "values": values,
                    "actions": await _actions_of(session, run_id, key),
                }
            )
        return records

    return SqlPurger(
        name="actions",
        kind=DataKind.ACTIONS,
        holds="What was done for the customer in business systems: values, arguments and results, sealed.",
        tables=("workflow_run", "action", "approval"),
        erasing=(
            Statement("action", _DETACH, keeps=True),
            Statement("approval", f"delete from approval where {_MINE}"),
            Statement("workflow_run", "delete from workflow_run where customer_id = %(customer)s"),
        ),
        due_sql=f"select count(*) from workflow_run r where {_OLD}",
        expiring=(_FORGET_RUNS, _FORGET_DETACHED),
        export_with=export,
    )


async def _actions_of(session: ReadSession, run_id: UUID, key: CustomerKey) -> list[dict[str, Any]]:
    rows = await session.all(
        """select operation, state, created_at, decided_at, arguments_sealed, result_sealed from action
           where run_id = %s order by created_at""",
        (run_id,),
    )
    return [
        {
            "operation": row[0],
            "state": row[1],
            "at": row[2].isoformat(),
            "decided_at": None if row[3] is None else row[3].isoformat(),
            "arguments": None if row[4] is None else json.loads(key.open(bytes(row[4]), ARGUMENTS)),
            "result": None if row[5] is None else json.loads(key.open(bytes(row[5]), RESULT)),
        }
        for row in rows
    ]
