"""Run campaigns and write down what they show."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.prove import (
    api_fuzz,
    assignment,
    cases,
    demo,
    erasure,
    evaluations,
    kills,
    kpi_equality,
    ledger,
    masking_fuzz,
    messages,
    personal_data,
    rollout_aa,
    rollout_harm,
    rollouts,
    takeovers,
    troubles,
)
from tests.prove.results import STATE, Report

Campaign = Callable[..., Coroutine[Any, Any, Report]]
CAMPAIGNS: dict[str, Campaign] = {
    campaign.NAME: campaign.run
    for campaign in (
        kills,
        takeovers,
        personal_data,
        masking_fuzz,
        erasure,
        troubles,
        messages,
        cases,
        evaluations,
        rollout_aa,
        rollout_harm,
        assignment,
        rollouts,
        kpi_equality,
        ledger,
        api_fuzz,
        demo,
    )
}


def main() -> int:
    """Run the named campaigns, or all; exits 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CAMPAIGNS)}; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rounds", type=int, help="fewer or more rounds than the campaign has; nothing is written"
    )
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"there is no campaign called {unknown[0]}; there are {', '.join(CAMPAIGNS)}")
    failed = False
    for name in given.names or CAMPAIGNS:
        failed |= prove(name, seed=given.seed, rounds=given.rounds, resume=given.resume)
    return int(failed)


def prove(name: str, *, seed: int, rounds: int | None, resume: bool) -> bool:
    """Run one campaign; tells whether it found something."""
    directory = (STATE / f"{name}-{seed}").absolute()
    if not resume:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{name}: seed {seed}, state in {directory}", flush=True)
    chosen = {} if rounds is None else {"rounds": rounds}
    report = asyncio.run(CAMPAIGNS[name](directory, seed=seed, **chosen))
    print(report.text(), flush=True)
    if rounds is None:
        print(f"written to {report.write()}", flush=True)
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
