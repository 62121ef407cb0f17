"""What can happen to a rollout: its row, the traffic, the timeline and the ledger, changed together.

Every method works in the caller's transaction on a rollout that `lock` returned, so two processes
can't both decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import WriteSession
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.improve.rollout import queries
from steward.improve.rollout.contracts import Rollout, RolloutKind, RolloutState, Stage
from steward.improve.rollout.errors import NoSuchRollout
from steward.improve.rollout.evidence import exact, text_of
from steward.improve.rollout.plan import buckets_of
from steward.supply.releases.assignment import Baseline, Split
from steward.supply.releases.traffic import TrafficControl

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Cause:
    """Who or what makes something happen. `event_at` is the last thing that happened that decided it."""

    by: str
    reason: str
    evidence: Mapping[str, Any]
    event_at: datetime | None = None


class Transitions:
    """Built once by the composition root."""

    def __init__(self, *, ledger: Ledger, traffic: TrafficControl, clock: Clock) -> None:
        self._ledger = ledger
        self._traffic = traffic
        self._clock = clock

    async def lock(self, session: WriteSession, rollout_id: UUID) -> Rollout:
        """Return a rollout as it stands, and keep others from changing it until the transaction ends.

        Raises:
            NoSuchRollout: there is none of this id.
        """
        await session.one(queries.LET_GO_WHEN_STILL)
        row = await session.one(queries.LOCK, {"id": rollout_id})
        if row is None:
            raise NoSuchRollout(rollout_id)
        return queries.rollout_of(row)

    # ------------------------------------------------------------ going on

    async def enter(self, session: WriteSession, rollout: Rollout, phase: int, cause: Cause) -> Rollout:
        """Begin a phase: traffic is divided as it says, and nobody who was on the candidate leaves it."""
        entered = replace(
            rollout,
            state=RolloutState.RUNNING,
            phase=phase,
            phase_started_at=self._clock.now(),
            hold_reason=None,
        )
        return await self._change(session, entered, "phase_started", cause, divide=split_of(entered))

    async def promote(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """Let the candidate answer everybody but the permanent holdout; the last phase is this."""
        ended = self._ended(rollout, RolloutState.PROMOTED, cause)
        last = len(rollout.plan.phases) - 1
        ended = replace(ended, phase=last, phase_started_at=self._clock.now())
        return await self._change(session, ended, "promoted", cause, promote=True)

    async def conclude(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """End an experiment or a shadow; the baseline answers everybody."""
        return await self._change(
            session, self._ended(rollout, RolloutState.CONCLUDED, cause), "concluded", cause
        )

    async def ask_approval(
        self, session: WriteSession, rollout: Rollout, phase: int, cause: Cause
    ) -> Rollout:
        """Wait until somebody agrees to a phase; the one before goes on meanwhile."""
        role = role_for(rollout, phase)
        parameters = {"id": rollout.id, "phase": phase, "role": role, "at": self._clock.now()}
        asked = await session.execute(queries.ASK_APPROVAL, parameters)
        waiting = replace(rollout, state=RolloutState.WAITING, hold_reason=None)
        if not asked:
            return await self._store(session, waiting)
        cause = replace(cause, evidence={**cause.evidence, "asked_phase": phase, "role": role})
        return await self._change(session, waiting, "approval_asked", cause, keep=True)

    # ------------------------------------------------------------ stopping for a while

    async def hold(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """Stop going on; traffic stays as it is, so that what is missing can arrive."""
        held = replace(rollout, state=RolloutState.HELD, hold_reason=cause.reason)
        return await self._change(session, held, "held", cause, keep=True)

    async def pause(self, session: WriteSession, rollout: Rollout, cause: Cause, *, kind: str) -> Rollout:
        """Assign nobody new; conversations that are on the candidate stay there."""
        paused = replace(rollout, state=RolloutState.PAUSED, hold_reason=cause.reason)
        return await self._change(session, paused, kind, cause, divide=split_of(paused))

    async def resume(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """Go on after a hold or a pause."""
        running = replace(rollout, state=RolloutState.RUNNING, hold_reason=None)
        held = rollout.state is RolloutState.HELD
        return await self._change(session, running, "resumed", cause, divide=split_of(running), keep=held)

    # ------------------------------------------------------------ going back

    async def roll_back(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """Take the candidate away from everybody."""
        ended = self._ended(rollout, RolloutState.ROLLED_BACK, cause)
        return await self._change(session, ended, "rolled_back", cause)

    async def roll_back_categories(
        self, session: WriteSession, rollout: Rollout, categories: tuple[str, ...], cause: Cause
    ) -> Rollout:
        """Take the candidate away in some categories; the others go on."""
        harmed = tuple(sorted({*rollout.harmed_categories, *categories}))
        left = replace(rollout, harmed_categories=harmed)
        cause = replace(cause, evidence={**cause.evidence, "categories": sorted(categories)})
        return await self._change(session, left, "category_rolled_back", cause, divide=split_of(left))

    async def abort(self, session: WriteSession, rollout: Rollout, cause: Cause) -> Rollout:
        """End without a judgement."""
        return await self._change(
            session, self._ended(rollout, RolloutState.ABORTED, cause), "aborted", cause
        )

    # ------------------------------------------------------------ the one place that writes

    async def note(self, session: WriteSession, rollout: Rollout, kind: str, cause: Cause) -> Rollout:
        """Put something in the timeline and the ledger that changes neither state nor traffic."""
        return await self._change(session, rollout, kind, cause, keep=True)

    async def _change(
        self,
        session: WriteSession,
        after: Rollout,
        kind: str,
        cause: Cause,
        *,
        divide: Split | None = None,
        promote: bool = False,
        keep: bool = False,
    ) -> Rollout:
        """Store the rollout, change its traffic, and write both down with what it stood on."""
        evidence: dict[str, Any] = dict(cause.evidence)
        if not keep and after.kind is not RolloutKind.SHADOW:
            evidence |= await self._move_traffic(session, after, divide, promote=promote)
            in_flight = await self._traffic.in_flight(session, after.id, after.candidate)
            evidence["in_flight"] = [str(turn) for turn in in_flight]
        now = self._clock.now()
        if cause.event_at is not None:
            evidence["event_at"] = cause.event_at
            evidence["decided_within_ms"] = max(0, round((now - cause.event_at).total_seconds() * 1000))
        await self._store(session, after)
        kept = exact(evidence)
        entry = Entry(
            cause.by,
            f"rollout.{kind}",
            f"rollout:{after.id}",
            {
                "assistant": after.assistant,
                "simulated": after.simulated,
                "candidate": after.candidate,
                "baseline": after.baseline,
                "phase": after.plan.phases[after.phase].name,
                "state": after.state.value,
                "reason": cause.reason,
                "evidence": text_of(kept),
            },
        )
        written = await self._ledger.append(session, entry)
        await session.execute(
            queries.PUT_EVENT,
            {
                "id": new_id(self._clock),
                "rollout": after.id,
                "at": now,
                "kind": kind,
                "phase": after.phase,
                "actor": cause.by,
                "reason": cause.reason,
                "evidence": text_of(kept),
                "entry": written,
            },
        )
        return after

    async def _move_traffic(
        self, session: WriteSession, rollout: Rollout, divide: Split | None, *, promote: bool
    ) -> dict[str, Any]:
        """Change the lane's one row; nothing is touched that another rollout has made of it."""
        before = await self._traffic.hold(session, rollout.assistant, simulated=rollout.simulated)
        ours = before.split is None or before.split.rollout_id == rollout.id
        if not ours or (divide is None and not promote and before.split is None):
            return {"generation_before": before.generation, "generation_after": before.generation}
        wanted = replace(before, split=divide)
        if promote:
            wanted = replace(wanted, release_id=rollout.candidate, baseline=Baseline())
        after = await self._traffic.change(session, wanted)
        return {"generation_before": before.generation, "generation_after": after.generation}

    async def _store(self, session: WriteSession, rollout: Rollout) -> Rollout:
        await session.execute(
            queries.UPDATE,
            {
                "id": rollout.id,
                "state": rollout.state.value,
                "phase": rollout.phase,
                "phase_started_at": rollout.phase_started_at,
                "hold_reason": rollout.hold_reason,
                "harmed": list(rollout.harmed_categories),
                "end_reason": rollout.end_reason,
                "ended_at": rollout.ended_at,
            },
        )
        return rollout

    def _ended(self, rollout: Rollout, state: RolloutState, cause: Cause) -> Rollout:
        return replace(
            rollout, state=state, hold_reason=None, end_reason=cause.reason, ended_at=self._clock.now()
        )


def split_of(rollout: Rollout) -> Split | None:
    """Return the division of traffic that a rollout's state asks for; None before its first phase."""
    if rollout.phase_started_at is None or not rollout.state.is_open:
        return None
    phase = rollout.current
    return Split(
        rollout_id=rollout.id,
        phase=rollout.phase,
        candidate=rollout.candidate,
        candidate_buckets=buckets_of(phase.share_percent),
        categories=frozenset(phase.categories) - frozenset(rollout.harmed_categories),
        channels=frozenset(phase.channels),
        staff_only=phase.stage is Stage.INTERNAL,
        staff_stay=any(before.stage is Stage.INTERNAL for before in rollout.plan.phases[: rollout.phase]),
        paused=rollout.state is RolloutState.PAUSED,
    )


def role_for(rollout: Rollout, phase: int) -> str:
    """Return who has to agree to a phase: the role it names, else an operator."""
    return rollout.plan.phases[phase].approval or "operator"
