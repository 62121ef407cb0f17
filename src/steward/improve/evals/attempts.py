"""One attempt at a case: a conversation through the services that serve customers, undone at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from steward.base.db.contracts import Database
from steward.improve.evals.checking import Told, faults_of, told_by
from steward.improve.evals.contracts import Attempt
from steward.improve.evals.effects import Noted, note_into
from steward.improve.evals.pace import Pace
from steward.improve.evals.undone import undone
from steward.serve.conversations.contracts import Customer, MessageRole, TurnId
from steward.serve.conversations.service import Conversations
from steward.serve.turn.runtime import Runtimes
from steward.serve.turn.service import Turns
from steward.supply.assistant.schema.cases import Case

CHANNEL: Final = "evaluation"
FINISH_WITHIN_S = 5.0
MODEL_FAILED = "model failed"
"""What a turn's row says of its route when no model of the chain answered."""
SYSTEM_AGAIN_S, MODEL_AGAIN_S = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The services of live turns on a database that is undone, effects off."""

    conversations: Conversations
    turns: Turns


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run needs while it lasts.

    `lanes` are connections of its own, so that live turns don't wait for those of evaluations;
    `set_stage` builds the services for one conversation; `at_once` is how many are held at once.
    """

    lanes: Database
    runtimes: Runtimes
    set_stage: Callable[[Database, str], Stage]
    at_once: int


OpenRehearsal = Callable[[], AbstractAsyncContextManager[Rehearsal]]
"""Opens what a run needs and closes all of it; the composition root implements it."""


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt, and how long to wait before it is worth making again; None where it says enough."""

    attempt: Attempt
    again_after_s: float | None


async def attempt_case(
    case: Case, rehearsal: Rehearsal, *, assistant: str, release_id: str, pace: Pace
) -> Made:
    """Hold the case's conversation on a release and say what came of it."""
    noted = Noted()
    note_into(noted)
    told: list[Told] = []
    faults: list[str] = []
    async with undone(rehearsal.lanes) as database:
        stage = rehearsal.set_stage(database, release_id)
        try:
            conversation_id = await _open(stage, case, assistant=assistant, release_id=release_id)
            for number, turn in enumerate(case.turns, 1):
                await pace.wait()
                messages = stage.turns.message(conversation_id, turn.customer, key=f"turn-{number}")
                heard = told_by([event async for event in messages])
                if heard is None:
                    faults.append(f"turn {number}: the turn broke")
                    break
                told.append(heard)
                faults += [f"turn {number}: {fault}" for fault in faults_of(turn.expect, heard)]
        finally:
            # A turn goes on when its listener is gone; this one must not outlive its transaction.
            await stage.turns.finish(within_s=FINISH_WITHIN_S)
        said = await _masked_answers(stage.conversations, conversation_id)
        routes = await _routes(database, conversation_id)
    model_failed = MODEL_FAILED in routes
    again_after_s = MODEL_AGAIN_S if model_failed else SYSTEM_AGAIN_S if noted.systems else None
    texts = tuple(said.get(turn.turn_id, "") for turn in told)
    return Made(_attempt(told, faults, texts, noted, model_failed=model_failed), again_after_s)


async def _open(stage: Stage, case: Case, *, assistant: str, release_id: str) -> UUID:
    started = await stage.conversations.start(
        assistant=assistant,
        channel=CHANNEL,
        customer=Customer(reference=None, verified=bool(case.customer), claims=case.customer),
        locale=None,
        simulated=True,
        release_id=release_id,
    )
    return started.conversation.id


async def _masked_answers(conversations: Conversations, conversation_id: UUID) -> dict[TurnId | None, str]:
    messages = await conversations.transcript(conversation_id)
    return {item.turn_id: item.text for item in messages if item.role is MessageRole.ASSISTANT}


async def _routes(database: Database, conversation_id: UUID) -> frozenset[str]:
    async with database.read() as session:
        rows = await session.all(
            "select distinct route from turn where conversation_id = %s and route is not null",
            (conversation_id,),
        )
    return frozenset(row[0] for row in rows)


def _attempt(
    told: Sequence[Told], faults: Sequence[str], texts: tuple[str, ...], noted: Noted, *, model_failed: bool
) -> Attempt:
    unanswered = [
        f"needs the system '{name}' ({why}): start it, or say where with STEWARD_SYSTEM_{name.upper()}_URL"
        for name, why in sorted(noted.systems.items())
    ]
    if model_failed:
        unanswered.append("needs a chat model, and none answered")
    costs = [turn.cost for turn in told if turn.cost is not None]
    return Attempt(
        passed=not faults and not unanswered,
        faults=tuple(unanswered) or tuple(faults),
        texts=texts,
        outcomes=tuple(turn.outcome.value for turn in told),
        latency_ms=sum(turn.latency_ms for turn in told) / len(told) if told else 0.0,
        cost=sum(costs) if costs else None,
        runnable=not unanswered,
    )
