"""The parts of a turn that would change the world, made quiet: for replays and shadow traffic.

They take the places of voice, workflows and closing in the one pipeline, so that a replayed turn takes
the way of a live one. Words are masked as they would be stored, in a transaction that is undone;
a business system is asked only what was not already answered, and only for reading.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.digests import canonical_json
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import ActionState, Delta, Done, Event, Outcome
from steward.serve.conversations.turn_records import TurnRow
from steward.serve.turn.act import Acting
from steward.serve.turn.closing import Closing
from steward.serve.turn.course import Course
from steward.serve.turn.endings import Ending
from steward.serve.turn.receive import Received
from steward.serve.turn.record import done_of, turn_row
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Stage
from steward.serve.turn.voice import EventsBefore, InSameCommit, LastWords, Voice
from steward.serve.workflows.actions import Actions, Decided, Effect, Verdict
from steward.serve.workflows.contracts import Move, Run
from steward.serve.workflows.engine import Engine, fill_arguments
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Connector,
    FindResult,
    OperationSpec,
    Refused,
    Unreachable,
)
from steward.supply.connectors.contracts import Done as Answered

EFFECTS_OFF: Final = "(Here the workflow would act; effects are off.)"
_OFF: Final = "effects are off"
_REFUSED: Final = 404
Recorded = Mapping[tuple[str, bytes], CallResult]
"""Answers of business systems by operation and canonical arguments."""


class _Undo(Exception):
    """Ends a transaction whose writes nobody wants."""


class QuietVoice(Voice):
    """Keeps a turn's words to itself."""

    async def say(
        self,
        text: str = "",
        events: Sequence[Event] = (),
        *,
        verified: str = "",
        separator: str = " ",
        before: EventsBefore | None = None,
        together: InSameCommit | None = None,
        last: LastWords | None = None,
    ) -> tuple[Event, ...]:
        """Return the events that would be delivered; nothing is stored, and nobody is asked or told."""
        masked = verified + (await self._as_stored(text) if text else "")
        words = f"{separator}{masked}" if self.said and masked else masked
        self.said += words
        return (Delta(words), *events) if words else tuple(events)

    async def _as_stored(self, text: str) -> str:
        masked = text
        try:
            async with self._database.write() as session:
                masked = await self._masked(session, text)
                raise _Undo
        except _Undo:
            return masked


class QuietClosing(Closing):
    """Ends one turn without storing it; `row` is what would have been stored."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.row: TurnRow | None = None

    async def end(self, course: Course, ending: Ending) -> AsyncIterator[Event]:
        """Say the last words; yield what would be delivered, `Done` last."""
        course.findings.sent += ending.sentences_said
        course.notes.decide(Stage.RECORD, ending.outcome.value, reason=ending.reason)
        delivered = await course.voice.say(
            ending.text, ending.events, verified=ending.verified, separator=ending.separator
        )
        course.notes.spoke()
        done = self._done(course, ending.outcome, ending.reason)
        for event in delivered:
            yield event
        yield done

    async def fall_silent(self, course: Course) -> Done:
        """End a turn that may not speak; a replayed one always may."""
        return self._done(course, Outcome.SILENT, "taken_over")

    def _done(self, course: Course, outcome: Outcome, reason: str) -> Done:
        self.row = turn_row(
            course.received, course.findings, course.notes, course.runtime, outcome=outcome, reason=reason,
            started_at=course.started_at, finished_at=self._clock.now(),
        )  # fmt: skip
        return done_of(self.row, course.findings.citations)


class NoActions(Actions):
    """Performs nothing: what an engine gets that must never act."""

    def __init__(self) -> None:
        """Take nothing: there is nothing to act with."""

    async def perform(self, run: Run, effect: Effect, connector: Connector, *, turn_id: object) -> Decided:
        """Leave the effect alone."""
        return Decided(Verdict.UNKNOWN, reason=_OFF)

    async def take_back(self, run: Run, effect: Effect) -> None:
        """Leave what was done alone."""


class QuietActing(Acting):
    """Hears and offers as a live turn does; where that would act, it says so instead."""

    def __init__(self, *, database: Database, vault: Vault, clock: Clock) -> None:
        super().__init__(engine=Engine(actions=NoActions(), clock=clock), database=database, vault=vault)

    async def act(self, received: Received, run: Run, runtime: Runtime) -> Move:
        """Return the move of a run that has begun to act; nothing is called."""
        return Move(run, EFFECTS_OFF, Outcome.ACTED, action=ActionState.SENT)


class ReadOnly:
    """A connector that reads at most: first what was answered already, then the system itself."""

    def __init__(self, connector: Connector, recorded: Recorded) -> None:
        self._connector = connector
        self._recorded = recorded

    def operation(self, full_name: str) -> OperationSpec:
        """Return the operation called `system.operation`."""
        return self._connector.operation(full_name)

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        """Return what a read gave then, or gives now; anything else isn't sent."""
        if idempotency_key is not None or self.operation(operation).effect != "read":
            return Unreachable(_OFF)
        recorded = self._recorded.get((operation, canonical_json(dict(arguments))))
        return recorded or await self._connector.call(operation, arguments)

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        """Ask nobody."""
        return Unreachable(_OFF)


def read_only(runtime: Runtime, recorded: Recorded) -> Runtime:
    """Return a runtime whose workflows can't change anything."""
    return replace(
        runtime,
        procedures={
            name: replace(procedure, connector=ReadOnly(procedure.connector, recorded))
            for name, procedure in runtime.procedures.items()
        },
    )


def recorded_checks(definition: Workflow, values: Mapping[str, Any]) -> Recorded:
    """Return what a run's checks were answered, as far as its values still hold it."""
    recorded: dict[tuple[str, bytes], CallResult] = {}
    for check in definition.checks:
        if (result := values.get(check.name)) is not None:
            arguments = fill_arguments(check.arguments, values, optional=True)
            recorded[check.call, canonical_json(dict(arguments))] = _answer(result)
    return recorded


def _answer(result: Mapping[str, Any]) -> CallResult:
    if result.get("refused") is True and "code" in result:
        return Refused(_REFUSED, str(result["code"]), "")
    return Answered(dict(result), 200)
