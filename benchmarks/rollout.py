"""Try out rollouts by the thousand: false roll-backs of a harmless candidate, and how soon harm is found.

    python -m benchmarks.rollout [--quick] [--json] [--rounds 2000] [--seed 1]

A harmless candidate (A/A) is looked at after every 20 of 20,000 conversations while its share steps 1 ► 5 ►
25 %; a harmful one after every 20 of 60,000 at a steady share. The same data are given to fixed-horizon
tests and to GrowthBook's sequential method. `--quick` plays 100 rounds of each.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.rollout_looks import (
    Ratios,
    fixed_low,
    growthbook_low,
    harm_bounds,
    ratios_of,
    sample_ratio_p,
    sums_at,
    units_of_phase,
)
from benchmarks.rollout_world import HARMS, SURVEY_DAYS, TRIGGERS, Floats, Shape, plan_of, world_of
from steward.improve.rollout.contracts import ALL, Plan, PlannedTrigger
from steward.improve.rollout.sample_ratio import MISMATCH
from steward.improve.rollout.verdicts import alpha_of

EVERY: Final = 20
HARMLESS: Final = Shape(conversations=20_000, days=28.0)
STEPS: Final = ((1.0, 0, 5_000), (5.0, 5_000, 10_000), (25.0, 10_000, 20_000))
"""Share in percent, and the conversations from and until which it holds."""
HARMFUL: Final = Shape(conversations=60_000, days=60.0)
SHARES: Final = (1.0, 5.0, 50.0)
MARGINS: Final = {"0": 0.0, "half": 0.5, "default": 1.0}
SHARE_KPIS: Final = frozenset(
    ("escalation_rate", "slow_turn_rate", "unverified_rate", "error_rate", "survey_response_rate")
)
"""KPIs that count events; marks and money aren't shares."""
METHODS: Final = (
    "steward",
    "steward_at_margin",
    "fixed_split",
    "fixed_alpha",
    "growthbook_split",
    "growthbook",
)
EXACTLY: Final = {"csat": 0.3, "escalation_rate": 0.05, "slow_turn_rate": 0.089}
"""Margins that the harm reaches: calling it safe under them is wrong."""


@dataclass(frozen=True, slots=True)
class Found:
    """After how many conversations one rollout came to a finding, by method; None where it didn't.

    `margin` "safe" is a harmless candidate found safe under the default margin, "wrongly safe" the harmful
    one under a margin that its harm reaches; both by the product alone.
    """

    kpi: str
    share: float
    margin: str
    steward: int | None
    growthbook_split: int | None = None
    growthbook: int | None = None


# ------------------------------------------------------------------ a harmless candidate


def harmless_round(seed: int, number: int) -> dict[str, Any]:
    """Play one A/A rollout; tells by method whether it rolled back.

    `steward` has the plan's margins. `steward_at_margin` has margins of 0, which is what a candidate whose
    harm lies exactly at the margin looks like: the hardest case that alpha speaks of. The others have
    margins of 0 too.
    """
    world = world_of(HARMLESS, (seed, number, 0))
    plan = plan_of(tuple(step[0] for step in STEPS))
    tripped = dict.fromkeys(METHODS, False)
    safe = True
    mismatch = False
    for phase, (percent, first, last) in enumerate(STEPS):
        begin = world.at[first]
        end = world.at[last] if last < len(world.at) else np.inf
        tail = np.arange(1, 351) * (SURVEY_DAYS / 350) + world.at[-1]
        looks = np.concatenate([world.at[first + EVERY - 1 :: EVERY], tail])
        units = units_of_phase(world, begin, end)
        for trigger in plan.triggers:
            arms = sums_at(
                world, trigger.kpi, units, looks, share=percent / 100, harmful=False, by_category=True
            )
            seen = ratios_of(arms)
            alphas = group_alphas(plan, trigger, phase)
            for method, found in alarms(seen, trigger, alphas, plan.alpha).items():
                tripped[method] |= found
            if phase == len(STEPS) - 1:
                safe &= bool(np.nanmin(bound_of(seen, trigger, alphas, plan.alpha).high[0]) < trigger.margin)
            if trigger.kpi == "escalation_rate":
                p = sample_ratio_p(arms.n[0, 0], arms.n[1, 0], share=percent / 100)
                mismatch |= bool((p <= MISMATCH).any())
    return {"seed": number, **tripped, "mismatch": mismatch, "each_safe_once": safe}


