"""A plan for tests of rollouts."""

from steward.improve.rollout.contracts import (
    Advance,
    BreakerPlan,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    Stage,
)

ESCALATION = PlannedTrigger("escalation_rate", 0.02, higher_is_better=False)
CSAT = PlannedTrigger("csat", 0.1, higher_is_better=True, matures="survey")
ERRORS = PlannedTrigger("error_rate", 0.01, higher_is_better=False, rare=True)


def phase(name: str, stage: Stage, share: float, *categories: str) -> PlannedPhase:
    return PlannedPhase(name, stage, share, categories, (), 200, 48.0, Advance.SAFE, None)


def plan(*phases: PlannedPhase, triggers: tuple[PlannedTrigger, ...] = (ESCALATION, CSAT, ERRORS)) -> Plan:
    return Plan(
        phases=phases
        or (
            phase("internal", Stage.INTERNAL, 100, "a", "b"),
            phase("pilot", Stage.PILOT, 1, "a"),
            phase("ramp_25", Stage.RAMP, 25, "a", "b"),
            phase("ramp_50", Stage.RAMP, 50, "a", "b", "c"),
            phase("full", Stage.FULL, 100, "a", "b", "c"),
        ),
        triggers=triggers,
        alpha=0.05,
        holdout_share=0.02,
        slow_ms=3000,
        stale_hours=24,
        idle_minutes=30,
        survey_hours=72,
        recontact_hours=168,
        breaker=BreakerPlan(8, 40, 0.4),
    )
