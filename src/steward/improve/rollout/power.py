"""What a phase can find, told before it starts: harm by power, customers and days, per trigger.

The verdicts' bounds, seen in information (1 / variance of the difference), are curved boundaries that a
Brownian motion with the harm's drift has to cross. Two approximations, both exact for straight
boundaries, err to different sides of these: the chance of crossing the best tangent, which is too low
(Siegmund, "Sequential Analysis", 1985, chapter 3), and the density of the first crossing from the tangent at
each moment, which is too high (Daniels, Bernoulli 2(2), 1996). Their mean is within a few percent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, erfc, exp, inf, pi, sqrt
from typing import Final

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.contracts import ALL, Plan, PlannedTrigger
from steward.improve.rollout.sequences import (
    EARLY_SHARE,
    EARLY_UNITS,
    LOWER_TARGET,
    MINIMUM_SAFE_UNITS,
    MINIMUM_UNITS,
    UPPER_TARGET,
    arm_ratio,
    effective_units,
    half_width,
    multiplier,
)
from steward.improve.rollout.verdicts import alpha_of

MOST_CUSTOMERS: Final = 100_000_000
"""What takes more than this is told as never."""
_STEPS: Final = 48
_SPAN: Final = 2000.0
"""Crossings before this part of the horizon are counted as if they happened there."""

Boundary = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Expected:
    """How a KPI lies on the baseline: per effective unit, of which a customer brings `units_per_customer`.

    `scale` is its lowest and highest possible value where it has them, 0 and 1 for shares: with them the
    variance follows the value.
    """

    ratio: float
    variance: float
    units_per_customer: float
    scale: tuple[float, float] | None
    per_unit: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One trigger under watch: its KPI as expected, the candidate's share (0 to 1) and the alphas of its
    verdict."""

    trigger: PlannedTrigger
    expected: Expected
    share: float
    alpha: float
    safe_alpha: float


@dataclass(frozen=True, slots=True)
class TriggerPower:
    """A row of the table shown before a phase starts; None is never, or not with any harm.

    `harm_80` and `harm_90` are what `customers` find with that power; `double_*` what it takes to find
    twice the margin with 80 %; `safe_*` what it takes to find a harmless candidate safe with 80 %. Days
    include the wait until a measure is final.
    """

    kpi: str
    margin: float
    baseline: float
    customers: int
    harm_80: float | None
    harm_90: float | None
    double_customers: int | None
    double_days: float | None
    safe_customers: int | None
    safe_days: float | None


def expected_of(
    sums: Sums, *, scale: tuple[float, float] | None = None, customers: int | None = None
) -> Expected | None:
    """Read how a KPI lies from the baseline's units.

    Args:
        sums: one unit per customer or conversation.
        scale: the lowest and highest value of a mark; shares are recognised by themselves.
        customers: how many units there are with those that say nothing about the KPI, such as customers who
            didn't answer a survey; `sums.n` where they are in the sums.
    """
    arm = arm_ratio(sums)
    everybody = sums.n if customers is None else customers
    if arm is None or everybody <= 0:
        return None
    return Expected(
        ratio=arm.ratio,
        variance=arm.variance,
        units_per_customer=arm.units / everybody,
        scale=(0.0, 1.0) if arm.is_share else scale,
        per_unit=arm.per_unit,
    )


def phase_power(
    plan: Plan, phase: int, *, expected: Mapping[str, Expected], customers_per_day: float
) -> tuple[TriggerPower, ...]:
    """Return what a phase can find in its minimum duration, for each trigger whose KPI is known.

    Args:
        plan: the rollout's plan.
        phase: position of a randomised phase in it.
        expected: the KPIs by name as they lie on the baseline.
        customers_per_day: customers a day who take part for the first time in the phase, both arms.
    """
    planned = plan.phases[phase]
    share = planned.share_percent / 100.0
    smaller = min(share, 1.0 - share)
    customers = ceil(
        max(planned.minimum_hours / 24.0 * customers_per_day, planned.minimum_conversations / smaller)
    )
    rows = []
    for trigger in plan.triggers:
        if trigger.kpi not in expected:
            continue
        watched = Comparison(
            trigger=trigger,
            expected=expected[trigger.kpi],
            share=share,
            alpha=alpha_of(plan, trigger.kpi, category=ALL, phase=phase),
            safe_alpha=plan.alpha,
        )
        rows.append(_row(watched, customers, customers_per_day, _wait_days(plan, trigger)))
    return tuple(rows)


