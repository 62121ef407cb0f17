"""Harmful candidates at several shares and margins: how many are found, how soon, and was it foreseen?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.rollout import (
    EVERY,
    HARMFUL,
    MARGINS,
    SHARES,
    Found,
    harmful_round,
)
from benchmarks.rollout_forecast import Forecast, forecasts
from benchmarks.rollout_world import HARMS, TRIGGERS
from tests.prove.results import Ledgered, Report
from tests.prove.rollout_aa import blocks, kept_in

NAME = "rollout-harm"
CLAIM = """
A candidate that does one harm, satisfaction down by 0.3 of 5, escalations up by 5 points or 12 % slow turns
instead of 3 %, is watched while 60,000 conversations pass. At half of the customers and with the sample's
margins at least 90 % are found. A candidate whose harm just reaches its margin is called safe in at most 5
%. What the power page foretold from ordinary traffic stands beside what happened.
"""
ROUNDS = 2_000
ENOUGH = 0.9
AGREEMENT = 0.1
"""Most that a forecast share may be off."""
MEDIAN_AGREEMENT = 0.25
"""Most that a forecast median may be off, as a part of it."""
SOON, CLEARLY = 1_000.0, 0.75
"""Medians are compared beyond so many conversations, where it isn't a matter of the first looks, and where at
least so many were foretold: where about half are found at all, the curve is flat and its middle anywhere."""
WRONGLY = 0.05
WORDS = {
    "csat": "csat −0.3",
    "escalation_rate": "escalation +5 points",
    "slow_turn_rate": "slow turns 12 % instead of 3 %",
}


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = kept_in(directory)
    for numbers in blocks(rounds, len(kept.rounds)):
        found = [item for number in numbers for item in harmful_round(seed, number)]
        kept.add({"found": [list(asdict(item).values()) for item in found]})
        print(f"  {numbers.stop} of {rounds} rollouts", flush=True)
    return report(kept, seed)


def report(kept: Ledgered, seed: int) -> Report:
    """Put the table together and compare it with the forecast."""
    cells: dict[tuple[str, float, str], list[Found]] = {}
    for block in kept.rounds:
        for values in block["found"]:
            item = Found(*values)
            cells.setdefault((item.kpi, item.share, item.margin), []).append(item)
    told = forecasts(HARMFUL, seed=seed, shares=SHARES, margins=MARGINS, every=EVERY)
    margins = {trigger.kpi: trigger.margin for trigger in TRIGGERS}
    figures, problems = [], []
    for kpi in HARMS:
        for share in SHARES:
            for name, times in MARGINS.items():
                cell = cells[(kpi, share, name)]
                figures.append(
                    (
                        f"{WORDS[kpi]}, share {share:g} %, margin {margins[kpi] * times:g}",
                        harm_words(cell, told[(kpi, share, name)]),
                    )
                )
                problems += misjudged(cell, told[(kpi, share, name)], kpi, share, name)
    for kpi in HARMS:
        for share in SHARES:
            safe, wrongly = cells[(kpi, share, "safe")], cells[(kpi, share, "wrongly safe")]
            figures.append(
                (
                    f"{kpi} unchanged, share {share:g} %, margin {margins[kpi]:g}: found safe",
                    f"{outcome(safe, 'steward')}; foretold {forecast_words(told[(kpi, share, 'safe')])}",
                )
            )
            figures.append(
                (
                    f"{WORDS[kpi]}, share {share:g} %, wrongly found safe",
                    f"{found_share(wrongly, 'steward'):.1%}",
                )
            )
            problems += misjudged(safe, told[(kpi, share, "safe")], kpi, share, "safe")
            if found_share(wrongly, "steward") > WRONGLY:
                problems.append(f"{kpi} at {share:g} %: harm was called safe too often")
    rounds = len(cells[("csat", 50.0, "default")])
    return Report(
        name=NAME,
        title="How soon harm is found",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[("rollouts for each row", f"{rounds:,}"), *figures],
        problems=problems,
        notes=NOTES,
    )


def harm_words(cell: Sequence[Found], forecast: Forecast) -> str:
    """Return one cell of the table in words."""
    return (
        f"{outcome(cell, 'steward')}; foretold {forecast_words(forecast)}; GrowthBook at the same alpha "
        f"{outcome(cell, 'growthbook_split')}, at 5 % {outcome(cell, 'growthbook')}"
    )


def outcome(cell: Sequence[Found], method: str) -> str:
    """Return the share found and the median."""
    return f"{found_share(cell, method):.1%}{after(cell_median(cell, method))}"


def forecast_words(forecast: Forecast) -> str:
    """Return what was foretold in the same form."""
    return f"{forecast.found:.1%}{after(forecast.median)}"


def after(conversations: float | None) -> str:
    """Return the words for a median."""
    return "" if conversations is None else f" (half after {conversations:,.0f})"


def found_share(cell: Sequence[Found], method: str) -> float:
    """Return the share of rollouts with a finding."""
    return sum(getattr(item, method) is not None for item in cell) / len(cell)


def cell_median(cell: Sequence[Found], method: str) -> float | None:
    """Return after how many conversations half of all rollouts had a finding, or None."""
    when = [getattr(item, method) for item in cell]
    middle = median(float("inf") if moment is None else moment for moment in when)
    return None if middle == float("inf") else float(middle)


def misjudged(cell: Sequence[Found], forecast: Forecast, kpi: str, share: float, margin: str) -> list[str]:
    """Return where a cell misses its target or its forecast."""
    problems = []
    found, middle = found_share(cell, "steward"), cell_median(cell, "steward")
    where = f"{kpi} at {share:g} %, margin {margin}"
    if share == 50.0 and margin == "default" and found < ENOUGH:
        problems.append(f"{where}: {found:.1%} were found; {ENOUGH:.0%} are asked")
    if abs(found - forecast.found) > AGREEMENT:
        problems.append(f"{where}: {forecast.found:.1%} were foretold and {found:.1%} found")
    if middle is not None and forecast.median is not None and middle > SOON and forecast.found >= CLEARLY:
        off = abs(middle / forecast.median - 1)
        if off > MEDIAN_AGREEMENT:
            problems.append(f"{where}: a median of {forecast.median:,.0f} was foretold; it was {middle:,.0f}")
    return problems


NOTES = (
    "The horizon is 60,000 conversations at 1,000 a day. They are of some 24,000 customers, each of "
    "whom counts once with the first conversation. Survey answers come from 20 % and count after seven "
    "days, so 7,000 of the conversations in a median on csat are that wait.",
    "Alpha is the sample's 5 %, split over seven triggers, four phases (1, 5, 25, 50 %) and categories; "
    "only verdicts on all categories together are counted here.",
    "Foretold is what the power page says before the phase starts, from the traffic of another seed "
    f"without a candidate. It may be off by {AGREEMENT * 100:.0f} points, and by {MEDIAN_AGREEMENT:.0%} "
    f"in a median of more than {SOON:,.0f} conversations where at least {CLEARLY:.0%} were foretold.",
    "GrowthBook: https://docs.growthbook.io/statistics/sequential, tuning parameter 5,000, on the same "
    "customers; harm is found when its interval lies beyond the margin. At 5 % it has no split of "
    "alpha, so it finds harm sooner and calls harmless releases harmful more often (see rollout-aa).",
    "Wrongly found safe: the margin is what the harm reaches (0.3, 0.05, 0.089), and any look at which "
    "the trigger says safe counts.",
)
