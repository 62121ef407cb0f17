"""Running cases on releases: several conversations at once, each result stored as soon as it is there.

Attempts that a run has already are not made again, so an interrupted run goes on where it stopped. Where two
releases are compared, their attempts alternate: what changes meanwhile, such as a model's mood, meets both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from steward.improve.evals.attempts import Rehearsal, attempt_case
from steward.improve.evals.contracts import Attempt
from steward.improve.evals.pace import Pace
from steward.improve.evals.records import Records, RunRecord
from steward.supply.assistant.schema.cases import Case

TRIES = 3
"""How often an attempt is made where a system or a model doesn't answer."""
Progress = Callable[[int, int], None]
"""Is told how many attempts are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to be made."""

    run: RunRecord
    case: Case
    number: int


async def make_attempts(
    jobs: Sequence[Job],
    rehearsal: Rehearsal,
    records: Records,
    *,
    per_minute: int | None,
    progress: Progress | None,
) -> None:
    """Make the attempts that aren't stored yet."""
    stored = {run: await records.stored(run) for run in dict.fromkeys(job.run for job in jobs)}
    left = [job for job in jobs if (job.case.name, job.number) not in stored[job.run]]
    done = len(jobs) - len(left)
    waiting, pace = iter(left), Pace(per_minute)

    async def lane() -> None:
        nonlocal done
        for job in waiting:
            attempt = await _attempt(job, rehearsal, pace)
            await records.put(job.run, job.case.name, job.number, attempt)
            done += 1
            if progress is not None:
                progress(done, len(jobs))

    async with asyncio.TaskGroup() as group:
        for _ in range(rehearsal.at_once):
            group.create_task(lane())


async def _attempt(job: Job, rehearsal: Rehearsal, pace: Pace) -> Attempt:
    """Make an attempt, again where a system or a model didn't answer."""
    for number in range(1, TRIES + 1):
        made = await attempt_case(
            job.case, rehearsal, assistant=job.run.assistant, release_id=job.run.release_id, pace=pace
        )
        if made.again_after_s is None or number == TRIES:
            break
        await asyncio.sleep(made.again_after_s * number)
    return made.attempt


def jobs_of(runs: Sequence[RunRecord], cases: Sequence[Case], numbers: Sequence[int]) -> list[Job]:
    """Return the attempts of several runs at the same cases, alternating between the runs."""
    each: list[Iterator[Job]] = [
        iter([Job(run, case, number) for number in numbers for case in cases]) for run in runs
    ]
    return [job for job in chain.from_iterable(zip_longest(*each)) if job is not None]
