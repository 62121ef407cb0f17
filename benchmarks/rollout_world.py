"""A made-up company's traffic for trying out rollouts by the thousand: customers who return, surveys that
come late.

One world is one seed's traffic, as it would be on the baseline and, for three measures, as it would be on a
candidate that does harm. Customers bring 2.5 conversations on average; a conversation takes the customer's
own fate with probability sqrt(icc) and a fresh one otherwise, which makes the correlation of two
conversations of a customer `icc` for every measure. Escalations and slow turns follow the time of day. A
survey is final once nobody can answer any longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steward.improve.rollout.contracts import (
    Advance,
    BreakerPlan,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    Stage,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CATEGORIES: Final = ("billing", "broadband", "outage", "mobile", "tv", "moving", "contract", "account")
CATEGORY_SHARES: Final = (0.25, 0.2, 0.12, 0.12, 0.1, 0.08, 0.08, 0.05)
ESCALATION_BY_CATEGORY: Final = (0.12, 0.15, 0.10, 0.13, 0.12, 0.20, 0.27, 0.30)
MARKS: Final = (0.05, 0.05, 0.10, 0.25, 0.55)
"""Shares of the survey answers 1 to 5: mean 4.2, standard deviation 1.12."""
SLOW_SHARE: Final = 0.03
FAILED_SHARE: Final = 0.003
UNVERIFIED_SHARE: Final = 0.01
BUSY_PEAK: Final = 0.3536
"""Mean of the peak's sine over the day's traffic, which is heavier in the afternoon: cos(45°) / 2."""
SURVEY_DAYS: Final = 7.0
IDLE_DAYS: Final = 30 / 1440
BUCKETS: Final = 10_000

CSAT_DROP: Final = 0.3
ESCALATION_RISE: Final = 0.05
SLOW_RISE: Final = 0.09
HARMS: Final = {"csat": CSAT_DROP, "escalation_rate": ESCALATION_RISE, "slow_turn_rate": SLOW_RISE}
"""What the harmful candidate does, each measure alone."""

TRIGGERS: Final = (
    PlannedTrigger("csat", 0.1, True, matures="survey"),
    PlannedTrigger("escalation_rate", 0.02, False),
    PlannedTrigger("slow_turn_rate", 0.03, False),
    PlannedTrigger("unverified_rate", 0.02, False),
    PlannedTrigger("error_rate", 0.01, False, rare=True),
    PlannedTrigger("cost_per_conversation", 0.05, False),
    PlannedTrigger("survey_response_rate", 0.05, True, matures="survey"),
)
"""The sample's triggers with its margins."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How much traffic, and how it correlates."""

    conversations: int
    days: float
    per_customer: float = 2.5
    icc: float = 0.3
    survey_share: float = 0.2


@dataclass(frozen=True, slots=True)
class Measure:
    """One KPI over all conversations; `worse` is the numerator on the harmful candidate, `ready` in days."""

    numerator: Floats
    denominator: Floats
    ready: Floats
    worse: Floats


@dataclass(frozen=True, slots=True)
class World:
    """Conversations in the order of their beginning."""

    at: Floats
    customer: Ints
    bucket: Ints
    category: Ints
    measures: dict[str, Measure]


def plan_of(shares: tuple[float, ...], *, alpha: float = 0.05) -> Plan:
    """Return a plan whose randomised phases have these shares in percent, with the sample's triggers."""
    return Plan(
        phases=tuple(
            PlannedPhase(
                name=f"share_{share:g}",
                stage=Stage.RAMP,
                share_percent=share,
                categories=CATEGORIES,
                channels=(),
                minimum_conversations=200,
                minimum_hours=48,
                advance=Advance.SAFE,
                approval=None,
            )
            for share in shares
        ),
        triggers=TRIGGERS,
        alpha=alpha,
        holdout_share=0.0,
        slow_ms=3000.0,
        stale_hours=24.0,
        idle_minutes=IDLE_DAYS * 1440,
        survey_hours=SURVEY_DAYS * 24,
        recontact_hours=168.0,
        breaker=BreakerPlan(consecutive_failures=8, window_turns=40, failure_share=0.4),
    )


