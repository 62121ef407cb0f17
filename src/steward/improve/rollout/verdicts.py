"""Three-valued verdicts: harmful, safe, or not enough evidence, at every look and without a rising
false-alarm rate.

Harmful needs the harm's lower bound above the margin at the part of alpha that `alpha_of` gives to this
trigger, category and phase: the parts add up to the plan's alpha, so a harmless release is rolled back by
chance at most that often over a whole rollout. Safe needs the upper bound below the margin. A phase is safe
only when every trigger is, so each takes the whole alpha: a harmful release would have to slip past the
very trigger that it harms.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Final

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.contracts import ALL, Evidence, Finding, Plan, PlannedTrigger, TriggerVerdict
from steward.improve.rollout.sequences import (
    Bounds,
    arm_ratio,
    bounds,
    exact_bounds,
    is_binary,
)

TOGETHER: Final = 0.7
"""Part of alpha for all categories together; the rest is spread over the phase's categories."""
MOST_NEEDED: Final = 1000.0
"""Beyond this many times the customers so far, "needs about N more" would be made up."""


def alpha_of(plan: Plan, kpi: str, *, category: str, phase: int) -> float:
    """Return the part of the plan's alpha that one trigger has in one category of one phase.

    Triggers share equally. Randomised phases share by sqrt(p (1 - p)), p being the candidate's share: the
    more a phase can find, the more it gets. In a phase `TOGETHER` goes to all categories together, the rest
    equally to each.

    Args:
        plan: the rollout's plan.
        kpi: the trigger's KPI.
        category: one of the phase's categories, or `ALL`.
        phase: position in the plan.

    Raises:
        ValueError: the plan has no such trigger, or the phase no such category or no two arms.
    """
    if kpi not in {trigger.kpi for trigger in plan.triggers}:
        raise ValueError(f"the plan has no trigger on {kpi!r}")
    weights = [
        sqrt(max(item.share_percent, 0.01) * max(100.0 - item.share_percent, 0.01))
        if item.is_randomised
        else 0.0
        for item in plan.phases
    ]
    planned = plan.phases[phase]
    if not weights[phase]:
        raise ValueError(f"phase {planned.name!r} doesn't compare two arms")
    part = plan.alpha / len(plan.triggers) * weights[phase] / sum(weights)
    if category == ALL:
        return part * TOGETHER
    if category not in planned.categories:
        raise ValueError(f"category {category!r} has no part in phase {planned.name!r}")
    return part * (1.0 - TOGETHER) / len(planned.categories)


def evidence_of(
    plan: Plan,
    trigger: PlannedTrigger,
    *,
    category: str,
    phase: int,
    baseline: Sums,
    candidate: Sums,
    stale: bool = False,
) -> Evidence:
    """Put together what a verdict stands on, with the alphas that the plan gives it."""
    return Evidence(
        trigger=trigger,
        category=category,
        baseline=baseline,
        candidate=candidate,
        alpha=alpha_of(plan, trigger.kpi, category=category, phase=phase),
        safe_alpha=plan.alpha,
        stale=stale,
    )


def judge(evidence: Evidence) -> TriggerVerdict:
    """Return the verdict on one trigger in one category, from nothing but its evidence."""
    trigger = evidence.trigger
    old, new = arm_ratio(evidence.baseline), arm_ratio(evidence.candidate)
    baseline = old.ratio if old is not None else None
    candidate = new.ratio if new is not None else None
    harm = None
    if baseline is not None and candidate is not None:
        harm = baseline - candidate if trigger.higher_is_better else candidate - baseline
    at_hand = _bounds(evidence, 1.0)
    finding = _finding(evidence, at_hand)
    return TriggerVerdict(
        kpi=trigger.kpi,
        category=evidence.category,
        finding=finding,
        margin=trigger.margin,
        baseline=baseline,
        candidate=candidate,
        harm=harm,
        low=at_hand.low,
        high=at_hand.high,
        n_baseline=evidence.baseline.n,
        n_candidate=evidence.candidate.n,
        needed=_needed(evidence) if finding is Finding.UNKNOWN else None,
    )


def _finding(evidence: Evidence, at_hand: Bounds) -> Finding:
    margin = evidence.trigger.margin
    if at_hand.low is not None and at_hand.low > margin:
        return Finding.HARMFUL
    if evidence.stale:
        return Finding.NO_DATA
    if at_hand.high is not None and at_hand.high < margin:
        return Finding.SAFE
    return Finding.UNKNOWN


def _bounds(evidence: Evidence, times: float) -> Bounds:
    """Return the bounds as they would be with so many times the units, all else equal."""
    trigger = evidence.trigger
    baseline, candidate = evidence.baseline, evidence.candidate
    exact = trigger.rare and is_binary(baseline) and is_binary(candidate)
    compute = exact_bounds if exact else bounds
    return compute(
        baseline,
        candidate,
        margin=trigger.margin,
        higher_is_better=trigger.higher_is_better,
        alpha=evidence.alpha,
        safe_alpha=evidence.safe_alpha,
        times=times,
    )


def _needed(evidence: Evidence) -> int | None:
    """Estimate how many more customers decide it, if what was seen so far is the truth."""
    customers = evidence.baseline.n + evidence.candidate.n
    old, new = arm_ratio(evidence.baseline), arm_ratio(evidence.candidate)
    if old is None or new is None:
        return None

    def is_decided(times: float) -> bool:
        reached = _bounds(evidence, times)
        margin = evidence.trigger.margin
        return (reached.low is not None and reached.low > margin) or (
            reached.high is not None and reached.high < margin
        )

    few, enough = 1.0, 1.0
    while not is_decided(enough):
        few, enough = enough, enough * 2.0
        if enough > MOST_NEEDED:
            return None
    while enough - few > 0.005 * few:
        middle = (few + enough) / 2.0
        few, enough = (few, middle) if is_decided(middle) else (middle, enough)
    return max(ceil(customers * (enough - 1.0)), 1)
