"""Rollouts as people steer them: start, look, go on, stop, go back, agree."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.db.errors import UniqueViolation
from steward.base.errors import Conflict
from steward.base.ids import new_id
from steward.govern.ledger.service import Ledger
from steward.improve.rollout import plan as plans
from steward.improve.rollout import queries
from steward.improve.rollout.contracts import (
    LookPoint,
    PhaseApproval,
    Plan,
    Rollout,
    RolloutEvent,
    RolloutId,
    RolloutKind,
    RolloutPage,
    RolloutState,
    Stage,
)
from steward.improve.rollout.deciding import blocked, look, numbers_of
from steward.improve.rollout.errors import AlreadyUnderWay, NoSuchRollout, NotThatRole, WrongState
from steward.improve.rollout.evidence import exact, text_of
from steward.improve.rollout.gate import Gates, require_comparable, require_gate
from steward.improve.rollout.pages import read_page
from steward.improve.rollout.situation import gather
from steward.improve.rollout.transitions import Cause, Transitions
from steward.supply.releases.assignment import BUCKETS, Baseline, BaselineKind, Holdout, Traffic
from steward.supply.releases.contracts import LoadedRelease, short_id
from steward.supply.releases.service import Releases
from steward.supply.releases.traffic import TrafficControl

ADMIN = "admin"
"""The role that may give every agreement."""


class Rollouts:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        releases: Releases,
        gates: Gates,
        ledger: Ledger,
        traffic: TrafficControl,
        clock: Clock,
    ) -> None:
        self._database = database
        self._releases = releases
        self._gates = gates
        self._traffic = traffic
        self._clock = clock
        self._transitions = Transitions(ledger=ledger, traffic=traffic, clock=clock)

    # ------------------------------------------------------------ starting

    async def start(
        self,
        *,
        assistant: str,
        candidate: str,
        kind: RolloutKind = RolloutKind.ROLLOUT,
        baseline: str | None = None,
        simulated: bool = False,
        plan: Plan | None = None,
        by: str,
        reason: str,
        without_gate: bool = False,
    ) -> Rollout:
        """Begin to divide traffic, or ask for the agreement that the first phase needs.

        Args:
            assistant: whose traffic.
            candidate: the new release: id, beginning of it, or number.
            kind: what for.
            baseline: the release to compare with; by default what the lane serves. On the lane of
                rehearsals and for a shadow it may be another.
            simulated: whether only simulated conversations take part.
            plan: instead of the one of the candidate's rollout.yaml.
            by: who does it, as the ledger writes it.
            reason: why, in words.
            without_gate: go on without a passed evaluation; the ledger says so.

        Raises:
            NoSuchRelease: nothing fits a reference.
            BadPlan: the plan can't be followed.
            NotComparable: the releases differ in what is masked, or not at all.
            GateClosed: the evaluation hasn't passed.
            AlreadyUnderWay: another rollout of the assistant is open on this lane.
        """
        new, old = await self._pair(assistant, candidate, baseline, simulated=simulated)
        written = new.folder.rollout.baseline
        kept = Baseline(BaselineKind(written.kind), written.url, written.model, written.secret)
        if kind is not RolloutKind.ROLLOUT:
            kept = Baseline()
        require_comparable(new, old, against=kept.kind, kind=kind)
        if plan is None:
            plan = plans.plan_of(new.folder, kind=kind)
        plans.require_sound(plan, kind=kind)
        evidence: dict[str, object] = {
            "kind": kind,
            "plan": plans.as_json(plan),
            "candidate_number": new.number,
            "baseline_number": old.number,
            "without_gate": without_gate,
        }
        if kind is not RolloutKind.SHADOW and not without_gate and new.id != old.id:
            gate = await require_gate(self._gates, new.id, old.id)
            evidence["gate"] = {"at": gate.at, "passed": gate.passed, "cases": len(gate.cases)}
        rollout = self._made(new, old, kept, plan, kind=kind, simulated=simulated, by=by)
        try:
            async with self._database.write() as session:
                await self._refuse_second(session, rollout)
                return await self._begin(session, rollout, kept, Cause(by, reason, evidence))
        except UniqueViolation as error:
            if not error.constraint.startswith("rollout_open"):
                raise
            async with self._database.write() as session:
                await self._refuse_second(session, rollout)
            raise

    async def _pair(
        self, assistant: str, candidate: str, baseline: str | None, *, simulated: bool
    ) -> tuple[LoadedRelease, LoadedRelease]:
        new = await self._releases.find(candidate, assistant=assistant)
        if baseline is None:
            old_id = (await self._releases.traffic(assistant, simulated=simulated)).release_id
        else:
            old_id = (await self._releases.find(baseline, assistant=assistant)).id
        return await self._releases.load(new.id), await self._releases.load(old_id)

    def _made(
        self,
        new: LoadedRelease,
        old: LoadedRelease,
        kept: Baseline,
        plan: Plan,
        *,
        kind: RolloutKind,
        simulated: bool,
        by: str,
    ) -> Rollout:
        return Rollout(
            id=RolloutId(new_id(self._clock)),
            assistant=new.assistant,
            simulated=simulated,
            kind=kind,
            candidate=new.id,
            baseline=old.id,
            baseline_kind=kept.kind,
            plan=plan,
            state=RolloutState.WAITING,
            phase=0,
            phase_started_at=None,
            hold_reason=None,
            harmed_categories=(),
            end_reason=None,
            created_by=by,
            created_at=self._clock.now(),
            ended_at=None,
        )

    async def _refuse_second(self, session: WriteSession, rollout: Rollout) -> None:
        for row in await session.all(queries.OPEN, {"assistant": rollout.assistant}):
            other = queries.rollout_of(row)
            shadows = (other.kind is RolloutKind.SHADOW, rollout.kind is RolloutKind.SHADOW)
            if other.simulated == rollout.simulated and shadows[0] == shadows[1]:
                raise AlreadyUnderWay(rollout.assistant, other.id, other.state.value)

    async def _begin(self, session: WriteSession, rollout: Rollout, kept: Baseline, cause: Cause) -> Rollout:
        await session.execute(
            queries.INSERT,
            {
                "id": rollout.id,
                "assistant": rollout.assistant,
                "simulated": rollout.simulated,
                "kind": rollout.kind.value,
                "candidate": rollout.candidate,
                "baseline": rollout.baseline,
                "baseline_kind": rollout.baseline_kind.value,
                "plan": text_of(exact(plans.as_json(rollout.plan))),
                "by": rollout.created_by,
                "at": rollout.created_at,
            },
        )
        if rollout.kind is not RolloutKind.SHADOW:
            await self._lay_out(session, rollout, kept)
        rollout = await self._transitions.note(session, rollout, "started", cause)
        begun = Cause(cause.by, f"phase '{rollout.current.name}' begins", {})
        if rollout.current.approval is not None:
            asking = replace(begun, reason=f"phase '{rollout.current.name}' needs an agreement")
            return await self._transitions.ask_approval(session, rollout, 0, asking)
        return await self._transitions.enter(session, rollout, 0, begun)

    async def _lay_out(self, session: WriteSession, rollout: Rollout, kept: Baseline) -> None:
        """Give the lane its baseline and its holdout; without either being new nothing is written."""
        before = await self._traffic.current(session, rollout.assistant, simulated=rollout.simulated)
        if before.release_id != rollout.baseline and not rollout.simulated:
            raise Conflict(
                f"'{rollout.assistant}' serves release {short_id(before.release_id)}, so that is the "
                f"baseline; serve {short_id(rollout.baseline)} first with `steward release serve`"
            )
        after = replace(before, release_id=rollout.baseline)
        if kept.kind is not BaselineKind.RELEASE:
            after = replace(after, baseline=kept)
        if after.holdout is None and rollout.plan.holdout_share > 0:
            after = replace(after, holdout=_holdout_of(after, rollout))
        if after != before or rollout.simulated:
            await self._traffic.change(session, after)

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

    async def page(self, rollout_id: UUID) -> RolloutPage:
        """Return everything about a rollout: what happened, when, why, who agreed, what it cost."""
        rollout = await self.get(rollout_id)
        difference = await self._releases.diff(rollout.baseline, rollout.candidate)
        gate = await self._gates.gate(rollout.candidate, rollout.baseline)
        candidate = await self._releases.load(rollout.candidate)
        async with self._database.read() as session:
            return await read_page(
                session,
                rollout,
                at=self._clock.now(),
                changes=difference.summary,
                currency=candidate.folder.assistant.currency,
                gate_passed=None if gate is None else gate.passed,
            )

    # ------------------------------------------------------------ steering

    async def advance(self, rollout_id: UUID, *, by: str, reason: str) -> Rollout:
        """Go on to the next phase without waiting for the minimums; conclude an experiment or a shadow.

        What is known to be harmful, a hold and an agreement that is missing stop it all the same, and
        nothing is promoted that isn't safe by every trigger.

        Raises:
            WrongState: it is paused, held or ended, or the evidence doesn't allow it.
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
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _STOPPED, "resumed")
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
            WrongState: it has ended or hasn't begun, or the category doesn't take part.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN, "rolled back")
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
            WrongState: nobody was asked about this phase.
            NotThatRole: another role has to agree; an admin may do it for all.
        """
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            _require(rollout, _OPEN, "decided on", begun=False)
            asked = await self._asked(session, rollout, phase)
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

    async def _asked(self, session: WriteSession, rollout: Rollout, phase: int) -> PhaseApproval:
        rows = await session.all(queries.APPROVALS, {"id": rollout.id})
        for approval in map(queries.approval_of, rows):
            if approval.phase == phase and approval.state == "waiting":
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


def _holdout_of(traffic: Traffic, rollout: Rollout) -> Holdout:
    """Keep a share of the customers on what answers everybody now, for good, under a salt of its own."""
    return Holdout(
        salt=f"holdout {rollout.id}",
        buckets=round(rollout.plan.holdout_share * BUCKETS),
        release_id=traffic.release_id,
        baseline=traffic.baseline,
    )
