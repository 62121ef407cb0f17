"""The workflow run that was open when a past turn began.

A run's row holds how it stands now. What it was before a turn is worked out again: its offer and every
message that it heard before are taken through the engine once more, the business systems' answers being
those that the run keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import Purpose
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Conversation, MessageRole
from steward.serve.conversations.queries import select_turn_messages
from steward.serve.conversations.speech import open_body
from steward.serve.conversations.turn_records import TurnRow, select_turns
from steward.serve.turn.decisions import open_decisions
from steward.serve.turn.quiet import NoActions, ReadOnly, recorded_checks
from steward.serve.turn.timing import Stage
from steward.serve.turn.understand import is_question
from steward.serve.workflows.contracts import Heard, Procedure, Run, RunState
from steward.serve.workflows.engine import Engine
from steward.serve.workflows.runs import Runs

OPEN = frozenset(
    {
        RunState.OFFERED,
        RunState.COLLECTING,
        RunState.CONFIRMING,
        RunState.AWAITING_APPROVAL,
        RunState.ACTING,
        RunState.UNKNOWN,
    }
)
_RUNS = """
    select id, updated_at < %(at)s, created_at from workflow_run
    where conversation_id = %(conversation)s and created_at < %(at)s
      and (id = %(run)s or updated_at >= %(at)s or state = any(%(open)s))
    order by (id = %(run)s) desc nulls last, created_at desc limit 1"""


@dataclass(frozen=True, slots=True)
class Heading:
    """A message that a run heard: the customer's real words, and where the turn noted that the run stood."""

    text: str
    was: str | None
    asks: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """A run as it stands now, with what it heard before a turn; the first of `heard` led to its offer.

    `unchanged` tells that nothing has happened to it since; `was` is where the turn itself found it.
    """

    run: Run
    unchanged: bool
    heard: tuple[Heading, ...]
    was: str | None
    verified: bool
    claims: Mapping[str, str]


class Rewinding:
    """Reads pasts of runs and works out how they stood; built once."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._runs = Runs(vault=vault, clock=clock)

    async def past(
        self,
        session: ReadSession,
        conversation: Conversation,
        row: TurnRow,
        key: CustomerKey,
        claims: Mapping[str, str],
    ) -> Past | None:
        """Return the past of the run that was open as a turn began, or None where there was none."""
        found = await session.one(
            _RUNS,
            {
                "conversation": conversation.id,
                "at": row.started_at,
                "run": row.workflow_run_id,
                "open": [state.value for state in OPEN],
            },
        )
        run = None if found is None else await self._runs.get(session, found[0])
        if run is None or found is None:
            return None
        earlier = [turn for turn in await select_turns(session, conversation.id) if turn.id < row.id]
        heard = [await self._heading(session, turn, key, conversation) for turn in heard_by(run, earlier)]
        was = noted(row, key).get("was")
        return Past(run, bool(found[1]), tuple(heard), was, conversation.verified, claims)

    async def _heading(
        self, session: ReadSession, turn: TurnRow, key: CustomerKey, conversation: Conversation
    ) -> Heading:
        messages = await select_turn_messages(session, turn.id)
        masked = next(open_body(item, key) for item in messages if item.role is MessageRole.CUSTOMER)
        text = await self._vault.unmask(
            session, conversation.customer_id, masked, purpose=Purpose.ACTION_ARGUMENT, actor="assistant"
        )
        step = noted(turn, key)
        return Heading(text, step.get("was"), step.get("asks"))


async def rewound(past: Past, procedure: Procedure, clock: Clock) -> Run | None:
    """Return the run as it stood, or None where it had ended.

    Args:
        past: what is known of it.
        procedure: the workflow as the run's own release defines it.
        clock: stands at the turn's beginning.
    """
    if past.unchanged:
        return past.run if past.run.state in OPEN else None
    engine = Engine(actions=NoActions(), clock=clock)
    recorded = recorded_checks(procedure.definition, past.run.values)
    quiet = replace(procedure, connector=ReadOnly(procedure.connector, recorded))
    run = past.run
    if past.heard:
        offered = engine.offer(
            quiet, conversation_id=run.conversation_id, customer_id=run.customer_id,
            release_id=run.release_id, claims=past.claims, text=past.heard[0].text,
        )  # fmt: skip
        run = replace(offered.run, id=run.id)
    for heading in past.heard[1:]:
        move = await engine.hear(run, quiet, Heard(heading.text, past.verified, is_question(heading.text)))
        run = move.run
    if past.was is not None:
        run = replace(run, state=RunState(past.was))
    return run if run.state in OPEN else None


def heard_by(run: Run, turns: Sequence[TurnRow]) -> list[TurnRow]:
    """Return the turn that offered a run and those whose messages it heard, in their order."""
    hearing = [turn for turn in turns if turn.workflow_run_id == run.id]
    before = [
        turn
        for turn in turns
        if turn.workflow == run.workflow
        and turn.workflow_run_id is None
        and (not hearing or turn.id < hearing[0].id)
    ]
    return [*before[-1:], *hearing]


def decisions_of(row: TurnRow, key: CustomerKey) -> list[dict[str, Any]]:
    """Return everything that a turn noted, in its order."""
    if row.decisions is None:
        return []
    return open_decisions(key, row.decisions)


def noted(row: TurnRow, key: CustomerKey) -> dict[str, Any]:
    """Return what a turn noted of the workflow's step, empty where it took none."""
    steps = (
        item
        for item in decisions_of(row, key)
        if item["stage"] == Stage.ACT.value and item["what"] == "workflow"
    )
    return next(steps, {})
