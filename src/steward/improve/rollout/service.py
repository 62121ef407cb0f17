"""Rollouts: starting them, and everything that a page tells of one. Steering them is inherited."""

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
    Plan,
    Rollout,
    RolloutId,
    RolloutKind,
    RolloutPage,
    RolloutState,
)
from steward.improve.rollout.errors import AlreadyUnderWay
from steward.improve.rollout.evidence import exact, text_of
from steward.improve.rollout.gate import Gates, closed, require_comparable, require_gate
from steward.improve.rollout.governing import Conditions
from steward.improve.rollout.pages import read_page
from steward.improve.rollout.steering import Steering
from steward.improve.rollout.transitions import Cause
from steward.supply.releases.assignment import BUCKETS, Baseline, BaselineKind, Holdout, Traffic
from steward.supply.releases.contracts import LoadedRelease, short_id
from steward.supply.releases.service import Releases
from steward.supply.releases.traffic import TrafficControl


class Rollouts(Steering):
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
        conditions: Conditions,
    ) -> None:
        super().__init__(
            database=database, ledger=ledger, traffic=traffic, clock=clock, conditions=conditions
        )
        self._releases = releases
        self._gates = gates

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
            without_gate: go on without a passed evaluation or what governance asks; the ledger says so.

        Raises:
            NoSuchRelease: nothing fits a reference.
            BadPlan: the plan can't be followed.
            NotComparable: the releases differ in what is masked, or not at all.
            GateClosed: the evaluation hasn't passed, or something that governance.yaml asks for is missing.
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
        missing = await self._conditions.missing(rollout, phase=0)
        if missing and not without_gate:
            raise closed(new.id, rollout.current.name, missing)
        if missing:
            evidence["missing"] = list(missing)
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
        before = await self._traffic.hold(session, rollout.assistant, simulated=rollout.simulated)
        if before.release_id != rollout.baseline and not rollout.simulated:
            raise Conflict(
                f"'{rollout.assistant}' serves release {short_id(before.release_id)}, so that is the "
                f"baseline; serve {short_id(rollout.baseline)} first with `steward release serve`"
            )
        if kept.kind is BaselineKind.RELEASE and before.baseline.kind is not BaselineKind.RELEASE:
            raise Conflict(
                f"what '{rollout.assistant}' is answered by now is {before.baseline.kind.value}, not release "
                f"{short_id(before.release_id)}; name that as `baseline` in rollout.yaml"
            )
        after = replace(before, release_id=rollout.baseline)
        if kept.kind is not BaselineKind.RELEASE:
            after = replace(after, baseline=kept)
        if after.holdout is None and rollout.plan.holdout_share > 0:
            after = replace(after, holdout=_holdout_of(after, rollout))
        if after != before or rollout.simulated:
            await self._traffic.change(session, after)

    # ------------------------------------------------------------ looking

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


def _holdout_of(traffic: Traffic, rollout: Rollout) -> Holdout:
    """Keep a share of the customers on what answers everybody now, for good, under a salt of its own."""
    return Holdout(
        salt=f"holdout {rollout.id}",
        buckets=round(rollout.plan.holdout_share * BUCKETS),
        release_id=traffic.release_id,
        baseline=traffic.baseline,
    )