def group_alphas(plan: Plan, trigger: PlannedTrigger, phase: int) -> Floats:
    """Return alpha for all categories together, then for each: a column."""
    categories = (ALL, *plan.phases[phase].categories)
    return np.array(
        [[alpha_of(plan, trigger.kpi, category=category, phase=phase)] for category in categories]
    )


def bound_of(
    seen: Ratios, trigger: PlannedTrigger, alpha: Floats, safe_alpha: float, margin: float | None = None
) -> Any:
    """Bound a trigger's harm at every look."""
    return harm_bounds(
        seen,
        margin=trigger.margin if margin is None else margin,
        higher_is_better=trigger.higher_is_better,
        is_share=trigger.kpi in SHARE_KPIS,
        alpha=alpha,
        safe_alpha=safe_alpha,
    )


def alarms(seen: Ratios, trigger: PlannedTrigger, alpha: Floats, whole: float) -> dict[str, bool]:
    """Tell by method whether any look in any category called it harmful."""
    higher = trigger.higher_is_better
    together = Ratios(
        seen.ratio[:, :1],
        seen.units[:, :1],
        seen.per_unit[:, :1],
        seen.variance[:, :1],
        seen.pooled[:1],
    )
    return {
        "steward": bool((bound_of(seen, trigger, alpha, whole).low > trigger.margin).any()),
        "steward_at_margin": bool((bound_of(seen, trigger, alpha, whole, 0.0).low > 0).any()),
        "fixed_split": bool((fixed_low(seen, higher_is_better=higher, alpha=alpha) > 0).any()),
        "fixed_alpha": bool(
            (fixed_low(together, higher_is_better=higher, alpha=np.full((1, 1), whole)) > 0).any()
        ),
        "growthbook_split": bool((growthbook_low(seen, higher_is_better=higher, alpha=2 * alpha) > 0).any()),
        "growthbook": bool((growthbook_low(together, higher_is_better=higher) > 0).any()),
    }


# ------------------------------------------------------------------ a harmful candidate


def harmful_round(seed: int, number: int) -> list[Found]:
    """Play one harmful rollout at each share; each harm is alone in its measure."""
    world = world_of(HARMFUL, (seed, number, 1))
    looks = world.at[EVERY - 1 :: EVERY]
    units = units_of_phase(world, 0.0, np.inf)
    plan = plan_of((1.0, 5.0, 25.0, 50.0))
    found: list[Found] = []
    for share in SHARES:
        phase = [planned.share_percent for planned in plan.phases].index(share)
        for trigger in TRIGGERS:
            if trigger.kpi in HARMS:
                alpha = group_alphas(plan, trigger, phase)[:1]
                hurt, well = (
                    ratios_of(
                        sums_at(
                            world, trigger.kpi, units, looks, share=share / 100, harmful=it, by_category=False
                        )
                    )
                    for it in (True, False)
                )
                found += harm_found(hurt, trigger, share, alpha, plan.alpha)
                found += safety_found(hurt, well, trigger, share, alpha, plan.alpha)
    return found


def harm_found(
    hurt: Ratios, trigger: PlannedTrigger, share: float, alpha: Floats, whole: float
) -> list[Found]:
    """Return where each method found the harm, by margin."""
    higher = trigger.higher_is_better
    theirs = growthbook_low(hurt, higher_is_better=higher)[0]
    theirs_split = growthbook_low(hurt, higher_is_better=higher, alpha=2 * alpha)[0]
    return [
        Found(
            trigger.kpi,
            share,
            name,
            first_beyond(bound_of(hurt, trigger, alpha, whole, margin).low[0], margin),
            first_beyond(theirs_split, margin),
            first_beyond(theirs, margin),
        )
        for name, margin in ((name, trigger.margin * times) for name, times in MARGINS.items())
    ]


