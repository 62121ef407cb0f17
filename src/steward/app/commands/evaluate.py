"""`steward eval run|compare`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.folder import report_faults
from steward.app.demo.neighbour import business_system
from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.app.settings import Settings
from steward.base.errors import InvalidInput
from steward.improve.evals.contracts import EvalRun, GateResult
from steward.improve.evals.reports import (
    gate_as_junit,
    gate_as_markdown,
    gate_as_text,
    run_as_junit,
    run_as_markdown,
    run_as_text,
)
from steward.improve.evals.service import Evals
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder

TELL_EVERY = 20
"""Attempts between two lines of progress where nobody watches a terminal."""


@dataclass(frozen=True, slots=True)
class Options:
    """What both commands take."""

    repeats: int | None
    per_minute: int | None
    demo: bool
    fresh: bool
    junit: Path | None
    markdown: Path | None
    as_json: bool
    data_dir: Path | None


@dataclass(frozen=True, slots=True)
class Report:
    """A result in every form that is asked for."""

    passed: bool
    text: str
    markdown: str
    junit: str
    value: EvalRun | GateResult


def run_cases(reference: str, options: Options, *, names: tuple[str, ...]) -> int:
    """Run the cases of one release."""

    async def work(evals: Evals, releases: list[str]) -> Report:
        run = await evals.run(
            releases[0],
            repeats=options.repeats,
            per_minute=options.per_minute,
            progress=told,
            fresh=options.fresh,
            names=names,
        )
        passed = not run.failed and any(result.run for result in run.results)
        return Report(passed, run_as_text(run), run_as_markdown(run), run_as_junit(run), run)

    return _evaluate([reference], options, work)


def run_comparison(candidate: str, baseline: str, options: Options) -> int:
    """Compare two releases and store the gate's answer."""

    async def work(evals: Evals, releases: list[str]) -> Report:
        gate = await evals.compare(
            releases[0],
            releases[1],
            repeats=options.repeats,
            per_minute=options.per_minute,
            progress=told,
            fresh=options.fresh,
        )
        return Report(gate.passed, gate_as_text(gate), gate_as_markdown(gate), gate_as_junit(gate), gate)

    return _evaluate([candidate, baseline], options, work)


def told(done: int, of: int) -> None:
    """Tell on standard error how far the attempts are."""
    if sys.stderr.isatty():
        print(f"\r  {done} of {of} attempts", end="\n" if done == of else "", file=sys.stderr, flush=True)
    elif done % TELL_EVERY == 0 or done == of:
        say(f"{done} of {of} attempts")


def _evaluate(
    references: list[str], options: Options, work: Callable[[Evals, list[str]], Awaitable[Report]]
) -> int:
    for number, name in ((options.repeats, "--repeats"), (options.per_minute, "--per-minute")):
        if number is not None and number < 1:
            raise InvalidInput(f"{name} is {number}: give 1 or more.")
    settings = prepared(options.data_dir)
    try:
        folders = {
            reference: read_folder(Path(reference)) for reference in references if is_folder(reference)
        }
    except FolderFaults as error:
        report_faults(error, as_json=options.as_json)
        return 2

    async def opened() -> Report:
        async with AsyncExitStack() as stack:
            here = settings
            if options.demo:
                url = await stack.enter_async_context(business_system(settings.data_dir / "evaluation"))
                here = with_systems_at(url, settings, list(folders.values()))
            foundation = await stack.enter_async_context(open_foundation(here, say=say))
            releases = [await _release(foundation, reference, folders) for reference in references]
            return await work(open_evals(foundation), releases)

    report = run_async(opened)
    for place, content in ((options.junit, report.junit), (options.markdown, report.markdown)):
        if place is not None:
            place.write_text(content, encoding="utf-8")
    print_json(asdict(report.value)) if options.as_json else print(report.text)
    return 0 if report.passed else 1


def is_folder(reference: str) -> bool:
    """Tell whether a reference is a folder rather than a release's id or number."""
    return Path(reference).is_dir()


def with_systems_at(url: str, settings: Settings, folders: list[Folder]) -> Settings:
    """Return settings under which every system of the folders lies at one address."""
    urls = {system.name: url for folder in folders for system in folder.connectors.systems}
    return settings.model_copy(update={"system_urls": {**urls, **settings.system_urls}})


async def _release(foundation: Foundation, reference: str, folders: dict[str, Folder]) -> str:
    folder = folders.get(reference)
    if folder is None:
        return (await foundation.releases.find(reference)).id
    return (await foundation.releases.create(folder, created_by=OPERATOR, progress=say)).id
