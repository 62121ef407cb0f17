"""Approvals bind to a run that still waits, and are never lost to a turn under way."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Conflict
from steward.base.ids import new_id
from steward.govern.access.permissions import ROLE_PERMISSIONS, Role
from steward.govern.access.principal import Principal, PrincipalKind
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Customer
from steward.serve.conversations.service import Conversations
from steward.serve.workflows.approvals import Approvals
from steward.serve.workflows.contracts import Run, RunState
from steward.serve.workflows.runs import Runs


class Matter:
    """A run that waits for somebody to agree, and the somebody."""

    def __init__(
        self, database: PooledDatabase, clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        self.database, self.clock, self.conversations = database, clock, conversations
        self.runs = Runs(vault=vault, clock=clock)
        self.approvals = Approvals(database=database, vault=vault, ledger=Ledger(clock), clock=clock)

    async def open(self) -> tuple[Run, Principal]:
        """Store the run and ask for its approval."""
        started = await self.conversations.start(
            assistant="northline", channel="web", customer=Customer(None, False, {}), locale=None
        )
        opened = started.conversation
        run = Run(
            new_id(self.clock), opened.id, opened.customer_id, "r1", "refund", RunState.AWAITING_APPROVAL,
            None, 0, {"customer": {}}, b"d",
        )  # fmt: skip
        operator = new_id(self.clock)
        async with self.database.write() as session:
            await session.execute(
                """insert into account (id, login, name, role, created_at)
                   values (%s, 'olga', 'Olga', 'operator', %s)""",
                (operator, self.clock.now()),
            )
            await self.runs.save(session, run)
            await self.approvals.ask(session, run, role="operator", summary="A refund.")
        permissions = ROLE_PERMISSIONS[Role.OPERATOR]
        return run, Principal(PrincipalKind.STAFF, str(operator), "Olga", permissions, role=Role.OPERATOR)

    async def approve(self, approval_id: UUID, operator: Principal) -> None:
        """Agree."""
        await self.approvals.decide(approval_id, approve=True, principal=operator, reason="fine")

    async def state_of(self, run: Run) -> RunState:
        """Return the stored state."""
        async with self.database.read() as session:
            stored = await self.runs.get(session, run.id)
        assert stored is not None
        return stored.state


@pytest.fixture
def matter(
    database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
) -> Matter:
    """A matter whose run isn't stored yet."""
    return Matter(database, fixed_clock, vault, conversations)


class TestDecide:
    async def test_an_approved_run_goes_on(self, matter: Matter) -> None:
        run, operator = await matter.open()
        (line,) = await matter.approvals.waiting()
        await matter.approve(line.id, operator)
        assert await matter.state_of(run) is RunState.ACTING
        with pytest.raises(Conflict, match="approved already"):
            await matter.approve(line.id, operator)

    async def test_what_the_customer_ended_isnt_done(self, matter: Matter) -> None:
        run, operator = await matter.open()
        (line,) = await matter.approvals.waiting()
        async with matter.database.write() as session:
            await matter.runs.save(session, replace(run, state=RunState.CANCELLED))
        assert await matter.approvals.waiting() == ()
        with pytest.raises(Conflict, match="ended"):
            await matter.approve(line.id, operator)
        assert await matter.state_of(run) is RunState.CANCELLED

    async def test_a_turn_under_way_is_waited_for(self, matter: Matter) -> None:
        run, operator = await matter.open()
        (line,) = await matter.approvals.waiting()
        async with matter.database.write() as session:
            await session.execute(
                "update conversation set turn_id = %s where id = %s",
                (new_id(matter.clock), run.conversation_id),
            )
        with pytest.raises(Conflict, match="being answered"):
            await matter.approve(line.id, operator)
        assert await matter.state_of(run) is RunState.AWAITING_APPROVAL
