"""From rollout.yaml to a plan that a rollout keeps, and plans as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any, Final

from steward.govern.access.permissions import ROLE_PERMISSIONS, Permission
from steward.improve.insight.contracts import Better
from steward.improve.insight.errors import KpiNotFound, NotATrigger
from steward.improve.insight.kpis import trigger_of
from steward.improve.rollout.contracts import (
    Advance,
    BreakerPlan,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    RolloutKind,
    Stage,
)
from steward.improve.rollout.errors import BadPlan
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.rollout import Phase, Rollout, Trigger
from steward.supply.releases.assignment import BUCKETS

HALF: Final = 50.0
AGREEING: Final = frozenset(
    role.value for role, permissions in ROLE_PERMISSIONS.items() if Permission.ROLLOUT_APPROVE in permissions
)
"""Roles that may agree to a phase."""
EXPERIMENT: Final = "experiment"
SHADOW: Final = "shadow"


def plan_of(folder: Folder, *, kind: RolloutKind = RolloutKind.ROLLOUT) -> Plan:
    """Return the plan of a folder's rollout.yaml.

    An experiment has one phase in which half of the customers of every phase's categories get the
    candidate; a shadow has one in which nobody does.

    Raises:
        BadPlan: a trigger's KPI isn't known, a phase has no categories, or the phases lead nowhere.
    """
    written = folder.rollout
    phases = tuple(_phase(phase, folder) for phase in written.phases)
    if kind is RolloutKind.EXPERIMENT:
        phases = (_experiment(phases),)
    elif kind is RolloutKind.SHADOW:
        phases = (_shadow(folder),)
    plan = Plan(
        phases=phases,
        triggers=tuple(_trigger(trigger) for trigger in written.triggers),
        alpha=float(written.alpha),
        holdout_share=float(written.holdout_share) if kind is RolloutKind.ROLLOUT else 0.0,
        slow_ms=float(written.slow_seconds) * 1000,
        stale_hours=float(written.stale_hours),
        idle_minutes=float(written.maturity.idle_minutes),
        survey_hours=float(written.maturity.survey_hours),
        recontact_hours=float(written.maturity.recontact_hours),
        breaker=_breaker(written),
    )
    require_sound(plan, kind=kind)
    return plan


def require_sound(plan: Plan, *, kind: RolloutKind) -> None:
    """Refuse a plan that can't come to a decision.

    Raises:
        BadPlan: with the first thing that is wrong.
    """
    if not plan.phases:
        raise BadPlan("it has no phases")
    for phase in plan.phases:
        if not phase.categories and phase.stage is not Stage.FULL:
            raise BadPlan(f"no category of intents.yaml takes part in phase '{phase.name}'")
        if phase.approval is not None and phase.approval not in AGREEING:
            raise BadPlan(
                f"phase '{phase.name}' needs the agreement of '{phase.approval}', and nobody could give it; "
                f"roles that agree are {', '.join(sorted(AGREEING))}"
            )
        if phase.is_randomised and not 0 < buckets_of(phase.share_percent) < BUCKETS:
            raise BadPlan(
                f"phase '{phase.name}' gives the candidate {phase.share_percent:g} % of the customers, "
                "so there are no two groups to compare"
            )
    if kind is RolloutKind.SHADOW:
        return
    if not plan.triggers:
        raise BadPlan("it names no triggers, so no harm could be seen")
    if kind is RolloutKind.ROLLOUT:
        _require_way_to_full(plan)


def buckets_of(share_percent: float) -> int:
    """Return how many of the 10,000 buckets a share takes."""
    return round(share_percent * BUCKETS / 100)


def as_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values."""
    return asdict(plan)


def from_json(kept: Mapping[str, Any]) -> Plan:
    """Read what `as_json` wrote; numbers may have become texts on the way."""
    return Plan(
        phases=tuple(_kept_phase(phase) for phase in kept["phases"]),
        triggers=tuple(
            PlannedTrigger(
                kpi=item["kpi"],
                margin=float(item["margin"]),
                higher_is_better=item["higher_is_better"],
                rare=item["rare"],
                matures=item["matures"],
            )
            for item in kept["triggers"]
        ),
        alpha=float(kept["alpha"]),
        holdout_share=float(kept["holdout_share"]),
        slow_ms=float(kept["slow_ms"]),
        stale_hours=float(kept["stale_hours"]),
        idle_minutes=float(kept["idle_minutes"]),
        survey_hours=float(kept["survey_hours"]),
        recontact_hours=float(kept["recontact_hours"]),
        breaker=BreakerPlan(
            consecutive_failures=kept["breaker"]["consecutive_failures"],
            window_turns=kept["breaker"]["window_turns"],
            failure_share=float(kept["breaker"]["failure_share"]),
        ),
    )


