"""Whether a candidate passes less often than its baseline, beyond chance. Pure; scipy is loaded when used.

Per case: Fisher's exact test, one-sided. Over all cases: the exact conditional test of a common change, which
is the sum of the cases' hypergeometric counts (the Cochran-Mantel-Haenszel statistic without its normal
approximation; Agresti, "Categorical Data Analysis", 3rd ed., 6.4 and 16.5). Cases differ in difficulty, so
their counts are never thrown into one table. Holm's step-down correction (1979) serves the cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True, slots=True)
class Counts:
    """How often one case passed on both releases."""

    baseline_passed: int
    baseline_runs: int
    candidate_passed: int
    candidate_runs: int

    @property
    def looks_worse(self) -> bool:
        """Whether the candidate's share of passes is below the baseline's."""
        return self.candidate_passed * self.baseline_runs < self.baseline_passed * self.candidate_runs


def fisher_worse(counts: Counts) -> float:
    """Return the chance, were both alike, of so few passes of the candidate or fewer.

    The candidate's passes are hypergeometric given all passes: exact for any number of runs.
    """
    passed = counts.baseline_passed + counts.candidate_passed
    runs = counts.baseline_runs + counts.candidate_runs
    ways = comb(runs, counts.candidate_runs)
    return min(
        1.0,
        sum(
            comb(passed, few) * comb(runs - passed, counts.candidate_runs - few)
            for few in range(counts.candidate_passed + 1)
        )
        / ways,
    )


def pooled_worse(cases: Sequence[Counts]) -> float:
    """Return the chance, were both releases alike in every case, of so few passes in all or fewer."""
    import numpy as np
    from scipy.stats import hypergeom

    distribution = np.ones(1)
    lowest = seen = 0
    for counts in cases:
        passed = counts.baseline_passed + counts.candidate_passed
        runs = counts.baseline_runs + counts.candidate_runs
        least = max(0, passed - counts.baseline_runs)
        most = min(passed, counts.candidate_runs)
        lowest += least
        seen += counts.candidate_passed
        if most > least:
            chances = hypergeom.pmf(np.arange(least, most + 1), runs, passed, counts.candidate_runs)
            distribution = np.convolve(distribution, chances)
    return float(min(1.0, distribution[: seen - lowest + 1].sum()))


def holm(p_values: Mapping[str, float], *, alpha: float) -> frozenset[str]:
    """Return the cases whose null hypothesis Holm's procedure rejects at level `alpha`."""
    rejected: set[str] = set()
    ordered = sorted(p_values.items(), key=lambda item: (item[1], item[0]))
    for done, (case, p) in enumerate(ordered):
        if p > alpha / (len(ordered) - done):
            break
        rejected.add(case)
    return frozenset(rejected)


def pass_to_the_k(passed: int, runs: int, k: int) -> float:
    """Return the unbiased estimate of the chance that k attempts all pass: C(passed, k) / C(runs, k).

    Yao et al., "tau-bench", 2024, section 3. With fewer than k runs all of them stand for k.
    """
    k = min(k, runs)
    return comb(passed, k) / comb(runs, k) if runs else 0.0