def world_of(shape: Shape, seed: tuple[int, ...]) -> World:
    """Draw a world."""
    chance = np.random.default_rng(seed)
    n = shape.conversations
    customer = _customers(chance, shape)
    people = int(customer.max()) + 1
    at = np.sort(_moments(chance, n, shape.days))
    own = chance.random(n) < np.sqrt(shape.icc)
    usual = chance.choice(len(CATEGORIES), size=people, p=CATEGORY_SHARES)[customer]
    category = np.where(own, usual, chance.choice(len(CATEGORIES), size=n, p=CATEGORY_SHARES))
    peak = np.sin(2 * np.pi * (at - 0.5))
    closed = at + IDLE_DAYS
    final = at + SURVEY_DAYS

    def fate() -> Floats:
        """Return uniform draws that stick to customers."""
        return np.where(own, chance.random(people)[customer], chance.random(n))

    answered = fate() < shape.survey_share
    marks = (1 + np.searchsorted(np.cumsum(MARKS)[:-1], fate(), side="right")).astype(float)
    lowered = (chance.random(n) < CSAT_DROP / (1 - MARKS[0])) & (marks > 1)
    csat = np.where(answered, marks, 0.0)
    escalation = np.asarray(ESCALATION_BY_CATEGORY)[category] * (1 + 0.3 * peak)
    escalated = fate() < escalation
    usually = float(np.dot(ESCALATION_BY_CATEGORY, CATEGORY_SHARES)) * (1 + 0.3 * BUSY_PEAK)
    extra = chance.random(n) < ESCALATION_RISE / (1 - usually)
    turns = 1 + chance.poisson(3.0, n)
    waiting = np.minimum(SLOW_SHARE * (1 + 0.5 * peak) * -np.log1p(-fate()), 0.9)
    slow = chance.binomial(turns, waiting)
    slower = slow + chance.binomial(turns - slow, SLOW_RISE / (1 - SLOW_SHARE))
    cost = turns * 0.01 * np.exp(chance.normal(-0.32, 0.8, n))
    whole = turns.astype(float)
    one = np.ones(n)

    def measure(
        numerator: NDArray[np.generic],
        denominator: Floats,
        ready: Floats,
        worse: NDArray[np.generic] | None = None,
    ) -> Measure:
        seen = numerator.astype(float)
        return Measure(seen, denominator, ready, seen if worse is None else worse.astype(float))

    return World(
        at=at,
        customer=customer,
        bucket=chance.integers(0, BUCKETS, people),
        category=category,
        measures={
            "csat": measure(csat, answered.astype(float), final, csat - (lowered & answered)),
            "escalation_rate": measure(escalated, one, closed, escalated | extra),
            "slow_turn_rate": measure(slow, whole, closed, slower),
            "unverified_rate": measure(chance.binomial(turns, UNVERIFIED_SHARE), whole, closed),
            "error_rate": measure(chance.binomial(turns, FAILED_SHARE), whole, closed),
            "cost_per_conversation": measure(cost, one, closed),
            "survey_response_rate": measure(answered, one, final),
        },
    )


def _customers(chance: np.random.Generator, shape: Shape) -> Ints:
    """Return each conversation's customer; how many one brings is geometric."""
    enough = int(shape.conversations / shape.per_customer * 1.3) + 50
    counts = chance.geometric(1 / shape.per_customer, enough)
    return chance.permutation(np.repeat(np.arange(len(counts)), counts)[: shape.conversations])


def _moments(chance: np.random.Generator, n: int, days: float) -> Floats:
    """Return moments in days; nights are quiet, and the afternoon is twice as busy as the average."""
    even = chance.random(3 * n) * days
    kept = even[chance.random(3 * n) < 0.5 + 0.5 * np.sin(2 * np.pi * (even - 0.375))]
    while len(kept) < n:
        kept = np.concatenate([kept, kept[: n - len(kept)] + 1e-9])
    return kept[:n]
