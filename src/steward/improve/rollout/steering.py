"""Rollouts as people steer them: look, go on, stop, go back, agree. Needs nothing but the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.ledger.service import Ledger
from steward.improve.rollout import queries
from steward.improve.rollout.contracts import (
    LookPoint,
    PhaseApproval,
    Rollout,
    RolloutEvent,
    RolloutKind,
    RolloutState,
    Stage,
)
from steward.improve.rollout.deciding import blocked, look, numbers_of, unmet
from steward.improve.rollout.errors import (
    NoSuchCategory,
    NoSuchRollout,
    NothingAsked,
    NotThatRole,
    WrongState,
)
from steward.improve.rollout.gate import closed
from steward.improve.rollout.governing import Conditions
from steward.improve.rollout.situation import gather
from steward.improve.rollout.transitions import Cause, Transitions
from steward.supply.releases.traffic import TrafficControl

ADMIN: Final = "admin"
"""The role that may give every agreement."""


class Steering:
    """Looks at rollouts and changes them; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        traffic: TrafficControl,
        clock: Clock,
        conditions: Conditions,
    ) -> None:
        self._database = database
        self._traffic = traffic
        self._clock = clock
        self._conditions = conditions
        self._transitions = Transitions(ledger=ledger, traffic=traffic, clock=clock)

    # ------------------------------------------------------------ looking

    async def get(self, rollout_id: UUID) -> Rollout:
        """Return a rollout as it stands.

        Raises:
            NoSuchRollout: there is none of this id.
        """
        async with self._database.read() as session:
            row = await session.one(queries.BY_ID, {"id": rollout_id})
        if row is None:
            raise NoSuchRollout(rollout_id)
        return queries.rollout_of(row)

    async def recent(
        self, *, limit: int = 50, assistant: str | None = None, simulated: bool | None = None
    ) -> tuple[Rollout, ...]:
        """List rollouts, the latest first, of one assistant or lane or of all."""
        wanted = {"limit": limit, "assistant": assistant, "simulated": simulated}
        async with self._database.read() as session:
            return tuple(map(queries.rollout_of, await session.all(queries.RECENT, wanted)))

    async def events(self, rollout_id: UUID) -> tuple[RolloutEvent, ...]:
        """Return the timeline, the oldest first."""
        async with self._database.read() as session:
            return tuple(map(queries.event_of, await session.all(queries.EVENTS, {"id": rollout_id})))

    async def looks(self, rollout_id: UUID, *, category: str | None = None) -> tuple[LookPoint, ...]:
        """Return how verdicts went, of one category (`ALL` for all together) or of every one."""
        async with self._database.read() as session:
            rows = await session.all(queries.LOOKS, {"id": rollout_id, "category": category})
        return tuple(map(queries.point_of, rows))

    async def was_taken_back(self, assistant: str, release_id: str) -> bool:
        """Tell whether the latest rollout of a release rolled it back, and nobody has served it since."""
        async with self._database.read() as session:
            row = await session.one(queries.LATEST_OF, {"assistant": assistant, "candidate": release_id})
        return row is not None and row[0] == RolloutState.ROLLED_BACK

    async def missing(self, rollout_id: UUID) -> tuple[str, ...]:
        """Return, in words, what is still missing before the phase can be left; nothing once it has ended."""
        rollout = await self.get(rollout_id)
        if rollout.phase_started_at is None or not rollout.state.is_open:
            return ()
        async with self._database.read() as session:
            situation = await gather(session, rollout, at=self._clock.now())
        return unmet(situation, look(situation))

    # ------------------------------------------------------------ steering

    async def advance(self, rollout_id: UUID, *, by: str, reason: str) -> Rollout:
        """Go on to the next phase without waiting for the minimums; conclude an experiment or a shadow.

        What is known to be harmful, a hold and an agreement that is missing stop it all the same, and
        nothing is promoted that isn't safe by every trigger.

        Raises:
            WrongState: it is paused, held or ended, or the evidence doesn't allow it.
            GateClosed: something that governance.yaml asks for is missing.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            if rollout.kind is not RolloutKind.ROLLOUT:
                _require(rollout, _OPEN, "concluded")
                return await self._transitions.conclude(session, rollout, Cause(by, reason, {}))
            _require(rollout, _GOING_ON, "taken further")
            situation = await gather(session, rollout, at=self._clock.now())
            seen = look(situation)
            following = rollout.phase + 1
            if (obstacle := blocked(situation, seen)) is not None:
                raise WrongState(rollout.id, rollout.state.value, "taken further", obstacle)
            await self._require_conditions(rollout, following)
            cause = Cause(by, reason, numbers_of(situation, seen))
            if situation.lacks_agreement(following):
                return await self._transitions.ask_approval(session, rollout, following, cause)
            if rollout.plan.phases[following].stage is Stage.FULL:
                return await self._transitions.promote(session, rollout, cause)
            return await self._transitions.enter(session, rollout, following, cause)

    async def pause(self, rollout_id: UUID, *, by: str, reason: str) -> Rollout:
        """Assign nobody new until it's resumed; conversations on the candidate stay there.

        Raises:
            WrongState: it has ended, hasn't begun or is paused.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN - {RolloutState.PAUSED}, "paused")
            return await self._transitions.pause(session, rollout, Cause(by, reason, {}), kind="paused")

    async def resume(self, rollout_id: UUID, *, by: str, reason: str) -> Rollout:
        """Go on after a pause or a hold. What made it hold holds it again as long as it lasts.

        Raises:
            WrongState: it is neither paused nor held.
            GateClosed: something that governance.yaml asks for is missing by now.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _STOPPED, "resumed")
            await self._require_conditions(rollout, rollout.phase)
            return await self._transitions.resume(session, rollout, Cause(by, reason, {}))

    async def abort(self, rollout_id: UUID, *, by: str, reason: str) -> Rollout:
        """End it without a judgement; the baseline answers everybody.

        Raises:
            WrongState: it has ended.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN, "aborted", begun=False)
            return await self._transitions.abort(session, rollout, Cause(by, reason, {}))

    async def roll_back(
        self, rollout_id: UUID, *, by: str, reason: str, category: str | None = None
    ) -> Rollout:
        """Take the candidate away from everybody, or in one category; the last category ends the rollout.

        Raises:
            NoSuchCategory: the rollout has none of this name.
            WrongState: it has ended or hasn't begun, or the category doesn't take part.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN, "rolled back")
            if category is not None and category not in rollout.plan.categories:
                raise NoSuchCategory(rollout.id, category, rollout.plan.categories)
            situation = await gather(session, rollout, at=self._clock.now())
            cause = Cause(by, reason, numbers_of(situation, look(situation)))
            left = set(rollout.current.categories) - set(rollout.harmed_categories)
            if category is None or left == {category}:
                return await self._transitions.roll_back(session, rollout, cause)
            if category not in left:
                problem = f"rolled back in category '{category}'"
                raise WrongState(rollout.id, rollout.state.value, problem, "it doesn't take part")
            return await self._transitions.roll_back_categories(session, rollout, (category,), cause)

    async def approve(
        self, rollout_id: UUID, *, phase: int, approve: bool, role: str, by: str, reason: str
    ) -> Rollout:
        """Agree to a phase, or deny it.

        With it the first phase begins; a later one begins as soon as its rule is fulfilled (still). Denied,
        the first phase ends the rollout and a later one pauses it; `resume` asks again.

        Raises:
            NothingAsked: no phase waits for an agreement.
            WrongState: it has ended, or another phase waits for an agreement.
            NotThatRole: another role has to agree; an admin may do it for all.
            GateClosed: something that governance.yaml asks for is missing.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN, "decided on", begun=False)
            asked = await self._asked(session, rollout, phase)
            if approve:
                await self._require_conditions(rollout, phase)
            if role not in (asked.role, ADMIN):
                raise NotThatRole(rollout.plan.phases[phase].name, asked.role)
            decided = {
                "id": rollout.id,
                "phase": phase,
                "state": "approved" if approve else "denied",
                "at": self._clock.now(),
                "by": by,
                "reason": reason,
            }
            await session.execute(queries.DECIDE_APPROVAL, decided)
            evidence = {"asked_phase": phase, "role": asked.role, "as": role}
            return await self._decided(session, rollout, Cause(by, reason, evidence), approve=approve)

    async def _require_conditions(self, rollout: Rollout, phase: int) -> None:
        missing = await self._conditions.missing(rollout, phase=phase)
        if missing:
            raise closed(rollout.candidate, rollout.plan.phases[phase].name, missing)

    async def _asked(self, session: WriteSession, rollout: Rollout, phase: int) -> PhaseApproval:
        rows = await session.all(queries.APPROVALS, {"id": rollout.id})
        waiting = [item for item in map(queries.approval_of, rows) if item.state == "waiting"]
        if not waiting:
            raise NothingAsked(rollout.id, rollout.state.value)
        for approval in waiting:
            if approval.phase == phase:
                return approval
        names = [item.name for item in rollout.plan.phases]
        name = names[phase] if 0 <= phase < len(names) else str(phase)
        raise WrongState(
            rollout.id, rollout.state.value, f"decided on for phase '{name}'", "nobody was asked about it"
        )

    async def _decided(
        self, session: WriteSession, rollout: Rollout, cause: Cause, *, approve: bool
    ) -> Rollout:
        first = rollout.phase_started_at is None
        if approve:
            agreed = rollout if first else replace(rollout, state=_after_agreement(rollout))
            rollout = await self._transitions.note(session, agreed, "approved", cause)
            if not first:
                return rollout
            begun = Cause(cause.by, f"phase '{rollout.current.name}' begins", {})
            return await self._transitions.enter(session, rollout, 0, begun)
        if not first:
            return await self._transitions.pause(session, rollout, cause, kind="denied")
        rollout = await self._transitions.note(session, rollout, "denied", cause)
        return await self._transitions.abort(session, rollout, cause)


_OPEN = frozenset(state for state in RolloutState if state.is_open)
_GOING_ON = frozenset({RolloutState.RUNNING, RolloutState.WAITING})
_STOPPED = frozenset({RolloutState.PAUSED, RolloutState.HELD})


def _require(rollout: Rollout, states: frozenset[RolloutState], deed: str, *, begun: bool = True) -> None:
    """Refuse what can't be done to a rollout where it stands; most of it only once traffic is divided."""
    waits = rollout.state.is_open and rollout.phase_started_at is None
    if rollout.state not in states or (begun and waits):
        state = "waiting to begin" if waits else rollout.state.value.replace("_", " ")
        raise WrongState(rollout.id, state, deed)


def _after_agreement(rollout: Rollout) -> RolloutState:
    """What waited goes on; what was stopped meanwhile stays so."""
    return RolloutState.RUNNING if rollout.state is RolloutState.WAITING else rollout.state
