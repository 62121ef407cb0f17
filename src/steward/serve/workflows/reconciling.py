"""Finishing runs outside a turn: approved and denied ones, and those whose outcome nobody knew.

One process at a time sweeps, under an advisory lock. The customer hears the outcome as a notice.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.claims import claims_of
from steward.serve.conversations.contracts import ActionChanged, Event, MessageRole, Speaker
from steward.serve.conversations.queries import Locked, lock_conversation
from steward.serve.conversations.speech import say
from steward.serve.desk.requests import request_human
from steward.serve.workflows.contracts import Move, Procedure, Run, RunState
from steward.serve.workflows.engine import Engine
from steward.serve.workflows.runs import Runs

SWEEP_LOCK = 0x5743_0001
RETRY_EVERY_S = 3
"""Pause between two looks at a run whose outcome is unknown."""

log = structlog.get_logger(__name__)


class Procedures(Protocol):
    """Finds what a release pins."""

    async def procedure(self, release_id: str, workflow: str) -> Procedure:
        """Return a workflow's procedure as the release defines it."""
        ...

    async def detector(self, release_id: str) -> Detector:
        """Return the release's masking rules."""
        ...

    async def queue(self, release_id: str, workflow: str) -> str:
        """Return the queue of the humans who answer for a workflow."""
        ...


class Reconciler:
    """Sweeps undecided runs; built once by the composition root and called by the worker."""

    def __init__(
        self,
        *,
        database: Database,
        runs: Runs,
        engine: Engine,
        vault: Vault,
        clock: Clock,
        procedures: Procedures,
    ) -> None:
        self._database = database
        self._runs = runs
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._procedures = procedures

    async def sweep(self) -> int:
        """Try to finish every undecided run that no turn is busy with; return how many were."""
        finished = 0
        async with self._database.write() as lease:
            row = await lease.one("select pg_try_advisory_xact_lock(%s)", (SWEEP_LOCK,))
            if row is None or not row[0]:
                return 0
            for run_id in await self._undecided():
                finished += await self._finish(run_id)
        return finished

    async def _undecided(self) -> list[UUID]:
        async with self._database.read() as session:
            rows = await session.all(
                """select r.id from workflow_run r join conversation c on c.id = r.conversation_id
                   where c.turn_id is null
                     and (r.state = 'acting'
                          or r.state = 'unknown' and r.updated_at < %s - make_interval(secs => %s)
                          or r.state = 'awaiting_approval' and exists (
                              select 1 from approval a where a.run_id = r.id and a.state = 'denied'))
                   order by r.updated_at limit 50""",
                (self._clock.now(), RETRY_EVERY_S),
            )
        return [row[0] for row in rows]

    async def _finish(self, run_id: UUID) -> bool:
        async with self._database.read() as session:
            run = await self._runs.get(session, run_id)
        if run is None or run.state not in (RunState.ACTING, RunState.UNKNOWN, RunState.AWAITING_APPROVAL):
            return False
        if run.state is RunState.AWAITING_APPROVAL:
            move = self._engine.denied(run)
        else:
            procedure = await self._procedures.procedure(run.release_id, run.workflow)
            move = await self._engine.act(run, procedure, turn_id=None)
        await self._tell(run, move)
        log.info("workflow_reconciled", run=str(run.id), workflow=run.workflow, state=move.run.state.value)
        return move.run.state is not RunState.UNKNOWN

    async def _tell(self, before: Run, move: Move) -> None:
        """Store the run; say the outcome once it is known."""
        assert move.action is not None
        detector = await self._procedures.detector(before.release_id)
        async with self._database.write() as session:
            locked = await lock_conversation(session, before.conversation_id)
            if locked is None or locked.conversation.turn_id is not None:
                return
            await self._runs.save(session, move.run)
            if move.run.state is RunState.UNKNOWN and before.state is RunState.UNKNOWN:
                return
            claims = await claims_of(session, locked.conversation, self._vault)
            masked = await self._vault.mask(
                session, before.customer_id, move.text, detector=detector, known=tuple(claims.items())
            )
            events: list[Event] = [ActionChanged(before.workflow, move.action, masked.text)]
            if move.hand_over is not None and _waits_for_assistant(locked):
                events.append(await self._ask_for_human(session, before, move.hand_over))
            await say(
                session,
                locked,
                key=await self._vault.key_for(session, before.customer_id),
                clock=self._clock,
                role=MessageRole.SYSTEM,
                text=masked.text,
                seq=locked.next_seq,
                events=events,
                announce=True,
            )

    async def _ask_for_human(self, session: WriteSession, run: Run, reason: str) -> Event:
        return await request_human(
            session,
            run.conversation_id,
            turn_id=None,
            queue=await self._procedures.queue(run.release_id, run.workflow),
            reason=reason,
            priority="normal",
            clock=self._clock,
        )


def _waits_for_assistant(locked: Locked) -> bool:
    """Tell whether nobody but the assistant would go on with the conversation."""
    return locked.conversation.state == "open" and locked.conversation.speaker is Speaker.ASSISTANT