def chance_found(watched: Comparison, harm: float, customers: float) -> float:
    """Return the chance that a harm is found within so many customers of both arms."""
    reached = _reached(watched, harm, customers, MINIMUM_UNITS)
    if reached is None:
        return 0.0
    alpha, target = watched.alpha, LOWER_TARGET * watched.trigger.margin

    def boundary(information: float) -> float:
        error, units = 1.0 / sqrt(information), reached.units * information / reached.information
        late = half_width(error, alpha * (1.0 - EARLY_SHARE), units=units, target=target)
        early = error * multiplier(alpha * EARLY_SHARE, units / EARLY_UNITS)
        return information * min(late, early)

    return _crossing(boundary, harm - watched.trigger.margin, reached)


def chance_safe(watched: Comparison, harm: float, customers: float) -> float:
    """Return the chance that a candidate with this harm is found safe within so many customers of both
    arms."""
    margin = watched.trigger.margin
    at = max(harm, margin) if watched.expected.scale == (0.0, 1.0) else harm
    reached = _reached(watched, at, customers, MINIMUM_SAFE_UNITS)
    if reached is None:
        return 0.0

    def boundary(information: float) -> float:
        error, units = 1.0 / sqrt(information), reached.units * information / reached.information
        return information * half_width(error, watched.safe_alpha, units=units, target=UPPER_TARGET * margin)

    return _crossing(boundary, margin - harm, reached)


def customers_to_find(watched: Comparison, harm: float, *, power: float) -> int | None:
    """Return how many customers of both arms find a harm with this power; None where it never is."""
    if harm <= watched.trigger.margin:
        return None
    return _least(lambda customers: chance_found(watched, harm, customers), power)


def customers_to_safe(watched: Comparison, harm: float = 0.0, *, power: float) -> int | None:
    """Return how many customers of both arms show with this power that a harm is within the margin."""
    if harm >= watched.trigger.margin:
        return None
    return _least(lambda customers: chance_safe(watched, harm, customers), power)


def smallest_harm(watched: Comparison, customers: float, *, power: float) -> float | None:
    """Return the smallest harm that so many customers find with this power; None where they find none."""
    expected, margin = watched.expected, watched.trigger.margin
    if expected.scale is None:
        largest = margin + 20.0 * sqrt(expected.variance)
    else:
        lowest, highest = expected.scale
        largest = expected.ratio - lowest if watched.trigger.higher_is_better else highest - expected.ratio
    if largest <= margin or chance_found(watched, largest, customers) < power:
        return None
    low, high = margin, largest
    for _ in range(25):
        middle = (low + high) / 2.0
        low, high = (low, middle) if chance_found(watched, middle, customers) >= power else (middle, high)
    return high


def _row(watched: Comparison, customers: int, per_day: float, wait: float) -> TriggerPower:
    double = customers_to_find(watched, 2.0 * watched.trigger.margin, power=0.8)
    safe = customers_to_safe(watched, power=0.8)

    def days(needed: int | None) -> float | None:
        return needed / per_day + wait if needed is not None and per_day > 0 else None

    return TriggerPower(
        kpi=watched.trigger.kpi,
        margin=watched.trigger.margin,
        baseline=watched.expected.ratio,
        customers=customers,
        harm_80=smallest_harm(watched, customers, power=0.8),
        harm_90=smallest_harm(watched, customers, power=0.9),
        double_customers=double,
        double_days=days(double),
        safe_customers=safe,
        safe_days=days(safe),
    )


