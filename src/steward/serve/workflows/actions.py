"""Exactly-once effects: written down, called, and what became of them, in that order.

The row comes before the call, the outcome after it. A crash in between leaves a row that is
`intended` by a process that is gone; it is decided by asking the system of record. Only when that
has never seen the key, and the call's deadline has passed, is the same request sent again under the
same key, which a system that honours keys does at most once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.digests import canonical_json
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.serve.workflows.contracts import Liveness, Run
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Connector,
    Done,
    NeverSeen,
    Refused,
    Unreachable,
    Unsure,
)

ARGUMENTS = "action.arguments"
RESULT = "action.result"
LEDGER_KEY = "action.ledger_key"
ASK_AFTER_S = (0.1, 0.4, 1.0)
"""Pauses before each question to the system of record while the customer waits: 1.5 s in all."""


class Verdict(StrEnum):
    """What became of an action."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome of an action; `result` is the system's answer when it was done."""

    verdict: Verdict
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect that a step wants: the operation, its arguments, and what makes it the same effect."""

    workflow: str
    step: str
    operation: str
    arguments: Mapping[str, Argument]
    once_per: str

    @property
    def idempotency_key(self) -> str:
        """The key that travels with the call: the same for the same effect, on any channel."""
        digest = hashlib.sha256(self.once_per.encode()).hexdigest()[:32]
        return f"{self.workflow}.{self.step}.{digest}"


class _Claim(StrEnum):
    """What the action's row says before anything is called."""

    CALL = "call"
    ASK = "ask"
    ASK_AND_RESEND = "ask_and_resend"
    ELSEWHERE = "elsewhere"
    OVER = "over"


