"""Customers in buckets, by the million: shares, growth and independence. Pure."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from uuid import UUID

from scipy.stats import chi2_contingency, chisquare

from steward.supply.releases.assignment import (
    BUCKETS,
    Arm,
    Holdout,
    Seeker,
    Split,
    Traffic,
    assign,
    bucket_of,
)
from steward.supply.releases.contracts import ReleaseId

CUSTOMERS = 1_000_000
SHARES = (1.0, 5.0, 25.0, 50.0)
HOLDOUT_SHARE = 2.0
OTHERS = 4
"""Rollouts whose assignments are compared with each other, pair by pair, and with the holdout."""
LEVEL = 0.001
"""A pair depends on each other below this p, divided by the number of pairs (Bonferroni)."""
BASELINE, CANDIDATE = ReleaseId("baseline"), ReleaseId("candidate")


@dataclass(slots=True)
class Shares:
    """What the buckets showed."""

    customers: int
    errors: dict[str, float] = field(default_factory=dict)
    """Distance from the planned share, in standard errors."""
    seen: dict[str, float] = field(default_factory=dict)
    left: int = 0
    moved_back: int = 0
    lowest_p: float = 1.0
    pairs: int = 0
    problems: list[str] = field(default_factory=list)


def kept(path: Path, seed: int) -> Shares:
    """Measure, or read what an interrupted run measured."""
    if path.exists():
        return Shares(**json.loads(path.read_text()))
    shown = measure(seed)
    path.write_text(json.dumps(asdict(shown)))
    return shown


def ids(chance: random.Random) -> UUID:
    """Return a customer's id as the product makes them: time-ordered, with random tails."""
    return UUID(int=(chance.getrandbits(41) << 80) | (0x7 << 76) | chance.getrandbits(76))


def traffic(rollout: UUID, share_percent: float, holdout: Holdout) -> Traffic:
    """Return a lane on which a rollout has reached a share."""
    split = Split(rollout, 0, CANDIDATE, round(share_percent / 100 * BUCKETS), frozenset({"billing"}))
    return Traffic("northline", False, BASELINE, 1, split, holdout)


def arms_of(customer: UUID, lanes: list[Traffic]) -> list[Arm]:
    """Return where a customer is put on each lane."""
    found: list[Arm] = []
    for lane in lanes:
        assigned = assign(lane, Seeker(customer, "billing", "web", False))
        assert assigned is not None
        found.append(assigned.arm)
    return found


def measure(seed: int, *, customers: int = CUSTOMERS) -> Shares:
    """Put so many customers into buckets at growing shares and beside other rollouts."""
    chance, shown = random.Random(f"shares {seed}"), Shares(customers)
    holdout = Holdout(f"holdout {ids(chance)}", round(HOLDOUT_SHARE / 100 * BUCKETS), BASELINE)
    rollout = ids(chance)
    growing = [traffic(rollout, share, holdout) for share in SHARES]
    others = [traffic(ids(chance), 50.0, holdout) for _ in range(OTHERS)]
    candidates: Counter[float] = Counter()
    held_out, tables = 0, Counter[tuple[Arm, ...]]()
    tenths: Counter[int] = Counter()
    for _ in range(customers):
        arms = arms_of(customer := ids(chance), growing)
        is_held_out = arms[0] is Arm.HOLDOUT
        held_out += is_held_out
        shown.left += any((arm is Arm.HOLDOUT) != is_held_out for arm in arms)
        for before, after in pairwise(arms):
            shown.moved_back += before is Arm.CANDIDATE and after is not Arm.CANDIDATE
        for share, arm in zip(SHARES, arms, strict=True):
            candidates[share] += arm is Arm.CANDIDATE
        if is_held_out:
            tenths[bucket_of(customer, str(rollout)) * 10 // BUCKETS] += 1
        else:
            tables[arms[-1], *arms_of(customer, others)] += 1
    taking_part = customers - held_out
    _note(shown, f"holdout {HOLDOUT_SHARE:g} %", held_out, customers, HOLDOUT_SHARE)
    for share in SHARES:
        _note(shown, f"candidate {share:g} %", candidates[share], taking_part, share)
    _independence(shown, tables, tenths)
    if shown.left:
        shown.problems.append(f"{shown.left} customers left the holdout or came into it")
    if shown.moved_back:
        shown.problems.append(f"{shown.moved_back} customers left the candidate while its share grew")
    return shown


def _note(shown: Shares, name: str, hits: int, n: int, share_percent: float) -> None:
    planned = share_percent / 100
    error = math.sqrt(planned * (1 - planned) / n)
    shown.seen[name] = 100 * hits / n
    shown.errors[name] = (hits / n - planned) / error
    if abs(shown.errors[name]) > 3:
        shown.problems.append(f"{name}: {hits} of {n}, {shown.errors[name]:.2f} standard errors off")


def _independence(shown: Shares, tables: Counter[tuple[Arm, ...]], tenths: Counter[int]) -> None:
    """Test every pair of rollouts, all at half, and the holdout with one of them, by chi-square."""
    width = OTHERS + 1
    shown.pairs = width * (width - 1) // 2 + 1
    shown.lowest_p = float(chisquare([tenths[tenth] for tenth in range(10)]).pvalue)
    if shown.lowest_p < LEVEL / shown.pairs:
        shown.problems.append(f"holdout and rollout depend on each other: p = {shown.lowest_p:.2g}")
    for one, other in combinations(range(width), 2):
        table = Counter[tuple[Arm, Arm]]()
        for arms, count in tables.items():
            table[arms[one], arms[other]] += count
        sides = (Arm.BASELINE, Arm.CANDIDATE)
        rows = [[table[row, column] for column in sides] for row in sides]
        p = float(chi2_contingency(rows).pvalue)
        shown.lowest_p = min(shown.lowest_p, p)
        if p < LEVEL / shown.pairs:
            shown.problems.append(f"rollouts {one} and {other} depend on each other: p = {p:.2g}")
