"""Evaluations: running a release's cases, and comparing two releases before traffic moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from steward.base.clock import Clock
from steward.improve.evals.attempts import OpenRehearsal, Rehearsal
from steward.improve.evals.cases import ComparedCase, digest_of, merged
from steward.improve.evals.comparing import judge, pairs_of, suspicious
from steward.improve.evals.contracts import EvalRun, GateResult
from steward.improve.evals.errors import DifferentAssistants, NoCases, NoSuchCase
from steward.improve.evals.records import Records, Side
from steward.improve.evals.running import Job, Progress, jobs_of, make_attempts
from steward.supply.assistant.schema.cases import Case
from steward.supply.releases.contracts import LoadedRelease
from steward.supply.releases.service import Releases

REPEATS_WITH_CHANCE: Final = 3
"""Attempts at every case where a chat model answers: enough to see which cases may be worse."""
CONFIRM_WITH_CHANCE: Final = 10
"""Further attempts at a case that looks worse: 10 of 10 against 3 of 10 is beyond chance (p = 0.0015)."""
CONFIRM_WITHOUT_CHANCE: Final = 2
"""Further attempts where nothing should vary: they show a system or a clock that did."""


class Evals:
    """The service; built once by the composition root."""

    def __init__(
        self, *, releases: Releases, open_rehearsal: OpenRehearsal, records: Records, clock: Clock
    ) -> None:
        self._releases = releases
        self._open_rehearsal = open_rehearsal
        self._records = records
        self._clock = clock

    async def run(
        self,
        release_id: str,
        *,
        repeats: int | None = None,
        per_minute: int | None = None,
        progress: Progress | None = None,
        fresh: bool = False,
        names: Sequence[str] = (),
    ) -> EvalRun:
        """Run a release's own cases; an interrupted run of the same goes on where it stopped.

        Args:
            release_id: the release.
            repeats: attempts at each case; by default one where answers can't differ, else 3.
            per_minute: customer messages sent a minute at most.
            progress: is told of each attempt.
            fresh: don't go on with an interrupted run.
            names: run only these cases.

        Raises:
            NoSuchRelease: there is no release of this id.
            NoCases: its folder has none.
            NoSuchCase: none has one of the names.
        """
        release = await self._releases.load(release_id)
        cases = chosen(release, names)
        async with self._open_rehearsal() as rehearsal:
            deterministic = await is_deterministic(rehearsal, release)
            repeats = repeats or (1 if deterministic else REPEATS_WITH_CHANCE)
            run = await self._records.begin(
                assistant=release.assistant,
                release_id=release.id,
                side=Side.ALONE,
                against=None,
                cases_digest=digest_of(cases),
                repeats=repeats,
                deterministic=deterministic,
                fresh=fresh,
            )
            jobs = jobs_of([run], cases, range(repeats))
            await make_attempts(jobs, rehearsal, self._records, per_minute=per_minute, progress=progress)
        return await self._records.finish(run)

    async def compare(
        self,
        candidate_id: str,
        baseline_id: str,
        *,
        repeats: int | None = None,
        per_minute: int | None = None,
        progress: Progress | None = None,
        fresh: bool = False,
    ) -> GateResult:
        """Run both releases on the same cases, store the gate's answer and write it in the ledger.

        The cases are the candidate's and those of the baseline that the candidate's folder lacks. Cases that
        look worse are run again on both. An interrupted comparison goes on where it stopped.

        Args:
            candidate_id: the release that wants traffic.
            baseline_id: the one that has it.
            repeats: as for `run`.
            per_minute: as for `run`.
            progress: as for `run`.
            fresh: as for `run`.

        Raises:
            NoSuchRelease: there is no release of an id.
            DifferentAssistants: they belong to two assistants.
            NoCases: neither folder has any.
        """
        candidate = await self._releases.load(candidate_id)
        baseline = await self._releases.load(baseline_id)
        if candidate.assistant != baseline.assistant:
            raise DifferentAssistants(candidate.assistant, baseline.assistant)
        compared = merged(candidate.folder.cases, baseline.folder.cases)
        if not compared:
            raise NoCases(candidate.assistant)
        async with self._open_rehearsal() as rehearsal:
            ask = partial(
                make_attempts,
                rehearsal=rehearsal,
                records=self._records,
                per_minute=per_minute,
                progress=progress,
            )
            before, after = await self._both(
                compared, baseline, candidate, rehearsal=rehearsal, ask=ask, repeats=repeats, fresh=fresh
            )
        pairs = pairs_of(compared, before, after)
        gate = await asyncio.to_thread(judge, pairs, before, after, at=self._clock.now())
        await self._records.put_gate(candidate.assistant, gate)
        return gate

    async def _both(
        self,
        compared: Sequence[ComparedCase],
        baseline: LoadedRelease,
        candidate: LoadedRelease,
        *,
        rehearsal: Rehearsal,
        ask: Callable[[Sequence[Job]], Awaitable[None]],
        repeats: int | None,
        fresh: bool,
    ) -> tuple[EvalRun, EvalRun]:
        """Run both releases, what looks worse once more, and return the finished runs."""
        cases = [item.case for item in compared]
        calm = [await is_deterministic(rehearsal, release) for release in (baseline, candidate)]
        deterministic = all(calm)
        repeats = repeats or (1 if deterministic else REPEATS_WITH_CHANCE)
        runs = [
            await self._records.begin(
                assistant=release.assistant,
                release_id=release.id,
                side=side,
                against=other.id,
                cases_digest=digest_of(cases),
                repeats=repeats,
                deterministic=deterministic,
                fresh=fresh,
            )
            for release, side, other in (
                (baseline, Side.BASELINE, candidate),
                (candidate, Side.CANDIDATE, baseline),
            )
        ]
        await ask(jobs_of(runs, cases, range(repeats)))
        pairs = pairs_of(compared, *[await self._records.read(run.id) for run in runs])
        doubted = set(suspicious(pairs, repeats=repeats))
        more = CONFIRM_WITHOUT_CHANCE if deterministic else CONFIRM_WITH_CHANCE
        again = [case for case in cases if case.name in doubted]
        await ask(jobs_of(runs, again, range(repeats, repeats + more)))
        return await self._records.finish(runs[0]), await self._records.finish(runs[1])

    async def gate(self, candidate_id: str, baseline_id: str) -> GateResult | None:
        """Return the newest stored answer for two releases, or None where they were never compared."""
        return await self._records.gate(candidate_id, baseline_id)

    async def recent(self, *, assistant: str | None = None, limit: int = 20) -> tuple[GateResult, ...]:
        """Return the gate's answers, the newest first."""
        return await self._records.recent_gates(assistant=assistant, limit=limit)


async def is_deterministic(rehearsal: Rehearsal, release: LoadedRelease) -> bool:
    """Tell whether a release answers the same each time: it does where no chat model answers."""
    return (await rehearsal.runtimes.of(release.id)).chain is None


def chosen(release: LoadedRelease, names: Sequence[str]) -> list[Case]:
    """Return a release's cases, or those of these names.

    Raises:
        NoCases: there are none.
        NoSuchCase: none has one of the names.
    """
    known = {case.name: case for case in release.folder.cases}
    for name in names:
        if name not in known:
            raise NoSuchCase(name, known)
    if not known:
        raise NoCases(release.assistant)
    return [known[name] for name in names] if names else list(known.values())
