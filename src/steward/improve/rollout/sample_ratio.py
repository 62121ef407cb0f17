"""Whether customers fall into the arms in the planned share, checked as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Final

MISMATCH: Final = 0.001
"""At or below this p the arms aren't what the plan says. Fabijan et al., "Diagnosing sample ratio mismatch in
online controlled experiments", KDD 2019, recommend a level well under the usual 5 %, since a mismatch voids
everything."""
CONCENTRATION: Final = 500.0
"""How closely the mixture lies around the planned share; most sensitive to shares that are off by a tenth
to a fifth."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """What a check found; `p` is valid at any time and None where one arm gets everybody."""

    ok: bool
    p: float | None


def check(baseline: int, candidate: int, *, share: float) -> SampleRatio:
    """Compare the arms' counts with the planned share.

    The likelihood of the candidate's share, mixed over a beta distribution around the planned one, against
    the planned one's: a non-negative martingale while the plan holds, so 1 / it is a p value that may be
    looked at all the time (Ville's inequality; Lindon and Malek, "Anytime-valid inference for
    multinomial count data", NeurIPS 2022).

    Args:
        baseline: customers counted on the baseline in the phase; staff and the holdout are left out.
        candidate: the same on the candidate.
        share: the candidate's planned share of both, 0 to 1.
    """
    if not 0.0 < share < 1.0:
        return SampleRatio(ok=True, p=None)
    before_candidate, before_baseline = CONCENTRATION * share, CONCENTRATION * (1 - share)
    log_evidence = (
        _log_beta(before_candidate + candidate, before_baseline + baseline)
        - _log_beta(before_candidate, before_baseline)
        - candidate * log(share)
        - baseline * log(1 - share)
    )
    p = min(1.0, exp(-max(log_evidence, 0.0)))
    return SampleRatio(ok=p > MISMATCH, p=p)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