def safety_found(
    hurt: Ratios, well: Ratios, trigger: PlannedTrigger, share: float, alpha: Floats, whole: float
) -> list[Found]:
    """Return where a harmless candidate was found safe, rightly, and a harmful one, wrongly."""
    rightly = bound_of(well, trigger, alpha, whole).high[0]
    edge = EXACTLY[trigger.kpi]
    wrongly = bound_of(hurt, trigger, alpha, whole, edge).high[0]
    return [
        Found(trigger.kpi, share, "safe", first_beyond(-rightly, -trigger.margin)),
        Found(trigger.kpi, share, "wrongly safe", first_beyond(-wrongly, -edge)),
    ]


def first_beyond(low: Floats, margin: float) -> int | None:
    """Return after how many conversations a bound first lay beyond a margin."""
    beyond = np.flatnonzero(low > margin)
    return int((beyond[0] + 1) * EVERY) if len(beyond) else None


# ------------------------------------------------------------------ the command


def main() -> None:
    """Play rounds and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rounds = 100 if given.quick else given.rounds
    harmless = [harmless_round(given.seed, number) for number in range(rounds)]
    harmful = [found for number in range(rounds) for found in harmful_round(given.seed, number)]
    figures = summary(harmless, harmful)
    print(json.dumps(figures, indent=1) if given.json else as_text(figures))


def summary(harmless: Sequence[dict[str, Any]], harmful: Sequence[Found]) -> dict[str, Any]:
    """Put the rounds together."""
    rounds = len(harmless)
    table = []
    for kpi in HARMS:
        for share in SHARES:
            for margin in (*MARGINS, "safe", "wrongly safe"):
                cell = [
                    item for item in harmful if (item.kpi, item.share, item.margin) == (kpi, share, margin)
                ]
                table.append({"kpi": kpi, "share_percent": share, "margin": margin, **cell_figures(cell)})
    return {
        "rounds": rounds,
        "aa_false_rollback_share": sum(item["steward"] for item in harmless) / rounds,
        "aa_false_rollback_share_at_margin": sum(item["steward_at_margin"] for item in harmless) / rounds,
        "aa_fixed_horizon_split_share": sum(item["fixed_split"] for item in harmless) / rounds,
        "aa_fixed_horizon_share": sum(item["fixed_alpha"] for item in harmless) / rounds,
        "aa_growthbook_split_share": sum(item["growthbook_split"] for item in harmless) / rounds,
        "aa_growthbook_share": sum(item["growthbook"] for item in harmless) / rounds,
        "aa_sample_ratio_false_share": sum(item["mismatch"] for item in harmless) / rounds,
        "harm": table,
    }


def cell_figures(cell: Sequence[Found]) -> dict[str, float | None]:
    """Return share found and median conversations, ours and GrowthBook's."""
    figures: dict[str, float | None] = {}
    for method in ("steward", "growthbook_split", "growthbook"):
        when = [getattr(item, method) for item in cell]
        seen = [moment for moment in when if moment is not None]
        figures[f"{method}_found"] = len(seen) / len(when)
        figures[f"{method}_median"] = (
            statistics.median(moment if moment is not None else np.inf for moment in when)
            if len(seen) * 2 > len(when)
            else None
        )
    return figures


def as_text(figures: dict[str, Any]) -> str:
    """Return the figures as lines."""
    lines = [f"{name}: {value}" for name, value in figures.items() if name != "harm"]
    lines.append(f"{'KPI':16} {'share':>5} {'margin':>12}  Steward, GrowthBook at the same alpha, GrowthBook")
    for row in figures["harm"]:
        cells = [
            f"{row[f'{method}_found']:7.1%} {row[f'{method}_median'] or '-':>8}"
            for method in ("steward", "growthbook_split", "growthbook")
        ]
        lines.append(f"{row['kpi']:16} {row['share_percent']:4g}% {row['margin']:>12}  {'  '.join(cells)}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
