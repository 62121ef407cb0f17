"""Stage 8: workflows. A model or an intent proposes; the engine decides; only the engine acts."""

from __future__ import annotations

from steward.base.db.contracts import Database
from steward.govern.privacy.contracts import Purpose
from steward.govern.privacy.vault import Vault
from steward.serve.turn.receive import Received
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.understand import Understood
from steward.serve.workflows.contracts import Heard, Move, Run, RunState
from steward.serve.workflows.engine import Engine

ASSISTANT = "assistant"


class Acting:
    """What the turn does with workflows; built once by the composition root."""

    def __init__(self, *, engine: Engine, database: Database, vault: Vault) -> None:
        self._engine = engine
        self._database = database
        self._vault = vault

    async def hear(self, received: Received, understood: Understood, run: Run, runtime: Runtime) -> Move:
        """Work out what a message means to the open run. A move whose run is `ACTING` goes to `act`."""
        real_text = await self._real_words(received)
        heard = Heard(real_text, received.conversation.verified, understood.question)
        return await self._engine.hear(run, runtime.procedures[run.workflow], heard)

    async def act(self, received: Received, run: Run, runtime: Runtime) -> Move:
        """Perform the confirmed run's steps, each exactly once, and say what became of them."""
        procedure = runtime.procedures[run.workflow]
        return await self._engine.act(run, procedure, turn_id=received.turn_id)

    async def propose(self, received: Received, workflow: str, runtime: Runtime) -> Move:
        """Offer a workflow; the run is kept with the answer that offers it."""
        return self._engine.offer(
            runtime.procedures[workflow],
            conversation_id=received.conversation.id,
            customer_id=received.conversation.customer_id,
            release_id=received.conversation.release_id,
            claims=received.claims,
            text=await self._real_words(received),
        )

    async def _real_words(self, received: Received) -> str:
        async with self._database.read() as session:
            return await self._vault.unmask(
                session,
                received.conversation.customer_id,
                received.text,
                purpose=Purpose.ACTION_ARGUMENT,
                actor=ASSISTANT,
            )


def workflow_to_offer(understood: Understood, open_run: Run | None) -> str | None:
    """Return the workflow that an intent leads to, unless one is under way."""
    under_way = open_run is not None and open_run.state is not RunState.OFFERED
    return None if under_way else understood.intent.workflow
