"""A rollout's page: what happened, when, why, who agreed, what it cost."""

from __future__ import annotations

from datetime import datetime

from steward.base.db.contracts import ReadSession
from steward.improve.insight.contracts import Sums
from steward.improve.rollout import queries
from steward.improve.rollout.contracts import ArmFigures, Rollout, RolloutPage, TriggerVerdict
from steward.improve.rollout.deciding import look
from steward.improve.rollout.situation import ENDED, Situation, gather
from steward.supply.releases.assignment import Arm


async def read_page(
    session: ReadSession,
    rollout: Rollout,
    *,
    at: datetime,
    changes: tuple[str, ...],
    currency: str,
    gate_passed: bool | None,
) -> RolloutPage:
    """Gather the page from the database; the rest is known to the caller."""
    of_it = {"id": rollout.id}
    situation = await gather(session, rollout, at=at)
    both = [rollout.candidate, rollout.baseline]
    numbers: dict[str, int] = {row[0]: row[1] for row in await session.all(queries.NUMBERS, {"ids": both})}
    arms = await _arms(session, situation)
    met = await session.one(queries.MET, of_it)
    looks = await session.all(queries.LOOKS, {**of_it, "category": None})
    return RolloutPage(
        rollout=rollout,
        candidate_number=numbers[rollout.candidate],
        baseline_number=numbers[rollout.baseline],
        events=tuple(map(queries.event_of, await session.all(queries.EVENTS, of_it))),
        approvals=tuple(map(queries.approval_of, await session.all(queries.APPROVALS, of_it))),
        arms=arms,
        latest=_latest(situation),
        points=tuple(map(queries.point_of, looks)),
        changes=changes,
        cost_candidate=sum(arm.cost for arm in arms if arm.arm is Arm.CANDIDATE),
        currency=currency,
        gate_passed=gate_passed,
        customers_met=None if met is None else met[0],
    )


async def _arms(session: ReadSession, situation: Situation) -> tuple[ArmFigures, ...]:
    rows = await session.all(queries.ARMS, {"id": situation.rollout.id})
    return tuple(
        ArmFigures(
            arm=Arm(arm),
            phase=phase,
            customers=customers,
            ended=ended,
            conversations=conversations,
            turns=turns,
            cost=cost,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            sums=_sums(situation, phase, Arm(arm)),
        )
        for arm, phase, customers, ended, conversations, turns, cost, p50_ms, p95_ms in rows
    )


def _sums(situation: Situation, phase: int, arm: Arm) -> dict[str, Sums]:
    together: dict[str, Sums] = {}
    for key, cell in sorted(situation.cells.items()):
        if key.phase == phase and key.arm is arm and key.kpi != ENDED:
            together[key.kpi] = together.get(key.kpi, Sums()).plus(cell.sums)
    return together


def _latest(situation: Situation) -> tuple[TriggerVerdict, ...]:
    """Return the verdicts of the phase that it is in, or of the last that compared two arms."""
    phases = situation.rollout.plan.phases
    compared = [phase for phase in range(situation.rollout.phase + 1) if phases[phase].is_randomised]
    return look(situation, phase=compared[-1]).verdicts if compared else ()
