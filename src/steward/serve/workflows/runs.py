"""Storing runs: values sealed under the customer's key, one open run per conversation."""

from __future__ import annotations

import json
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, Row, WriteSession
from steward.govern.privacy.vault import Vault
from steward.serve.workflows.contracts import Run, RunState

VALUES = "workflow_run.values"
_COLUMNS = """id, conversation_id, customer_id, release_id, workflow, state, asking, attempts, values_sealed,
    confirm_digest"""


class Runs:
    """Reads and writes runs."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def open_run(self, session: ReadSession, conversation_id: UUID) -> Run | None:
        """Return the conversation's run that isn't finished, if it has one."""
        row = await session.one(
            f"""select {_COLUMNS} from workflow_run where conversation_id = %s and state in
                ('offered', 'collecting', 'confirming', 'awaiting_approval', 'acting', 'unknown')""",
            (conversation_id,),
        )
        return None if row is None else await self._run(session, row)

    async def get(self, session: ReadSession, run_id: UUID) -> Run | None:
        """Return a run by its id."""
        row = await session.one(f"select {_COLUMNS} from workflow_run where id = %s", (run_id,))
        return None if row is None else await self._run(session, row)

    async def save(self, session: WriteSession, run: Run) -> None:
        """Store a run as it is now; a new open run takes the place of an offer that nobody took."""
        key = await self._vault.key_for(session, run.customer_id)
        now = self._clock.now()
        await session.execute(
            """update workflow_run set state = 'expired', updated_at = %s
               where conversation_id = %s and id <> %s
                 and state in ('offered', 'collecting', 'confirming')""",
            (now, run.conversation_id, run.id),
        )
        await session.execute(
            f"""insert into workflow_run ({_COLUMNS}, created_at, updated_at)
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                on conflict (id) do update set state = excluded.state, asking = excluded.asking,
                    attempts = excluded.attempts, values_sealed = excluded.values_sealed,
                    confirm_digest = excluded.confirm_digest, updated_at = excluded.updated_at""",
            (
                run.id,
                run.conversation_id,
                run.customer_id,
                run.release_id,
                run.workflow,
                run.state.value,
                run.asking,
                run.attempts,
                key.seal(json.dumps(run.values), VALUES),
                run.confirm_digest,
                now,
                now,
            ),
        )

    async def _run(self, session: ReadSession, row: Row) -> Run:
        key = await self._vault.key_for(session, row[2])
        values = json.loads(key.open(bytes(row[8]), VALUES))
        digest = None if row[9] is None else bytes(row[9])
        return Run(row[0], row[1], row[2], row[3], row[4], RunState(row[5]), row[6], row[7], values, digest)
