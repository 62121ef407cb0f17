"""Many looks at once: the product's verdicts over arrays, and what others would conclude from the same data.

`harm_bounds` is `steward.improve.rollout.sequences.bounds` for arrays; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from benchmarks.rollout_world import BUCKETS, CATEGORIES, Flags, Floats, Ints, World
from steward.improve.rollout.sequences import (
    EARLY_SHARE,
    EARLY_UNITS,
    LOWER_TARGET,
    MINIMUM_SAFE_UNITS,
    MINIMUM_UNITS,
    UNTARGETED_UNITS,
    UPPER_TARGET,
    multiplier,
    tuning,
)

GROWTHBOOK_TUNING: Final = 5000
"""GrowthBook's default: https://docs.growthbook.io/statistics/sequential, where N* is 5,000."""


@dataclass(frozen=True, slots=True)
class Arms:
    """Sums of both arms; the first axis is the arm (0 baseline, 1 candidate), the others groups and looks."""

    n: Floats
    y: Floats
    d: Floats
    yy: Floats
    dd: Floats
    yd: Floats


@dataclass(frozen=True, slots=True)
class Ratios:
    """Linearised ratios of both arms; nan where nothing arrived."""

    ratio: Floats
    units: Floats
    per_unit: Floats
    variance: Floats
    pooled: Floats


@dataclass(frozen=True, slots=True)
class Bound:
    """Harm and its bounds at every look; nan where there is too little."""

    harm: Floats
    low: Floats
    high: Floats


def units_of_phase(world: World, begin: float, end: float) -> Ints:
    """Return the places of each customer's first conversation between two moments, in order."""
    inside = np.flatnonzero((world.at >= begin) & (world.at < end))
    _, first = np.unique(world.customer[inside], return_index=True)
    return np.asarray(inside[np.sort(first)], dtype=np.int64)


def sums_at(
    world: World, kpi: str, units: Ints, looks: Floats, *, share: float, harmful: bool, by_category: bool
) -> Arms:
    """Return the running sums of a phase at every look: shape (arm, group, look); group 0 is all
    categories."""
    measure = world.measures[kpi]
    counted = units[measure.denominator[units] > 0]
    counted = counted[np.argsort(measure.ready[counted], kind="stable")]
    candidate = world.bucket[world.customer[counted]] < round(share * BUCKETS)
    numerator = measure.numerator[counted]
    if harmful:
        numerator = np.where(candidate, measure.worse[counted], numerator)
    denominator = measure.denominator[counted]
    places = np.searchsorted(measure.ready[counted], looks, side="right")
    groups = 1 + len(CATEGORIES) if by_category else 1
    category = world.category[counted]
    kept = np.zeros((6, 2, groups, len(looks)))
    parts = np.stack(
        [
            np.ones(len(counted)),
            numerator,
            denominator,
            numerator**2,
            denominator**2,
            numerator * denominator,
        ]
    )
    for arm in (0, 1):
        of_arm = candidate == bool(arm)
        for group in range(groups):
            chosen: Flags = of_arm if group == 0 else of_arm & (category == group - 1)
            index = np.concatenate([[0], np.cumsum(chosen)])[places]
            totals = np.concatenate([np.zeros((6, 1)), np.cumsum(parts[:, chosen], axis=1)], axis=1)
            kept[:, arm, group] = totals[:, index]
    return Arms(*kept)


