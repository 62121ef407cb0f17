"""Confidence sequences: bounds on the difference of two arms that hold at every look at once.

Harm is the difference of two ratios with its sign turned so that more is worse. Most measures take
asymptotic sequences (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory
and asymptotic confidence sequences", Annals of Statistics 52(6), 2024: the normal mixture in its
one-sided form); rare yes-or-no events take exact ones. Only sums go in, so every bound can be computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, lgamma, log, log1p, sqrt
from typing import Final

from steward.improve.insight.contracts import Sums

MINIMUM_UNITS: Final = 50.0
"""Units per arm before the first asymptotic bound; below it a normal approximation of a skewed rate is a
guess."""
MINIMUM_SAFE_UNITS: Final = 100.0
"""The same for the bound on safety, whose errors skew and small variances make worse."""
EARLY_SHARE: Final = 0.15
"""Part of alpha spent on a sequence tuned to the beginning, so that gross harm shows before the margin
could be resolved."""
EARLY_UNITS: Final = 50.0
"""Where that one is tightest: effective units, so 100 customers in each arm at 50/50."""
UNTARGETED_UNITS: Final = 500.0
"""Where a sequence is tightest if there is no margin to tune it to: 1,000 customers in each arm."""
LOWER_TARGET: Final = 3.0
"""The bound on harm is tightest once it lies this many margins below the estimate. A sequence tuned too
early is a few percent too wide later, one tuned too late is useless before; in trials at 2, 3 and 4, the
choice of 3 lost least over shares from 1 to 50 % and harms from 2 margins up."""
UPPER_TARGET: Final = 1.0
"""The bound on safety is tightest where a harmless candidate is just found safe."""


@dataclass(frozen=True, slots=True)
class ArmRatio:
    """One arm's ratio. `units` is Kish's effective number, (sum of d)² / sum of d²; `variance` is per such
    unit."""

    ratio: float
    units: float
    per_unit: float
    variance: float
    is_share: bool

    def at_least(self, share: float) -> float:
        """Return the variance, but no less than counted events of that share would have."""
        if not self.is_share:
            return self.variance
        within = min(max(share, 0.0), 1.0)
        return max(self.variance, within * (1.0 - within) / self.per_unit)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds on harm, each side by itself at its own alpha; None where there is too little to say."""

    low: float | None
    high: float | None


def arm_ratio(sums: Sums) -> ArmRatio | None:
    """Return an arm's ratio with its linearised variance (delta method), or None before anything arrived.

    A unit with denominator 0 changes nothing but `n`, so it doesn't matter whether silent customers are
    added.
    """
    if sums.d <= 0 or sums.dd <= 0:
        return None
    ratio = sums.y / sums.d
    units = sums.d * sums.d / sums.dd
    squares = max(sums.yy - 2.0 * ratio * sums.yd + ratio * ratio * sums.dd, 0.0)
    if squares < 1e-12 * (sums.yy + ratio * ratio * sums.dd):
        squares = 0.0
    variance = squares / (sums.d * sums.d) * units
    if units > 1.0:
        variance *= units / (units - 1.0)
    counted = all(float(part).is_integer() for part in (sums.y, sums.d, sums.yy, sums.yd))
    return ArmRatio(
        ratio=ratio,
        units=units,
        per_unit=sums.dd / sums.d,
        variance=variance,
        is_share=counted and 0.0 <= sums.y <= sums.d,
    )


def tuning(alpha: float) -> float:
    """Return rho² times the time at which a one-sided sequence is tightest.

    Waudby-Smith et al. (equation 161 of arXiv 2103.06476v7) give it for two sides; one side is taken at
    2 alpha, which is what it costs.

    Raises:
        ValueError: alpha isn't above 0 and below 0.5.
    """
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"a one-sided alpha lies between 0 and 0.5, not at {alpha}")
    cost = -2.0 * log(2.0 * alpha)
    return cost + log1p(cost)


def multiplier(alpha: float, progress: float) -> float:
    """Return a one-sided bound's distance from the estimate in standard errors.

    Waudby-Smith et al. (equation 134 of arXiv 2103.06476v7) as a function of u = rho² t:
    sqrt((1 + 1/u) · 2 · log(1 + sqrt(u + 1) / (2 alpha))). It follows from the half-normal mixture
    2 / sqrt(u + 1) · exp(z²/2) · Phi(z), below 1 / alpha at all times at once with probability 1 - alpha, and
    from Phi(z) >= 1 - exp(-z²/2).

    Args:
        alpha: chance of ever being wrong on this side.
        progress: information so far over that at which the sequence is tightest; 1 is there.
    """
    if progress <= 0.0:
        return inf
    u = tuning(alpha) * progress
    return sqrt((1.0 + 1.0 / u) * 2.0 * log1p(sqrt(u + 1.0) / (2.0 * alpha)))


def half_width(error: float, alpha: float, *, units: float, target: float) -> float:
    """Return a bound's distance from the estimate, tuned to be tightest when that is `target`.

    Information, 1 / error², is the intrinsic time, whatever the shares of the arms. Without a target (0) the
    sequence is tightest at `UNTARGETED_UNITS`.
    """
    if target <= 0.0:
        return error * multiplier(alpha, units / UNTARGETED_UNITS)
    return error * multiplier(alpha, (target / multiplier(alpha, 1.0) / error) ** 2)


