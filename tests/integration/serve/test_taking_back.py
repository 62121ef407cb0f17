"""A step that was taken back isn't done any more, and what failed for a run stays failed for it."""

from __future__ import annotations

from collections.abc import Mapping

from steward.base.clock import FixedClock
from steward.base.db.contracts import ReadSession
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Customer
from steward.serve.conversations.service import Conversations
from steward.serve.workflows.actions import Actions
from steward.serve.workflows.contracts import Procedure, Run, RunState
from steward.serve.workflows.engine import Engine
from steward.serve.workflows.runs import Runs
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Done,
    FindResult,
    NeverSeen,
    OperationSpec,
    Refused,
)

DEFINITION = Workflow.model_validate(
    {
        "title": "Report a fault",
        "category": "technical",
        "offer": "I can book an engineer.",
        "confirm": "Shall I?",
        "once_per": "line 1",
        "steps": [
            {"name": "ticket", "call": "service.open", "undo": {"call": "service.close"}},
            {"name": "booking", "call": "service.book"},
        ],
        "say": {"done": "Booked.", "failed": "Not booked.", "unknown": "Unknown."},
    }
)


class OneProcess:
    """This process, which lives."""

    instance = 1

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        return instance == self.instance


class Service:
    """A system that keeps keys, opens and closes tickets and refuses the first booking."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self._answers: dict[str, CallResult] = {}

    def operation(self, full_name: str) -> OperationSpec:
        system, name = full_name.split(".")
        return OperationSpec(system, name, "POST", f"/{name}", "write", find="outcome")

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        self.called.append(operation)
        full = operation == "service.book" and self.called.count(operation) == 1
        answer: CallResult = Refused(409, "full", "No visit is free.") if full else Done({}, 200)
        self._answers[idempotency_key or ""] = answer
        return answer

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        return self._answers.get(idempotency_key, NeverSeen())


class TestTakingBack:
    async def test_a_run_resumed_after_its_steps_were_taken_back_has_failed(
        self, database: PooledDatabase, fixed_clock: FixedClock, vault: Vault, conversations: Conversations
    ) -> None:
        started = await conversations.start(
            assistant="northline", channel="web", customer=Customer(None, False, {}), locale=None
        )
        opened, service, runs = started.conversation, Service(), Runs(vault=vault, clock=fixed_clock)
        actions = Actions(
            database=database,
            vault=vault,
            ledger=Ledger(fixed_clock),
            clock=fixed_clock,
            liveness=OneProcess(),
        )
        engine, procedure = (
            Engine(actions=actions, clock=fixed_clock),
            Procedure("report_fault", DEFINITION, service),
        )
        run = Run(
            new_id(fixed_clock), opened.id, opened.customer_id, "r1", "report_fault", RunState.CONFIRMING,
            None, 0, {"customer": {}}, b"d",
        )  # fmt: skip
        async with database.write() as session:
            await runs.save(session, run)

        first = await engine.act(run, procedure, turn_id=None)
        assert first.run.state is RunState.FAILED
        assert service.called == ["service.open", "service.book", "service.close"]
        async with database.read() as session:
            states = await session.all("select step, state from action order by step")
            stored = await runs.get(session, run.id)
        assert states == [("booking", "failed"), ("ticket", "undone"), ("ticket.undo", "done")]
        assert stored is not None
        assert stored.state is RunState.ACTING  # nobody has told the customer yet

        again = await engine.act(stored, procedure, turn_id=None)
        assert again.run.state is RunState.FAILED
        assert service.called == ["service.open", "service.book", "service.close"]
