"""Approvals: a person on the desk agrees, bound to the exact arguments, before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, Row, WriteSession
from steward.base.errors import Conflict, NotAllowed, NotFound
from steward.base.ids import new_id
from steward.govern.access.principal import Principal
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.queries import lock_conversation
from steward.serve.workflows.contracts import Run, RunState

SUMMARY = "approval.summary"
REASON = "approval.reason"
_RANK = {"agent": 0, "operator": 1, "admin": 2}


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """A run that waits for somebody to agree."""

    id: UUID
    run_id: UUID
    conversation_id: UUID
    workflow: str
    role: str
    summary: str
    asked_at: datetime


class Approvals:
    """Asks for approvals and records decisions; the background worker carries them out."""

    def __init__(self, *, database: Database, vault: Vault, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._ledger = ledger
        self._clock = clock

    async def ask(self, session: WriteSession, run: Run, *, role: str, summary: str) -> None:
        """Put a confirmed run before a person. `summary` is masked text."""
        key = await self._vault.key_for(session, run.customer_id)
        await session.execute(
            """insert into approval (id, run_id, role, summary_sealed, arguments_digest, asked_at)
               values (%s, %s, %s, %s, %s, %s) on conflict (run_id) do nothing""",
            (
                new_id(self._clock),
                run.id,
                role,
                key.seal(summary, SUMMARY),
                run.confirm_digest,
                self._clock.now(),
            ),
        )

    async def waiting(self, *, categories: frozenset[str] | None = None) -> tuple[ApprovalLine, ...]:
        """Return what waits for a decision, oldest first: everything, or what is of categories."""
        async with self._database.read() as session:
            rows = await session.all(
                """select a.id, a.run_id, r.conversation_id, r.workflow, a.role, a.summary_sealed, a.asked_at,
                          r.customer_id
                   from approval a join workflow_run r on r.id = a.run_id
                   join conversation c on c.id = r.conversation_id
                   where a.state = 'waiting' and r.state = 'awaiting_approval'
                     and (%(categories)s::text[] is null or c.category = any(%(categories)s))
                   order by a.asked_at""",
                {"categories": None if categories is None else sorted(categories)},
            )
            lines = []
            for row in rows:
                key = await self._vault.key_for(session, row[7])
                summary = key.open(bytes(row[5]), SUMMARY).decode()
                lines.append(ApprovalLine(row[0], row[1], row[2], row[3], row[4], summary, row[6]))
        return tuple(lines)

    async def decide(self, approval_id: UUID, *, approve: bool, principal: Principal, reason: str) -> None:
        """Approve or deny, once; the worker acts, or tells the customer that nobody agreed.

        Raises:
            NotFound: there is no such approval.
            NotAllowed: the decision needs a higher role.
            Conflict: it has been decided already, its run has ended, or the customer is being answered.
        """
        async with self._database.write() as session:
            row = await self._lock(session, approval_id)
            if principal.role is None or _RANK.get(principal.role.value, -1) < _RANK[row[1]]:
                raise NotAllowed(f"This approval needs the role {row[1]}.")
            if row[2] != "waiting":
                raise Conflict(f"Approval {approval_id} has been {row[2]} already.")
            if row[3] != RunState.AWAITING_APPROVAL.value:
                raise Conflict(
                    f"Approval {approval_id} isn't needed any more; the customer has ended the matter."
                )
            await session.execute(
                """update approval set state = %s, decided_at = %s, decided_by = %s, reason_sealed = %s
                   where id = %s""",
                (
                    "approved" if approve else "denied",
                    self._clock.now(),
                    principal.id,
                    (await self._vault.key_for(session, row[4])).seal(reason, REASON),
                    approval_id,
                ),
            )
            if approve:
                await session.execute(
                    "update workflow_run set state = 'acting', updated_at = %s where id = %s",
                    (self._clock.now(), row[0]),
                )
            await self._ledger.append(
                session,
                Entry(
                    actor=f"account:{principal.id}",
                    deed="approval.approved" if approve else "approval.denied",
                    subject=f"run:{row[0]}",
                    details={"approval": str(approval_id)},
                ),
            )

    async def _lock(self, session: WriteSession, approval_id: UUID) -> Row:
        """Return run, role, state, the run's state and the customer, while no turn is under way.

        A turn reads the run at its beginning and stores it at its end: a decision in between would be lost.
        """
        place = await session.one(
            """select r.conversation_id from approval a join workflow_run r on r.id = a.run_id
               where a.id = %s""",
            (approval_id,),
        )
        locked = None if place is None else await lock_conversation(session, place[0])
        row = await session.one(
            """select a.run_id, a.role, a.state, r.state, r.customer_id
               from approval a join workflow_run r on r.id = a.run_id where a.id = %s for update""",
            (approval_id,),
        )
        if locked is None or row is None:
            raise NotFound(f"There is no approval {approval_id}.")
        if locked.conversation.turn_id is not None:
            raise Conflict("The customer is being answered at this moment; decide again in a few seconds.")
        return row