def _kept_phase(kept: Mapping[str, Any]) -> PlannedPhase:
    return PlannedPhase(
        name=kept["name"],
        stage=Stage(kept["stage"]),
        share_percent=float(kept["share_percent"]),
        categories=tuple(kept["categories"]),
        channels=tuple(kept["channels"]),
        minimum_conversations=kept["minimum_conversations"],
        minimum_hours=float(kept["minimum_hours"]),
        advance=Advance(kept["advance"]),
        approval=kept["approval"],
    )


def _phase(phase: Phase, folder: Folder) -> PlannedPhase:
    return PlannedPhase(
        name=phase.name,
        stage=Stage(phase.stage),
        share_percent=float(phase.share_percent),
        categories=tuple(
            sorted(
                category.name
                for category in folder.intents.categories
                if category.risk in phase.risks
                and (not phase.categories or category.name in phase.categories)
                and _has_matters(folder, category.name)
            )
        ),
        channels=tuple(sorted(phase.channels)),
        minimum_conversations=phase.minimum_conversations,
        minimum_hours=float(phase.minimum_hours),
        advance=Advance(phase.advance),
        approval=phase.approval,
    )


def _has_matters(folder: Folder, category: str) -> bool:
    """Tell whether somebody can be assigned by a category: greetings and calls for a human assign nobody."""
    return any(
        not intent.reply and not intent.hand_over
        for intent in folder.intents.intents
        if intent.category == category
    )


def _trigger(trigger: Trigger) -> PlannedTrigger:
    try:
        kpi = trigger_of(trigger.kpi)
    except (KpiNotFound, NotATrigger) as error:
        raise BadPlan(str(error)) from error
    return PlannedTrigger(
        kpi=kpi.name,
        margin=float(trigger.margin),
        higher_is_better=kpi.better is Better.HIGHER,
        rare=kpi.rare,
        matures=kpi.matures.value,
    )


def _breaker(written: Rollout) -> BreakerPlan:
    breaker = written.breaker
    return BreakerPlan(breaker.consecutive_failures, breaker.window_turns, float(breaker.failure_share))


def _experiment(phases: tuple[PlannedPhase, ...]) -> PlannedPhase:
    compared = [phase for phase in phases if phase.is_randomised]
    if not compared:
        raise BadPlan("it has no pilot or ramp phase that an experiment could go by")
    widest = compared[-1]
    return replace(
        widest,
        name=EXPERIMENT,
        stage=Stage.RAMP,
        share_percent=HALF,
        categories=tuple(sorted({name for phase in compared for name in phase.categories})),
        advance=Advance.SAFE,
    )


def _shadow(folder: Folder) -> PlannedPhase:
    names = sorted(category.name for category in folder.intents.categories)
    return PlannedPhase(SHADOW, Stage.INTERNAL, 100.0, tuple(names), (), 200, 0.0, Advance.APPROVAL, None)


def _require_way_to_full(plan: Plan) -> None:
    *before, last = plan.phases
    if last.stage is not Stage.FULL:
        raise BadPlan(f"the last phase, '{last.name}', must have `stage: full`")
    for phase in before:
        if phase.stage is Stage.FULL:
            raise BadPlan(f"phase '{phase.name}' has `stage: full` and isn't the last")
    if not before or not before[-1].is_randomised:
        raise BadPlan(f"a pilot or ramp phase must come right before '{last.name}'")
    if before[-1].advance is not Advance.SAFE:
        raise BadPlan(
            f"phase '{before[-1].name}' comes before '{last.name}', so it must have `advance: safe`"
        )
    _require_growth([phase for phase in before if phase.is_randomised])


def _require_growth(phases: Sequence[PlannedPhase]) -> None:
    """Refuse phases that would take the candidate from somebody who has it."""
    for earlier, later in pairwise(phases):
        if later.share_percent < earlier.share_percent:
            raise BadPlan(f"phase '{later.name}' has a smaller share than one before it; a share only grows")
        narrower = later.channels and (not earlier.channels or set(earlier.channels) - set(later.channels))
        if narrower or set(earlier.categories) - set(later.categories):
            raise BadPlan(
                f"phase '{later.name}' leaves out a {'channel' if narrower else 'category'} of the phase "
                "before it; whoever has the candidate keeps it"
            )
