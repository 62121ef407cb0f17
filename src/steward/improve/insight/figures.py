"""From sums to a figure with its interval. Pure arithmetic."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from steward.improve.insight.contracts import Figure, Method, Sums

Z = 1.959963984540054
"""97.5 % point of the standard normal distribution: intervals of 95 %, two-sided."""
FEWEST = 2
"""Units from which a variance can be estimated."""


def figure_of(
    totals: Sums, *, immature: Sums | None = None, design: float = 1.0, share: bool | None = None
) -> Figure:
    """Return a ratio with its 95 % interval.

    A proportion (every unit is 0 or 1 of 1) gets Wilson's score interval (Wilson, J. Am. Stat. Assoc. 22,
    1927), any other ratio the delta method's (Cochran, Sampling Techniques, 3rd ed., section 6.5). A share
    of which nothing or everything was hit has no variance to estimate, so it gets Wilson's over its units.

    Args:
        totals: sums of the units that count.
        immature: sums of those that don't count yet.
        design: factor by which clusters raise the variance (Kish's design effect), 1 or more.
        share: whether the KPI is a share by its unit; None judges by the sums, which can't tell a cost of
            0 from a share of 0.
    """
    waiting = immature or Sums()
    together = totals.plus(waiting)
    so_far = together.y / together.d if together.d else None
    if totals.n == 0 or totals.d == 0:
        return Figure(None, None, None, totals.n, Method.NONE, waiting.n, so_far, design)
    value = totals.y / totals.d
    units = wilson_units(totals) if share is not False else None
    if units is not None:
        low, high = wilson(value, units / design)
        return Figure(value, low, high, totals.n, Method.WILSON, waiting.n, so_far, design)
    variance = variance_of(totals)
    if variance is None:
        return Figure(value, None, None, totals.n, Method.NONE, waiting.n, so_far, design)
    reach = Z * math.sqrt(variance * design)
    return Figure(value, value - reach, value + reach, totals.n, Method.DELTA, waiting.n, so_far, design)


def wilson_units(totals: Sums) -> float | None:
    """Return the number of units that a share's Wilson interval stands on; None where it has none."""
    if is_proportion(totals):
        return totals.n
    # Each unit that counts has a denominator of 1 or more, so there are no more of them than that.
    return min(float(totals.n), float(totals.d)) if is_all_or_nothing(totals) else None


def is_proportion(totals: Sums) -> bool:
    """Tell whether every unit of a share counted 0 or 1 of exactly 1."""
    return totals.d == totals.dd == totals.n and totals.y == totals.yy == totals.yd


def is_all_or_nothing(totals: Sums) -> bool:
    """Tell whether a share in whole numbers was 0 in every unit, or all of the denominator in every unit."""
    whole = all(float(total).is_integer() for total in (totals.d, totals.dd))
    nothing = totals.y == totals.yy == 0
    return whole and (nothing or (totals.y == totals.d and totals.yy == totals.yd == totals.dd))


def variance_of(totals: Sums) -> float | None:
    """Return the variance of y / d by the delta method; None below `FEWEST` units."""
    if totals.n < FEWEST or totals.d == 0:
        return None
    ratio = totals.y / totals.d
    residual = max(totals.yy - 2 * ratio * totals.yd + ratio**2 * totals.dd, 0.0)
    return residual * totals.n / (totals.n - 1) / totals.d**2


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion of n units."""
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def ranks_around(share: float, n: int, *, design: float = 1.0) -> tuple[float, float]:
    """Return the shares between whose values a quantile lies with 95 % confidence.

    The number of values below the quantile is binomial; its normal approximation gives the ranks (Conover,
    Practical Nonparametric Statistics, 3rd ed., section 3.2).
    """
    reach = Z * math.sqrt(share * (1 - share) * design / n)
    return max(share - reach, 0.0), min(share + reach, 1.0)


# ------------------------------------------------------------------ log-spaced buckets

GROWTH = 1.01
"""Ratio of a bucket's bounds: the middle of a bucket is within 0.5 % of everything in it."""
LOWEST_MS = 0.01
"""Shorter durations share the first bucket; no clock of ours is finer."""


Counts = NDArray[np.int64]
"""How many durations lie in each bucket, from bucket 0 on."""
_PAIR = np.dtype([("bucket", ">i2"), ("count", ">i4")])


def bucket_middle(bucket: int) -> float:
    """Return the value that stands for a bucket: the geometric mean of its bounds."""
    return LOWEST_MS * float(GROWTH ** (bucket - 0.5)) if bucket > 0 else LOWEST_MS


def bucket_sql(value: str) -> str:
    """Return PostgreSQL's expression for the bucket of a duration.

    Bucket b reaches from `LOWEST_MS * GROWTH ** (b - 1)`, not included, to `LOWEST_MS * GROWTH ** b`.
    """
    return (
        f"cast(case when {value} <= {LOWEST_MS} then 0 "
        f"else greatest(ceil(ln({value} / {LOWEST_MS}) / {math.log(GROWTH)!r}), 1) end as integer)"
    )


def counts_of(packed: bytes) -> Counts:
    """Add up packed pairs of bucket and count, as `kpi_hour.sketch` holds them."""
    pairs = np.frombuffer(packed, _PAIR)
    return np.bincount(pairs["bucket"], weights=pairs["count"]).astype(np.int64)


def quantile_of(counts: Counts, share: float) -> float | None:
    """Return a quantile from counts by bucket; ranks as PostgreSQL's percentile_cont."""
    seen = np.cumsum(counts)
    if seen.size == 0 or seen[-1] == 0:
        return None
    rank = share * (int(seen[-1]) - 1)
    below, above = math.floor(rank), math.ceil(rank)
    low, high = (bucket_middle(int(np.searchsorted(seen, at, side="right"))) for at in (below, above))
    return low + (high - low) * (rank - below)


def quantile_figure(counts: Counts, share: float, *, design: float = 1.0) -> Figure:
    """Return a quantile from counts by bucket with its 95 % interval."""
    n = int(counts.sum())
    if n == 0:
        return Figure(None, None, None, 0, Method.NONE)
    low, high = ranks_around(share, n, design=design)
    return Figure(
        quantile_of(counts, share),
        quantile_of(counts, low),
        quantile_of(counts, high),
        n,
        Method.ORDER,
        design=design,
    )
