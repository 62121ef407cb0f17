"""Effects of one release over another: intervals, phases put together, and what it would take to know. Pure.

The interval that may be looked at any time is the verdicts' own (`sequences.py`), tuned to the margin.
Phases are put together by inverse-variance weights: that is for reading, and no verdict stands on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.comparison import ArmValue, Effect, Interval, ToKnow
from steward.improve.rollout.sequences import (
    MINIMUM_SAFE_UNITS,
    MINIMUM_UNITS,
    ArmRatio,
    arm_ratio,
    bounds,
    effective_units,
    exact_bounds,
    half_width,
    is_binary,
    multiplier,
)

SMALLEST_SHARE_OF_EFFECT: Final = 1e-12
"""A baseline nearer to 0 than this has no relative change."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a KPI is compared: its direction, the margin it is tuned to (0: none) and the intervals' alpha."""

    higher_is_better: bool
    margin: float
    rare: bool
    alpha: float


@dataclass(frozen=True, slots=True)
class Stratum:
    """One phase's estimate. `error` is the effect's standard error; None where there is too little."""

    effect: Effect
    error: float | None
    units: float
    """What both arms are worth together (`effective_units`)."""
    least_units: float
    """Effective units of the smaller arm."""


def stratum_of(baseline: Sums, candidate: Sums, *, category: str, phase: int, measure: Measure) -> Stratum:
    """Compare two arms in one phase."""
    old, new = arm_ratio(baseline), arm_ratio(candidate)
    arms = ArmValue(value_of(old), baseline.n), ArmValue(value_of(new), candidate.n)
    if old is None or new is None:
        return Stratum(Effect(category, phase, *arms, None, None, None, None), None, 0.0, 0.0)
    change = new.ratio - old.ratio
    error = standard_error(old, new, baseline.plus(candidate))
    effect = Effect(
        category, phase, *arms, change, relative(change, old.ratio),
        always=always(baseline, candidate, measure), fixed=fixed(change, error, measure.alpha),
    )  # fmt: skip
    return Stratum(effect, error or None, effective_units(old.units, new.units), min(old.units, new.units))


def change_of(baseline: Sums, candidate: Sums) -> float:
    """Return the candidate's value less the baseline's, where both have one."""
    return candidate.y / candidate.d - baseline.y / baseline.d


def value_of(arm: ArmRatio | None) -> float | None:
    """Return an arm's value, or None before anything arrived."""
    return None if arm is None else arm.ratio


def standard_error(old: ArmRatio, new: ArmRatio, both: Sums) -> float:
    """Return the difference's standard error; an arm of units all alike takes that of both together."""
    pooled = arm_ratio(both)
    spare = 0.0 if pooled is None else pooled.variance
    return sqrt((old.variance or spare) / old.units + (new.variance or spare) / new.units)


def always(baseline: Sums, candidate: Sums, measure: Measure) -> Interval | None:
    """Return the interval that holds at every look, from the bounds that verdicts stand on."""
    side = measure.alpha / 2
    bounding = exact_bounds if measure.rare and is_binary(baseline) and is_binary(candidate) else bounds
    found = bounding(
        baseline, candidate, margin=measure.margin, higher_is_better=measure.higher_is_better,
        alpha=side, safe_alpha=side,
    )  # fmt: skip
    if found.high is None:
        return None
    low = found.low
    if low is None:
        # Nothing has happened in either arm: what may be hidden is as large on this side as on the other.
        harm = change_of(baseline, candidate) * (-1.0 if measure.higher_is_better else 1.0)
        low = 2.0 * harm - found.high
    # Harm is the effect with its sign turned where higher is better.
    return Interval(-found.high, -low) if measure.higher_is_better else Interval(low, found.high)


def fixed(change: float, error: float, alpha: float) -> Interval | None:
    """Return the usual interval of a single look."""
    if error <= 0.0:
        return None
    half = NormalDist().inv_cdf(1 - alpha / 2) * error
    return Interval(change - half, change + half)


def relative(change: float, baseline: float) -> float | None:
    """Return a change as a share of the baseline's value."""
    return None if abs(baseline) < SMALLEST_SHARE_OF_EFFECT else change / abs(baseline)


def together(strata: Sequence[Stratum], *, category: str, measure: Measure) -> Stratum:
    """Put phases together, each weighted by the inverse of its variance.

    Information adds up over phases, so the sequence of all of them runs on where that of one ends.
    """
    counted = [item for item in strata if item.effect.effect is not None]
    if len(counted) == 1:
        only = counted[0]
        return _of_all_phases(only, only.effect)
    known = [(item, item.error) for item in counted if item.error is not None]
    arms = (
        ArmValue(None, sum(item.effect.baseline.n for item in strata)),
        ArmValue(None, sum(item.effect.candidate.n for item in strata)),
    )
    if not known:
        return Stratum(Effect(category, None, *arms, None, None, None, None), None, 0.0, 0.0)
    weights = [1 / error**2 for _, error in known]

    def mean(values: Sequence[float | None]) -> float:
        return sum(w * (value or 0.0) for w, value in zip(weights, values, strict=True)) / sum(weights)

    old = mean([item.effect.baseline.value for item, _ in known])
    new = mean([item.effect.candidate.value for item, _ in known])
    error, units = 1 / sqrt(sum(weights)), sum(item.units for item, _ in known)
    least = sum(item.least_units for item, _ in known)
    interval = None
    if least >= MINIMUM_UNITS:
        half = half_width(error, measure.alpha / 2, units=units, target=measure.margin)
        interval = Interval(new - old - half, new - old + half)
    effect = Effect(
        category, None, ArmValue(old, arms[0].n), ArmValue(new, arms[1].n), new - old,
        relative(new - old, old), interval, fixed(new - old, error, measure.alpha),
    )  # fmt: skip
    return Stratum(effect, error, units, least)


def to_know(strata: Sequence[Stratum], *, measure: Measure, customers_per_day: float) -> ToKnow | None:
    """Estimate what it takes until the interval reaches the margin to each side and no further.

    Customers are counted at what the latest phase learns from each; None without a margin, or before
    there is anything to judge by.
    """
    known = [(item, item.error) for item in strata if item.error is not None]
    if measure.margin <= 0.0 or not known:
        return None
    information = sum(1 / error**2 for _, error in known)
    needed = (multiplier(measure.alpha / 2, 1.0) / measure.margin) ** 2
    latest, error = known[-1]
    learnt_from_each = 1 / error**2 / (latest.effect.baseline.n + latest.effect.candidate.n)
    n = latest.effect.baseline.n + latest.effect.candidate.n
    by_precision = (needed - information) / learnt_from_each
    by_number = n * (MINIMUM_SAFE_UNITS / latest.least_units - 1)
    customers = max(0, ceil(by_precision), ceil(by_number))
    if customers == 0:
        return ToKnow(measure.margin, 0, 0.0)
    days = customers / customers_per_day if customers_per_day > 0 else None
    return ToKnow(measure.margin, customers, days)


def _of_all_phases(stratum: Stratum, effect: Effect) -> Stratum:
    whole = Effect(
        effect.category, None, effect.baseline, effect.candidate, effect.effect, effect.relative,
        effect.always, effect.fixed,
    )  # fmt: skip
    return Stratum(whole, stratum.error, stratum.units, stratum.least_units)
