"""Harmless candidates are rolled out by the thousand and looked at all the time; how many are rolled back?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.rollout import EVERY, HARMLESS, METHODS, harmless_round
from tests.prove.results import Ledgered, Report

from steward.improve.rollout.sample_ratio import MISMATCH

NAME = "rollout-aa"
CLAIM = """
A candidate that is no different from the baseline goes through shares of 1, 5 and 25 % while 20,000
conversations pass. Seven triggers are judged after every 20 conversations, for all categories together and
for each of eight. The rollouts in which any trigger ever says harmful are at most alpha, 5 %, also where
every margin is 0, which is the hardest case that alpha speaks of: a candidate whose every harm lies exactly
at its margin.
"""
ROUNDS = 2_000
BLOCK = 20
"""Rollouts that are kept at once."""
ALPHA = 0.05
STANDARD_ERRORS = 3.0


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = kept_in(directory)
    for numbers in blocks(rounds, len(kept.rounds)):
        kept.add({"rollouts": [harmless_round(seed, number) for number in numbers]})
        print(f"  {numbers.stop} of {rounds} rollouts", flush=True)
    return report(kept, seed)


def kept_in(directory: Path) -> Ledgered:
    """Return what a directory holds of a campaign so far."""
    directory.mkdir(parents=True, exist_ok=True)
    return Ledgered.open(directory)


def blocks(rounds: int, done: int) -> Iterator[range]:
    """Return the numbers of the rounds that are played and kept together, after those that are done."""
    for first in range(done * BLOCK, rounds, BLOCK):
        yield range(first, min(first + BLOCK, rounds))


def report(kept: Ledgered, seed: int) -> Report:
    """Put the figures together."""
    rollouts: list[dict[str, Any]] = [item for block in kept.rounds for item in block["rollouts"]]
    count = len(rollouts)
    share = {name: sum(item[name] for item in rollouts) / count for name in (*METHODS, "mismatch")}

    def told(name: str) -> str:
        error = (share[name] * (1 - share[name]) / count) ** 0.5
        return f"{share[name]:.2%} ± {error:.2%}"

    problems = [
        f"{share[name]:.2%} of the rollouts were rolled back {what}; alpha is {ALPHA:.0%}"
        for name, what in (
            ("steward", "with the sample's margins"),
            ("steward_at_margin", "with margins of 0"),
        )
        if share[name] > ALPHA
    ]
    expected = 3 * MISMATCH
    if share["mismatch"] > expected + STANDARD_ERRORS * (expected / count) ** 0.5:
        problems.append(f"{share['mismatch']:.2%} of the rollouts had a sample-ratio mismatch by mistake")
    return Report(
        name=NAME,
        title="Harmless releases under constant watch",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[
            ("rollouts", f"{count:,}"),
            ("conversations in each, and looks", f"{HARMLESS.conversations:,}, one after every {EVERY}"),
            ("rolled back with the sample's margins", told("steward")),
            ("rolled back with margins of 0", told("steward_at_margin")),
            ("fixed-horizon tests, the same split of alpha, same looks, margins of 0", told("fixed_split")),
            ("fixed-horizon tests, 5 % each, all categories together only", told("fixed_alpha")),
            ("GrowthBook's sequential method, the same split of alpha", told("growthbook_split")),
            ("GrowthBook's sequential method, 5 % each, all categories together only", told("growthbook")),
            (f"sample-ratio mismatch by mistake (p at most {MISMATCH}, three phases)", told("mismatch")),
        ],
        problems=problems,
        notes=NOTES,
    )


NOTES = (
    "Customers bring 2.5 conversations on average (geometric), two conversations of a customer "
    "correlate with .3, escalations and slow turns follow the time of day, and so does traffic. 20 % "
    "answer the survey, which counts seven days after the conversation, when no answer can come any "
    "longer. After the last conversation looks go on for these seven days.",
    "A customer stays in one bucket, so growth only moves customers from the baseline to the candidate. "
    "In each phase a customer's first conversation counts; phases are never pooled, and each is looked "
    "at to the end.",
    "Triggers: satisfaction, escalation, slow turns, sentences that verification held back, errors, "
    "cost, survey response; margins are the sample's.",
    "What is called fixed-horizon is a one-sided z test meant for a single look, here repeated at every "
    "look.",
    "GrowthBook: https://docs.growthbook.io/statistics/sequential with its tuning parameter of 5,000, a "
    "two-sided interval against 0 of which only the side of harm counts. At 5 % each, every metric has "
    "an alpha of its own, as its documentation describes for one metric. It is given the same minimum "
    "of customers.",
    "± is one standard error.",
)