def ratios_of(arms: Arms) -> Ratios:
    """Return both arms' ratios with their variances."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, units, per_unit, variance = _ratio(arms.y, arms.d, arms.yy, arms.dd, arms.yd)
        pooled = _ratio(*(part.sum(axis=0) for part in (arms.y, arms.d, arms.yy, arms.dd, arms.yd)))[3]
    return Ratios(ratio, units, per_unit, variance, pooled)


def _ratio(y: Floats, d: Floats, yy: Floats, dd: Floats, yd: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    ratio = y / d
    units = d * d / dd
    scale = yy + ratio * ratio * dd
    squares = np.maximum(yy - 2 * ratio * yd + ratio * ratio * dd, 0)
    squares = np.where(squares < 1e-12 * scale, 0, squares)
    variance = squares / (d * d) * units * np.where(units > 1, units / (units - 1), 1)
    return ratio, units, dd / d, variance


def harm_bounds(
    seen: Ratios,
    *,
    margin: float,
    higher_is_better: bool,
    is_share: bool,
    alpha: Floats,
    safe_alpha: float,
) -> Bound:
    """Bound harm at every look as the product does; `alpha` is per group and broadcasts over looks."""
    sign = -1.0 if higher_is_better else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        harm = sign * (seen.ratio[1] - seen.ratio[0])
        units = 1 / (1 / seen.units[0] + 1 / seen.units[1])
        error = standard_error(seen)
        late = error * _multipliers(
            alpha * (1 - EARLY_SHARE),
            _progress(error, units, alpha * (1 - EARLY_SHARE), LOWER_TARGET * margin),
        )
        early = error * _multipliers(alpha * EARLY_SHARE, units / EARLY_UNITS)
        floor = np.stack([seen.variance[0], np.maximum(seen.variance[1], seen.variance[0])])
        if is_share:
            expected = np.stack([seen.ratio[0], np.clip(seen.ratio[0] + sign * margin, 0, 1)])
            floor = np.maximum(floor, expected * (1 - expected) / seen.per_unit)
        spread = np.maximum(error**2, (floor / seen.units).sum(axis=0))
        wide = np.sqrt(spread)
        at = np.asarray(safe_alpha)
        high = harm + wide * _multipliers(at, _progress(wide, units, at, UPPER_TARGET * margin))
        low = harm - np.minimum(late, early)
        fewest = seen.units.min(axis=0)
    return Bound(
        harm=harm,
        low=np.where((fewest >= MINIMUM_UNITS) & (error > 0), low, np.nan),
        high=np.where((fewest >= MINIMUM_SAFE_UNITS) & (wide > 0), high, np.nan),
    )


def standard_error(seen: Ratios) -> Floats:
    """Return the difference's standard error; an arm without variance takes that of both together."""
    spare = np.nan_to_num(seen.pooled)
    lacking = (seen.variance <= 0).any(axis=0)
    variance = np.where(lacking & (seen.variance <= 0), spare, seen.variance)
    return np.asarray(np.sqrt((variance / seen.units).sum(axis=0)))


def growthbook_low(seen: Ratios, *, higher_is_better: bool, alpha: float | Floats = 0.05) -> Floats:
    """Return the end of GrowthBook's two-sided sequential interval that speaks of harm.

    From https://docs.growthbook.io/statistics/sequential: with N users in both arms, s² = N times the
    squared standard error and rho² = (-2 log alpha + log(-2 log alpha + 1)) / N*, the half-width is
    sqrt(s²) sqrt(2 (N rho² + 1) log(sqrt(N rho² + 1) / alpha) / (N rho)²). It is given the product's minimum
    of units, without which it would mostly err in the first moments.
    """
    sign = -1.0 if higher_is_better else 1.0
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / GROWTHBOOK_TUNING
    with np.errstate(divide="ignore", invalid="ignore"):
        users = seen.units.sum(axis=0)
        error = standard_error(seen)
        width = (
            error
            * np.sqrt(users)
            * np.sqrt(2 * (users * rho2 + 1) * np.log(np.sqrt(users * rho2 + 1) / alpha) / (users**2 * rho2))
        )
        low = sign * (seen.ratio[1] - seen.ratio[0]) - width
        enough = (seen.units >= MINIMUM_UNITS).all(axis=0)
    return np.where(enough & (error > 0), low, np.nan)


def fixed_low(seen: Ratios, *, higher_is_better: bool, alpha: Floats) -> Floats:
    """Return the lower bound on harm of an ordinary one-sided z test, meant for a single look."""
    from scipy.stats import norm

    sign = -1.0 if higher_is_better else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        error = standard_error(seen)
        low = sign * (seen.ratio[1] - seen.ratio[0]) - norm.isf(alpha) * error
        enough = (seen.units >= MINIMUM_UNITS).all(axis=0)
    return np.where(enough & (error > 0), low, np.nan)


def sample_ratio_p(baseline: Floats, candidate: Floats, *, share: float) -> Floats:
    """Return the p values of `steward.improve.rollout.sample_ratio.check` at every look."""
    from scipy.special import betaln

    from steward.improve.rollout.sample_ratio import CONCENTRATION

    a, b = CONCENTRATION * share, CONCENTRATION * (1 - share)
    evidence = (
        betaln(a + candidate, b + baseline)
        - betaln(a, b)
        - candidate * np.log(share)
        - baseline * np.log(1 - share)
    )
    return np.asarray(np.minimum(1, np.exp(-np.maximum(evidence, 0))))


@cache
def _rho2_of(alpha: float) -> tuple[float, float]:
    return tuning(alpha), multiplier(alpha, 1.0)


def _per_alpha(alpha: Floats, which: int) -> Floats:
    values = [_rho2_of(float(value))[which] for value in np.ravel(alpha)]
    return np.asarray(values).reshape(np.shape(alpha))


def _progress(error: Floats, units: Floats, alpha: Floats, target: float) -> Floats:
    if target <= 0:
        return units / UNTARGETED_UNITS
    return np.asarray((target / _per_alpha(alpha, 1) / error) ** 2)


def _multipliers(alpha: Floats, progress: Floats) -> Floats:
    u = _per_alpha(alpha, 0) * progress
    return np.asarray(np.sqrt((1 + 1 / u) * 2 * np.log1p(np.sqrt(u + 1) / (2 * alpha))))