def _wait_days(plan: Plan, trigger: PlannedTrigger) -> float:
    """Return how long after a conversation a trigger's measure is final."""
    hours = {"survey": plan.survey_hours, "recontact": plan.recontact_hours}.get(trigger.matures, 0.0)
    return hours / 24.0 + plan.idle_minutes / 1440.0


@dataclass(frozen=True, slots=True)
class _Reached:
    """What so many customers bring: information, effective units, and the part of it before the first
    bound."""

    information: float
    units: float
    waited: float


def _reached(watched: Comparison, harm: float, customers: float, minimum: float) -> _Reached | None:
    """Return what so many customers bring, or None if that is too little for a bound."""
    expected, share = watched.expected, watched.share
    units = customers * expected.units_per_customer
    smaller = units * min(share, 1.0 - share)
    if smaller < minimum:
        return None
    worse = expected.ratio + (-harm if watched.trigger.higher_is_better else harm)
    changed = _variance_at(expected, worse)
    variance = changed / (units * share) + expected.variance / (units * (1.0 - share))
    if variance <= 0.0:
        return None
    return _Reached(1.0 / variance, effective_units(units * (1.0 - share), units * share), minimum / smaller)


def _variance_at(expected: Expected, value: float) -> float:
    """Return the variance that a KPI would have elsewhere: as over-dispersed as it is on the baseline."""
    if expected.scale is None:
        return expected.variance
    lowest, highest = expected.scale
    value = min(max(value, lowest), highest)
    most = (value - lowest) * (highest - value)
    usual = (expected.ratio - lowest) * (highest - expected.ratio)
    if usual <= 0.0 or expected.variance <= 0.0:
        return most / expected.per_unit
    return expected.variance * most / usual


def _crossing(boundary: Boundary, drift: float, reached: _Reached) -> float:
    """Return the chance that a Brownian motion with a drift crosses a boundary up to what is reached."""
    end = reached.information
    begin = min(max(reached.waited, 1.0 / _SPAN), 0.999) * end
    growth = (end / begin) ** (1.0 / _STEPS)
    moments = [begin * growth**step for step in range(_STEPS + 1)]
    heights = [boundary(moment) for moment in moments]
    density = _normal((drift * begin - heights[0]) / sqrt(begin))
    tangent = _normal((drift * end - heights[-1]) / sqrt(end))
    for step in range(_STEPS):
        length = moments[step + 1] - moments[step]
        slope = (heights[step + 1] - heights[step]) / length
        middle, height = (moments[step + 1] + moments[step]) / 2.0, (heights[step + 1] + heights[step]) / 2.0
        intercept = height - middle * slope
        distance = (height - drift * middle) / sqrt(middle)
        density += length * intercept / middle**1.5 * exp(-distance * distance / 2.0) / sqrt(2.0 * pi)
        tangent = max(tangent, _crossing_line(intercept, slope, drift, end))
    return (tangent + min(max(density, tangent), 1.0)) / 2.0


def _crossing_line(intercept: float, slope: float, drift: float, end: float) -> float:
    root, rise = sqrt(end), drift - slope
    ahead = _normal(rise * root - intercept / root)
    exponent = 2.0 * intercept * rise
    if intercept <= 0.0 or exponent > 700.0:
        return ahead
    return min(ahead + exp(exponent) * _normal(-rise * root - intercept / root), 1.0)


def _normal(z: float) -> float:
    return 0.5 * erfc(-z / sqrt(2.0))


def _least(chance: Callable[[float], float], power: float) -> int | None:
    """Return the smallest number at which a chance that grows with it reaches the power."""
    low, high = 1.0, 100.0
    while chance(high) < power:
        low, high = high, high * 2.0
        if high > MOST_CUSTOMERS:
            return None
    while high - low > 0.5 and high - low > 1e-4 * low:
        middle = (low + high) / 2.0
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return ceil(high) if high < inf else None