class Actions:
    """Performs effects; asked again for an undecided one, it decides that."""

    def __init__(
        self, *, database: Database, vault: Vault, ledger: Ledger, clock: Clock, liveness: Liveness
    ) -> None:
        self._database = database
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._liveness = liveness

    async def perform(
        self, run: Run, effect: Effect, connector: Connector, *, turn_id: UUID | None
    ) -> Decided:
        """Make the effect happen once, now or earlier, and return what became of it."""
        overdue = overdue_after(connector.operation(effect.operation).deadline_s)
        async with self._database.write() as session:
            claim = await self._claim(session, run, effect, turn_id=turn_id, overdue=overdue)
        if claim is _Claim.ELSEWHERE:
            return Decided(Verdict.UNKNOWN, reason="the same action is being done in another conversation")
        if claim is _Claim.OVER:
            return Decided(Verdict.FAILED, reason="it has failed or was taken back")
        if claim is _Claim.CALL:
            decided = decide(await self._call(effect, connector))
            if decided.verdict is Verdict.UNKNOWN:
                decided = await self._ask_while_waiting(effect, connector)
        elif claim is _Claim.ASK_AND_RESEND:
            decided = await self._ask(effect, connector, resend=True)
        else:
            decided = await self._ask_while_waiting(effect, connector)
        await self._settle(run, effect, decided)
        return decided

    async def take_back(self, run: Run, effect: Effect) -> None:
        """Note that another effect has reversed this one: it is done no longer."""
        async with self._database.write() as session:
            changed = await session.execute(
                "update action set state = 'undone' where idempotency_key = %s and state = 'done'",
                (effect.idempotency_key,),
            )
            if changed:
                await self._record(session, "action.undone", run, effect)

    async def _claim(
        self, session: WriteSession, run: Run, effect: Effect, *, turn_id: UUID | None, overdue: timedelta
    ) -> _Claim:
        await session.execute(
            "update workflow_run set state = 'acting', updated_at = %s where id = %s",
            (self._clock.now(), run.id),
        )
        row = await session.one(
            "select id, state, holder, created_at, run_id from action where idempotency_key = %s for update",
            (effect.idempotency_key,),
        )
        if row is None:
            return await self._write_intention(session, run, effect, turn_id)
        state, holder = row[1], row[2]
        # Under its old key the system would only repeat its old answer: what was taken back stays so.
        if state == "undone" or (state == "failed" and row[4] == run.id):
            return _Claim.OVER
        if state == "failed":
            await self._write_intention_again(session, row[0], run, effect, turn_id)
            return _Claim.CALL
        if (
            state == "intended"
            and holder != self._liveness.instance
            and await self._liveness.is_alive(session, holder)
        ):
            return _Claim.ELSEWHERE
        if state != "done" and self._clock.now() - row[3] > overdue:
            return _Claim.ASK_AND_RESEND
        return _Claim.ASK

    async def _write_intention(
        self, session: WriteSession, run: Run, effect: Effect, turn_id: UUID | None
    ) -> _Claim:
        arguments = canonical_json(dict(effect.arguments))
        key = await self._vault.key_for(session, run.customer_id)
        inserted = await session.execute(
            """insert into action (id, run_id, conversation_id, turn_id, workflow, step, operation,
                   idempotency_key, arguments_sealed, arguments_digest, state, holder, attempts, created_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'intended', %s, 1, %s)
               on conflict (idempotency_key) do nothing""",
            (new_id(self._clock), run.id, run.conversation_id, turn_id, effect.workflow, effect.step,
             effect.operation, effect.idempotency_key, key.seal(arguments, ARGUMENTS),
             hashlib.sha256(arguments).digest(), self._liveness.instance, self._clock.now()),
        )  # fmt: skip
        if not inserted:
            return _Claim.ELSEWHERE
        await self._record(session, "action.intended", run, effect)
        return _Claim.CALL

    async def _write_intention_again(
        self, session: WriteSession, action_id: UUID, run: Run, effect: Effect, turn_id: UUID | None
    ) -> None:
        """Try an action that failed for another run anew; from now on it is this run's."""
        arguments = canonical_json(dict(effect.arguments))
        key = await self._vault.key_for(session, run.customer_id)
        await session.execute(
            """update action set state = 'intended', holder = %s, attempts = attempts + 1, error = null,
                   decided_at = null, created_at = %s, run_id = %s, conversation_id = %s, turn_id = %s,
                   arguments_sealed = %s, arguments_digest = %s where id = %s""",
            (self._liveness.instance, self._clock.now(), run.id, run.conversation_id, turn_id,
             key.seal(arguments, ARGUMENTS), hashlib.sha256(arguments).digest(), action_id),
        )  # fmt: skip
        await self._record(session, "action.intended", run, effect)

    async def _call(self, effect: Effect, connector: Connector) -> CallResult:
        return await connector.call(
            effect.operation, effect.arguments, idempotency_key=effect.idempotency_key
        )

    async def _ask_while_waiting(self, effect: Effect, connector: Connector) -> Decided:
        decided = Decided(Verdict.UNKNOWN)
        for pause_s in ASK_AFTER_S:
            await asyncio.sleep(pause_s)
            decided = await self._ask(effect, connector, resend=False)
            if decided.verdict is not Verdict.UNKNOWN:
                return decided
        return decided

    async def _ask(self, effect: Effect, connector: Connector, *, resend: bool) -> Decided:
        found = await connector.find(effect.operation, effect.idempotency_key)
        if isinstance(found, NeverSeen):
            if not resend:
                return Decided(Verdict.UNKNOWN, reason="the system of record hasn't seen the request yet")
            return decide(await self._call(effect, connector))
        if isinstance(found, Unreachable):
            return Decided(Verdict.UNKNOWN, reason=found.reason)
        return decide(found)

    async def _settle(self, run: Run, effect: Effect, decided: Decided) -> None:
        async with self._database.write() as session:
            key = await self._vault.key_for(session, run.customer_id)
            final = decided.verdict is not Verdict.UNKNOWN
            changed = await session.execute(
                """update action set state = %s, error = %s, decided_at = %s,
                       result_sealed = coalesce(%s, result_sealed)
                   where idempotency_key = %s and run_id = %s and state <> 'done'""",
                (decided.verdict.value, decided.reason, self._clock.now() if final else None,
                 key.seal(json.dumps(dict(decided.result)), RESULT) if decided.result else None,
                 effect.idempotency_key, run.id),
            )  # fmt: skip
            if changed and final:
                await self._record(session, f"action.{decided.verdict.value}", run, effect)

    async def _record(self, session: WriteSession, deed: str, run: Run, effect: Effect) -> None:
        # The key is a digest of values that can be guessed; this one is nothing without the customer's own.
        key = await self._vault.key_for(session, run.customer_id)
        named = key.digest(LEDGER_KEY, effect.idempotency_key.encode()).hex()[:32]
        await self._ledger.append(
            session,
            Entry(
                actor="assistant",
                deed=deed,
                subject=f"run:{run.id}",
                details={
                    "workflow": effect.workflow,
                    "step": effect.step,
                    "operation": effect.operation,
                    "key": named,
                    "release": run.release_id,
                },
            ),
        )


def decide(result: CallResult | NeverSeen) -> Decided:
    """Read a call's result: done, certainly not done, or nobody knows."""
    match result:
        case Done():
            return Decided(Verdict.DONE, result.result)
        case Refused():
            return Decided(Verdict.FAILED, reason=f"{result.code} ({result.status})")
        case Unreachable():
            return Decided(Verdict.FAILED, reason=result.reason)
        case Unsure():
            return Decided(Verdict.UNKNOWN, reason=result.reason)
        case NeverSeen():
            return Decided(Verdict.UNKNOWN, reason="the system of record hasn't seen the request yet")


def overdue_after(deadline_s: float) -> timedelta:
    """Return how long after its writing an action that nobody has seen may be sent again."""
    return timedelta(seconds=2 * deadline_s + 1)
