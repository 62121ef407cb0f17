"""Rollouts as the console gets them, invented but of one piece."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from uuid import UUID

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.contracts import (
    ALL,
    Advance,
    ArmFigures,
    BreakerPlan,
    Finding,
    LookPoint,
    PhaseApproval,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    Rollout,
    RolloutEvent,
    RolloutId,
    RolloutKind,
    RolloutPage,
    RolloutState,
    Stage,
    TriggerVerdict,
)
from steward.supply.releases.assignment import Arm, BaselineKind
from steward.supply.releases.contracts import ReleaseId

START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
NOW = START + timedelta(days=3, hours=4)
ADA = "account:01a1fe76-f836-73af-8b6a-4d9d3c95a300"
LOW = ("billing_questions", "coverage", "plans")
EVERY = ("billing_questions", "cancellations", "coverage", "plans", "refunds")


def phase(
    name: str, stage: Stage, share: float, categories: tuple[str, ...], role: str | None
) -> PlannedPhase:
    advance = {Stage.INTERNAL: Advance.APPROVAL, Stage.PILOT: Advance.NO_HARM}.get(stage, Advance.SAFE)
    return PlannedPhase(name, stage, share, categories, (), 400, 24.0, advance, role)


PLAN = Plan(
    phases=(
        phase("internal", Stage.INTERNAL, 100, EVERY, "operator"),
        phase("pilot_1", Stage.PILOT, 1, LOW, "operator"),
        phase("pilot_5", Stage.PILOT, 5, LOW, None),
        phase("ramp_50", Stage.RAMP, 50, EVERY, "admin"),
        phase("full", Stage.FULL, 100, EVERY, "admin"),
    ),
    triggers=(
        PlannedTrigger("csat", 0.1, True, matures="survey"),
        PlannedTrigger("escalation_rate", 0.02, False),
        PlannedTrigger("slow_turn_rate", 0.03, False),
        PlannedTrigger("error_rate", 0.01, False, rare=True),
        PlannedTrigger("cost_per_conversation", 0.05, False),
    ),
    alpha=0.05,
    holdout_share=0.02,
    slow_ms=3000,
    stale_hours=24,
    idle_minutes=30,
    survey_hours=72,
    recontact_hours=168,
    breaker=BreakerPlan(8, 40, 0.4),
)


def rollout(state: RolloutState, place: int, **values: object) -> Rollout:
    whole = Rollout(
        id=RolloutId(UUID("01a1fe76-f836-73af-8b6a-4d9d3c95a301")),
        assistant="northline",
        simulated=False,
        kind=RolloutKind.ROLLOUT,
        candidate=ReleaseId("7c" * 32),
        baseline=ReleaseId("6b" * 32),
        baseline_kind=BaselineKind.RELEASE,
        plan=PLAN,
        state=state,
        phase=place,
        phase_started_at=START + timedelta(days=place),
        hold_reason=None,
        harmed_categories=(),
        end_reason=None,
        created_by=ADA,
        created_at=START,
        ended_at=None,
    )
    return replace(whole, **values)  # type: ignore[arg-type]


def verdict(
    kpi: str,
    finding: Finding,
    values: tuple[float | None, float | None],
    bounds: tuple[float | None, float | None],
    *,
    n: int = 312,
    category: str = ALL,
    needed: int | None = None,
) -> TriggerVerdict:
    planned = next(trigger for trigger in PLAN.triggers if trigger.kpi == kpi)
    old, new = values
    harm = None if old is None or new is None else (old - new if planned.higher_is_better else new - old)
    return TriggerVerdict(kpi, category, finding, planned.margin, old, new, harm, *bounds, n * 19, n, needed)


HARMED = (
    verdict("csat", Finding.UNKNOWN, (4.31, 4.02), (-0.12, 0.71), n=61, needed=4800),
    verdict("escalation_rate", Finding.HARMFUL, (0.112, 0.267), (0.12, 0.19)),
    verdict("slow_turn_rate", Finding.SAFE, (0.014, 0.016), (-0.011, 0.021)),
    verdict("error_rate", Finding.UNKNOWN, (0.0004, 0.0), (-0.004, 0.019), needed=900),
    verdict("cost_per_conversation", Finding.NO_DATA, (None, None), (None, None), n=0),
    verdict("escalation_rate", Finding.HARMFUL, (0.09, 0.31), (0.16, 0.29), n=140, category="plans"),
    verdict("escalation_rate", Finding.UNKNOWN, (0.12, 0.14), (-0.05, 0.09), n=120, category="coverage"),
)
SAFE = tuple(
    verdict(kpi, Finding.SAFE, values, bounds, n=4100)
    for kpi, values, bounds in (
        ("csat", (4.31, 4.35), (-0.11, 0.06)),
        ("escalation_rate", (0.112, 0.106), (-0.021, 0.011)),
        ("slow_turn_rate", (0.014, 0.009), (-0.012, 0.004)),
        ("error_rate", (0.0004, 0.0002), (-0.001, 0.002)),
        ("cost_per_conversation", (0.012, 0.011), (-0.004, 0.003)),
    )
)


def share_of(customers: int, share: float) -> Sums:
    hits = customers * share
    return Sums(customers, hits, customers, hits, customers, hits)


def arm(which: Arm, place: int, customers: int, *, escalation: float, csat: float) -> ArmFigures:
    rated = customers // 5
    marks = Sums(customers, rated * csat, rated, rated * (csat**2 + 0.8), rated, rated * csat)
    return ArmFigures(
        arm=which, phase=place, customers=customers, ended=customers - 3, conversations=int(customers * 1.3),
        turns=int(customers * 4.1), cost=customers * 0.0013, p50_ms=412.0, p95_ms=1630.0,
        sums={"escalation_rate": share_of(customers, escalation), "csat": marks},
    )  # fmt: skip


def points(last: tuple[TriggerVerdict, ...], place: int, looks: int = 60) -> tuple[LookPoint, ...]:
    found = []
    for number in range(1, looks + 1):
        part = number / looks
        for item in last:
            if item.harm is None or item.low is None or item.high is None:
                continue
            wider = 1 / sqrt(part)
            low, high = (
                item.harm - (item.harm - item.low) * wider,
                item.harm + (item.high - item.harm) * wider,
            )
            early = replace(item, low=low if part > 0.1 else None, high=high if part > 0.1 else None)
            at = START + timedelta(days=place, minutes=20 * number)
            found.append(LookPoint(at, place, early))
    return tuple(found)


def event(hours: float, kind: str, place: int, actor: str, reason: str, **evidence: object) -> RolloutEvent:
    return RolloutEvent(
        START + timedelta(hours=hours),
        kind,
        place,
        actor,
        reason,
        evidence,
        100 + round(hours * 10),
        UUID(int=100 + round(hours * 10)),
    )


BEGINNING = (
    event(0, "started", 0, ADA, "shorter answers about plans"),
    event(0.1, "approval_asked", 0, "system", "phase 'internal' needs an agreement", role="operator"),
    event(0.5, "approved", 0, ADA, "the evaluation passed"),
    event(0.5, "phase_started", 0, ADA, "phase 'internal' begins"),
    event(24, "phase_started", 1, "system", "nothing harmful after 24 hours"),
    event(48, "phase_started", 2, "system", "nothing harmful after 24 hours"),
)
AGREED = (
    PhaseApproval(
        0, "operator", "approved", START, START + timedelta(minutes=30), ADA, "the evaluation passed"
    ),
    PhaseApproval(1, "operator", "approved", START, START + timedelta(days=1), ADA, "staff liked it"),
)
ARMS = (
    arm(Arm.CANDIDATE, 0, 41, escalation=0.1, csat=4.4),
    arm(Arm.BASELINE, 1, 5900, escalation=0.11, csat=4.3),
    arm(Arm.CANDIDATE, 1, 61, escalation=0.15, csat=4.2),
    arm(Arm.BASELINE, 2, 5928, escalation=0.112, csat=4.31),
    arm(Arm.CANDIDATE, 2, 312, escalation=0.267, csat=4.02),
    arm(Arm.HOLDOUT, 2, 120, escalation=0.121, csat=4.3),
)


def page(
    shown: Rollout, events: tuple[RolloutEvent, ...], latest: tuple[TriggerVerdict, ...], **values: object
) -> RolloutPage:
    whole = RolloutPage(
        rollout=shown,
        candidate_number=7,
        baseline_number=6,
        events=events,
        approvals=AGREED,
        arms=ARMS,
        latest=latest,
        points=points(latest, shown.phase),
        changes=("prompt answer changed", "intent plan_change added", "document plans.md changed"),
        cost_candidate=0.41,
        currency="GBP",
        gate_passed=True,
        customers_met=312,
    )
    return replace(whole, **values)  # type: ignore[arg-type]


def as_kept(item: TriggerVerdict) -> dict[str, object]:
    """Return a verdict as evidence keeps it."""
    kept = {name: getattr(item, name) for name in TriggerVerdict.__slots__}
    return {name: repr(value) if isinstance(value, float) else value for name, value in kept.items()}


def rolled_back() -> RolloutPage:
    """Harm that showed at 5 %, undone by itself."""
    shown = rollout(
        RolloutState.ROLLED_BACK, 2, ended_at=START + timedelta(hours=68), end_reason="escalations rose"
    )
    last = event(
        68,
        "rolled_back",
        2,
        "system",
        "escalation_rate is worse by at least 0.12, more than the margin of 0.02 (after 6240 conversations)",
        verdicts=[as_kept(item) for item in HARMED],
        situation={"phase": 2},
    )
    return page(shown, (*BEGINNING, last), HARMED)


def running() -> RolloutPage:
    """A pilot under way that knows little yet."""
    unsure = tuple(replace(item, finding=Finding.UNKNOWN, low=None if item.harm is None else item.harm - 0.2,
                           high=None if item.harm is None else item.harm + 0.2, needed=5000)
                   if item.finding is Finding.HARMFUL else item for item in HARMED)  # fmt: skip
    return page(rollout(RolloutState.RUNNING, 2), BEGINNING, unsure)


def promoted() -> RolloutPage:
    """One that went all the way."""
    shown = rollout(RolloutState.PROMOTED, 4, ended_at=NOW, end_reason="every trigger is safe")
    more = (
        event(60, "phase_started", 3, "system", "nothing harmful"),
        event(76, "promoted", 4, ADA, "all triggers safe"),
    )
    arms = (
        *ARMS,
        arm(Arm.BASELINE, 3, 4080, escalation=0.112, csat=4.31),
        arm(Arm.CANDIDATE, 3, 4100, escalation=0.106, csat=4.35),
    )
    return page(
        shown,
        (*BEGINNING, *more),
        SAFE,
        arms=arms,
        points=points(SAFE, 3),
        cost_candidate=12.4,
        customers_met=4180,
    )


def waiting() -> RolloutPage:
    """One that nobody has agreed to yet, of invented customers."""
    shown = rollout(RolloutState.WAITING, 0, phase_started_at=None, simulated=True)
    asked = (PhaseApproval(0, "operator", "waiting", START, None, None, None),)
    return page(
        shown,
        BEGINNING[:2],
        (),
        approvals=asked,
        arms=(),
        cost_candidate=0.0,
        gate_passed=None,
        customers_met=0,
    )


def held() -> RolloutPage:
    """One that stopped itself for want of data."""
    shown = rollout(RolloutState.HELD, 2, hold_reason="no survey answers have arrived for 24 hours")
    last = event(70, "held", 2, "system", "no survey answers have arrived for 24 hours")
    return page(shown, (*BEGINNING, last), HARMED[2:4])