def bounds(
    baseline: Sums,
    candidate: Sums,
    *,
    margin: float,
    higher_is_better: bool,
    alpha: float,
    safe_alpha: float,
    times: float = 1.0,
) -> Bounds:
    """Bound the candidate's harm at any time by asymptotic sequences.

    The lower bound is the better of two sequences that share alpha: one tuned to the margin, one to the
    beginning. The upper bound takes the variance that a harm at the margin would have (a score test's) and no
    less than the baseline's: few events say little about their variance, and a small arm of skewed marks
    looks steadiest just when it looks best.

    Args:
        baseline: sums of the baseline's units.
        candidate: sums of the candidate's units.
        margin: harm that is acceptable, 0 or more; the sequences are tuned to it.
        higher_is_better: the KPI's direction.
        alpha: chance that the lower bound is ever above the true harm.
        safe_alpha: chance that the upper bound is ever below it.
        times: bound as if there were so many times the units, all else equal; for forecasts.
    """
    old, new = arm_ratio(baseline), arm_ratio(candidate)
    if old is None or new is None or min(old.units, new.units) * times < MINIMUM_UNITS:
        return Bounds(None, None)
    sign = -1.0 if higher_is_better else 1.0
    harm = sign * (new.ratio - old.ratio)
    units = effective_units(old.units, new.units) * times
    seen = _error(old, new, baseline.plus(candidate)) / sqrt(times)
    low = None
    if seen > 0.0:
        late = half_width(seen, alpha * (1.0 - EARLY_SHARE), units=units, target=LOWER_TARGET * margin)
        early = seen * multiplier(alpha * EARLY_SHARE, units / EARLY_UNITS)
        low = harm - min(late, early)
    usual = max(old.variance, new.at_least(old.ratio + sign * margin))
    expected = old.at_least(old.ratio) / old.units + usual / new.units
    at_margin = max(seen, sqrt(expected / times))
    high = None
    if at_margin > 0.0 and min(old.units, new.units) * times >= MINIMUM_SAFE_UNITS:
        high = harm + half_width(at_margin, safe_alpha, units=units, target=UPPER_TARGET * margin)
    return Bounds(low, high)


def effective_units(baseline: float, candidate: float) -> float:
    """Return what two unequal arms are worth: 1 / (1/b + 1/c), half of one arm where they are equal."""
    return 1.0 / (1.0 / baseline + 1.0 / candidate)


def _error(old: ArmRatio, new: ArmRatio, both: Sums) -> float:
    """Return the difference's standard error; an arm whose units are all alike takes the variance of both
    together."""
    if old.variance > 0.0 and new.variance > 0.0:
        return sqrt(old.variance / old.units + new.variance / new.units)
    pooled = arm_ratio(both)
    spare = pooled.variance if pooled is not None else 0.0
    return sqrt((old.variance or spare) / old.units + (new.variance or spare) / new.units)


# ------------------------------------------------------------------ rare events


def is_binary(sums: Sums) -> bool:
    """Tell whether every unit is one yes or no, or silent."""
    return sums.dd == sums.d and sums.yy == sums.y == sums.yd


def exact_bounds(
    baseline: Sums,
    candidate: Sums,
    *,
    margin: float,
    higher_is_better: bool,
    alpha: float,
    safe_alpha: float,
    times: float = 1.0,
) -> Bounds:
    """Bound the candidate's harm at any time where each unit is a yes or no, whatever the number of events.

    Each arm has an exact sequence at half of alpha, and harm lies between their extremes. Wider than the
    asymptotic one where events are many, and right where they are few or none. Arguments as for `bounds`.
    """
    if baseline.d <= 0 or candidate.d <= 0:
        return Bounds(None, None)
    likely = min(max(margin, 0.001), 0.5)
    worse, better = (baseline, candidate) if higher_is_better else (candidate, baseline)

    def low(sums: Sums, level: float) -> float:
        return share_low(sums.y * times, sums.d * times, level / 2, expected=likely)

    def high(sums: Sums, level: float) -> float:
        return share_high(sums.y * times, sums.d * times, level / 2, expected=likely)

    return Bounds(
        low=low(worse, alpha) - high(better, alpha), high=high(worse, safe_alpha) - low(better, safe_alpha)
    )


def share_low(events: float, units: float, alpha: float, *, expected: float) -> float:
    """Return the lower end of a share's exact sequence; see `share_high`."""
    return 1.0 - share_high(units - events, units, alpha, expected=1.0 - expected)


def share_high(events: float, units: float, alpha: float, *, expected: float) -> float:
    """Return the upper end of a share's exact confidence sequence.

    The beta-binomial mixture (Robbins, "Statistical methods related to the law of the iterated logarithm",
    1970; Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
    sequences", Annals of Statistics 2021): the shares against which the mixed likelihood ratio stays below
    1 / alpha.

    Args:
        events: how many of the units had one.
        units: how many there are.
        alpha: chance that the share is ever outside.
        expected: share around which the mixture, a beta of half an event's weight, lies; only width depends
            on it.
    """
    if events >= units:
        return 1.0
    weight = 0.5 / min(expected, 1.0 - expected)
    a, b = weight * expected, weight * (1.0 - expected)
    mixed = _log_beta(a + events, b + units - events) - _log_beta(a, b) + log(alpha)

    def is_inside(share: float) -> bool:
        return mixed < (events * log(share) if events else 0.0) + (units - events) * log1p(-share)

    inside, outside = events / units, 1.0
    for _ in range(60):
        middle = (inside + outside) / 2.0
        if middle < 1.0 and is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
