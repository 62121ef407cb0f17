"""Approvals bind to a run that still waits, and are never lost to a turn under way."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import ReadSession
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Conflict
from steward.base.ids import new_id
from steward.govern.access.permissions import ROLE_PERMISSIONS, Role
from steward.govern.access.principal import Principal, PrincipalKind
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Customer
from steward.serve.conversations.service import Conversations
from steward.serve.workflows.actions import Actions
from steward.serve.workflows.approvals import Approvals
from steward.serve.workflows.contracts import Procedure, Run, RunState
from steward.serve.workflows.engine import Engine
from steward.serve.workflows.reconciling import Reconciler
from steward.serve.workflows.runs import Runs


class Alone:
    """The only process there is."""

    instance = 1

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        """Tell that only this process lives."""
        return instance == self.instance


class Plain:
    """A release that masks by the built-in rules; its workflows aren't asked for."""

    async def procedure(self, release_id: str, workflow: str) -> Procedure:
        """Refuse: a denied run performs nothing."""
        raise AssertionError((release_id, workflow))

    async def detector(self, release_id: str) -> Detector:
        """Return the built-in masking rules."""
        return Detector()

    async def queue(self, release_id: str, workflow: str) -> str:
        """Return the queue of a workflow's category."""
        return "general"


class Matter:
    """A run that waits for somebody to agree, and the somebody."""

    def __init__(
        self, database: PooledDatabase, clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        self.database, self.clock, self.conversations, self.vault = database, clock, conversations, vault
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

    def reconciler(self) -> Reconciler:
        """Build what carries decisions out."""
        actions = Actions(
            database=self.database,
            vault=self.vault,
            ledger=Ledger(self.clock),
            clock=self.clock,
            liveness=Alone(),
        )
        return Reconciler(
            database=self.database,
            runs=self.runs,
            engine=Engine(actions=actions, clock=self.clock),
            vault=self.vault,
            clock=self.clock,
            procedures=Plain(),
        )

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

    async def test_a_denied_run_brings_a_human_and_the_customer_is_told(self, matter: Matter) -> None:
        run, operator = await matter.open()
        (line,) = await matter.approvals.waiting()
        await matter.approvals.decide(line.id, approve=False, principal=operator, reason="not theirs")
        assert await matter.approvals.waiting() == ()
        assert await matter.reconciler().sweep() == 1
        assert await matter.state_of(run) is RunState.HANDED_OVER
        (notice,) = await matter.conversations.messages(run.conversation_id)
        assert "couldn't approve" in notice.text
        async with matter.database.read() as session:
            waiting = await session.all("select reason from handover where ended_at is null")
        assert waiting == [("approval_denied",)]
