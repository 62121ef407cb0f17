"""Statistics of pairs: the same turn answered by two releases, and shares with their intervals. Pure.

Turns of one conversation lean on each other, and these are right for one look: they are shown, and
no verdict stands on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.959963984540054
"""97.5 % quantile of the normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class ShareOf:
    """`hits` of `n`, as a share with a 95 % interval; None where n is 0."""

    hits: int
    n: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How often only one of two failed on the same turns.

    `difference` is the candidate's share less the baseline's, with a 95 % interval; `p` is that of
    McNemar's exact test that both fail equally often.
    """

    only_baseline: int
    only_candidate: int
    n: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None


def share_of(hits: int, n: int) -> ShareOf:
    """Return a share with Wilson's score interval (Wilson, 1927)."""
    if n == 0:
        return ShareOf(0, 0, None, None, None)
    share, z2 = hits / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return ShareOf(hits, n, share, max(0.0, centre - half), min(1.0, centre + half))


def paired_difference(only_baseline: int, only_candidate: int, n: int) -> PairedDifference:
    """Compare two shares over the same n turns.

    The interval is Agresti and Min's (Statistics in Medicine 24, 2005): Wald's with half an observation
    added to each of the four cells.
    """
    if n == 0:
        return PairedDifference(0, 0, 0, None, None, None, None)
    b, c, total = only_baseline + 0.5, only_candidate + 0.5, n + 2.0
    centre = (c - b) / total
    half = Z_95 * math.sqrt((b + c) - (c - b) ** 2 / total) / total
    return PairedDifference(
        only_baseline,
        only_candidate,
        n,
        (only_candidate - only_baseline) / n,
        max(-1.0, centre - half),
        min(1.0, centre + half),
        mcnemar_p(only_baseline, only_candidate),
    )


def mcnemar_p(only_baseline: int, only_candidate: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: a fair coin over the turns that differ."""
    n, fewer = only_baseline + only_candidate, min(only_baseline, only_candidate)
    if n == 0:
        return 1.0
    tail = sum(
        math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
        for k in range(fewer + 1)
    )
    return min(1.0, 2.0 * tail)
