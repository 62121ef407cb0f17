"""Effects off: reads reach the real systems, writes are answered as rehearsed and sent to nobody.

Actions take the way that they always take, under a key that no real action has, and write nothing into the
ledger. A system that doesn't answer is noted for the attempt that met it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.serve.turn.runtime import Runtime, Runtimes
from steward.serve.workflows.actions import Actions, Decided, Effect
from steward.serve.workflows.contracts import Procedure, Run
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.assistant.texts import placeholders
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Connector,
    Done,
    FindResult,
    NeverSeen,
    OperationSpec,
    Unreachable,
    Unsure,
)
from steward.supply.releases.assignment import Traffic
from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.traffic import TrafficControl

REHEARSED = "(rehearsed)"
"""Stands for what only the real system could have answered, such as the number of a refund."""


@dataclass(slots=True)
class Noted:
    """Systems that didn't answer an attempt, and why: that says nothing about the release."""

    systems: dict[str, str] = field(default_factory=dict)


_NOTED: ContextVar[Noted | None] = ContextVar("evaluation_noted", default=None)


def note_into(noted: Noted) -> None:
    """Note into this from now on, in the task that calls and in those that it starts."""
    _NOTED.set(noted)


class EffectsOff:
    """A `Connector` that reads and never writes; `answers` are what each write is answered with."""

    def __init__(self, inner: Connector, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self._inner = inner
        self._answers = answers

    def operation(self, full_name: str) -> OperationSpec:
        """Return the operation called `system.operation`."""
        return self._inner.operation(full_name)

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        """Call a read; answer a write as if it had been done."""
        spec = self._inner.operation(operation)
        if spec.effect == "write":
            return Done({**self._answers.get(operation, {}), **arguments}, 200)
        result = await self._inner.call(operation, arguments, idempotency_key=idempotency_key)
        noted = _NOTED.get()
        if noted is not None and isinstance(result, Unreachable | Unsure):
            noted.systems[spec.system] = result.reason
        return result

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        """Know no key: nothing was sent."""
        return NeverSeen()


class NoLedger(Ledger):
    """Takes entries and keeps none: its transaction is undone."""

    async def append(self, session: WriteSession, entry: Entry) -> UUID:
        """Keep nothing."""
        return UUID(int=0)


class PinnedTraffic(TrafficControl):
    """Traffic of nobody but the release that is evaluated; it keeps no change of real traffic waiting."""

    def __init__(self, clock: Clock, release_id: str) -> None:
        super().__init__(clock)
        self._release_id = ReleaseId(release_id)

    async def enter(self, session: WriteSession, assistant: str, *, simulated: bool) -> None:
        """Take no lock: nothing changes here."""

    async def current(self, session: ReadSession, assistant: str, *, simulated: bool) -> Traffic:
        """Return the release, undivided."""
        return Traffic(assistant, simulated, self._release_id, 0)


class RehearsedActions(Actions):
    """Actions under keys of their own, so that a real one is neither met nor kept waiting."""

    async def perform(
        self, run: Run, effect: Effect, connector: Connector, *, turn_id: UUID | None
    ) -> Decided:
        """Perform the effect on a connector that sends nothing."""
        return await super().perform(run, _apart(run, effect), connector, turn_id=turn_id)

    async def take_back(self, run: Run, effect: Effect) -> None:
        """Note that the effect was reversed."""
        await super().take_back(run, _apart(run, effect))


class RehearsedRuntimes(Runtimes):
    """Runtimes whose procedures cause no effects."""

    async def of(self, release_id: str) -> Runtime:
        """Return a release's runtime."""
        return _rehearsed(await super().of(release_id))

    def ready(self, release_id: str) -> Runtime | None:
        """Return a runtime that is already built."""
        runtime = super().ready(release_id)
        return None if runtime is None else _rehearsed(runtime)


def rehearsed_answers(workflow: Workflow) -> dict[str, dict[str, str]]:
    """Return, by operation, a stand-in for each field that the workflow's texts take from its steps."""
    say = workflow.say
    calls = [(step.name, step.call, step.arguments) for step in workflow.steps]
    undos = [step.undo.arguments for step in workflow.steps if step.undo]
    arguments = [*(given for _, _, given in calls), *undos]
    texts = [say.done, say.failed, say.unknown, say.cancelled]
    texts += [text for given in arguments for text in given.values() if isinstance(text, str)]
    paths = {path for text in texts for path in placeholders(text)}
    return {
        call: {path.split(".", 1)[1]: REHEARSED for path in sorted(paths) if path.startswith(f"{step}.")}
        for step, call, _ in calls
    }


def _rehearsed(runtime: Runtime) -> Runtime:
    procedures = {
        name: Procedure(
            name,
            procedure.definition,
            EffectsOff(procedure.connector, rehearsed_answers(procedure.definition)),
        )
        for name, procedure in runtime.procedures.items()
    }
    return replace(runtime, procedures=procedures)


def _apart(run: Run, effect: Effect) -> Effect:
    return replace(effect, once_per=f"{effect.once_per} evaluation {run.id}")
