"""What the power page would say before the harmful rollouts of `benchmarks.rollout`, from ordinary
traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benchmarks.rollout_looks import ratios_of, sums_at, units_of_phase
from benchmarks.rollout_world import HARMS, TRIGGERS, Floats, Shape, World, plan_of, world_of
from steward.improve.rollout.contracts import ALL
from steward.improve.rollout.power import (
    Comparison,
    Expected,
    chance_found,
    chance_safe,
    customers_to_find,
    customers_to_safe,
)
from steward.improve.rollout.verdicts import alpha_of

SCALES: Final = {"csat": (1.0, 5.0), "cost_per_conversation": None}


@dataclass(frozen=True, slots=True)
class Forecast:
    """Chance of a finding within the horizon, and conversations until the chance is one half, or None."""

    found: float
    median: float | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How many customers' measures are final after how many conversations."""

    conversations: Floats
    customers: Floats

    def until(self, customers: int | None) -> float | None:
        """Return the conversations that bring so many customers; None where there are too few."""
        if customers is None or customers > self.customers[-1]:
            return None
        return float(np.interp(customers, self.customers, self.conversations))


def expected_of(world: World, kpi: str) -> Expected:
    """Read how a KPI lies on the baseline from each customer's first conversation."""
    units = units_of_phase(world, 0.0, np.inf)
    everything = sums_at(world, kpi, units, np.array([np.inf]), share=0.0, harmful=False, by_category=False)
    seen = ratios_of(everything)
    return Expected(
        ratio=float(seen.ratio[0, 0, 0]),
        variance=float(seen.variance[0, 0, 0]),
        units_per_customer=float(seen.units[0, 0, 0]) / len(units),
        scale=SCALES.get(kpi, (0.0, 1.0)),
        per_unit=float(seen.per_unit[0, 0, 0]),
    )


def arrivals_of(world: World, kpi: str, every: int) -> Arrivals:
    """Count the customers whose measure is final at each look."""
    looks = world.at[every - 1 :: every]
    units = units_of_phase(world, 0.0, np.inf)
    ready = np.sort(world.measures[kpi].ready[units])
    return Arrivals(
        conversations=np.arange(1, len(looks) + 1, dtype=np.float64) * every,
        customers=np.searchsorted(ready, looks, side="right").astype(float),
    )


def forecasts(
    shape: Shape, *, seed: int, shares: tuple[float, ...], margins: dict[str, float], every: int
) -> dict[tuple[str, float, str], Forecast]:
    """Forecast every cell of the table of harms, and under the margin's name "safe" that of a harmless
    candidate."""
    world = world_of(shape, (seed, 1_000_000, 1))
    plan = plan_of((1.0, 5.0, 25.0, 50.0))
    told = {}
    for trigger in TRIGGERS:
        if trigger.kpi not in HARMS:
            continue
        expected = expected_of(world, trigger.kpi)
        arrivals = arrivals_of(world, trigger.kpi, every)
        most, harm = float(arrivals.customers[-1]), HARMS[trigger.kpi]
        for share in shares:
            phase = [planned.share_percent for planned in plan.phases].index(share)
            alpha = alpha_of(plan, trigger.kpi, category=ALL, phase=phase)
            watched = Comparison(trigger, expected, share / 100, alpha, plan.alpha)
            for name, times in margins.items():
                at = replace(watched, trigger=replace(trigger, margin=trigger.margin * times))
                median = arrivals.until(customers_to_find(at, harm, power=0.5))
                told[(trigger.kpi, share, name)] = Forecast(chance_found(at, harm, most), median)
            median = arrivals.until(customers_to_safe(watched, power=0.5))
            told[(trigger.kpi, share, "safe")] = Forecast(chance_safe(watched, 0.0, most), median)
    return told
