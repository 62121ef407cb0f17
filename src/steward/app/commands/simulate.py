"""`steward simulate`: simulated customers against a running assistant."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from steward.app.commands.console import prepared, print_json, run_async
from steward.app.commands.folder import NoFolder, report_faults
from steward.app.local_access import local_key
from steward.app.sample_customers import facts_of
from steward.app.settings import Settings
from steward.base.errors import InvalidInput, NotAllowed, Unavailable
from steward.improve.simulation.pace import Pace
from steward.improve.simulation.personas import Habits, Population
from steward.improve.simulation.surveys import SurveyModel
from steward.improve.simulation.tally import Summary, Tally
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder

SAMPLE = "northline"
USUAL_CONVERSATIONS = 100


class NoKey(InvalidInput):
    """No key was given, and this machine has none."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"There is no local key in {data_dir}: give one that may simulate traffic with --key, "
            "or --data-dir of the `steward up` that runs here."
        )


class NoServer(Unavailable):
    """Nothing answers where the assistant should be."""

    def __init__(self, url: str) -> None:
        super().__init__(f"Nothing answers at {url}; start `steward up`, or name another with --url.")


class Refused(NotAllowed):
    """The server took none of the conversations."""

    def __init__(self, refusals: Mapping[str, int]) -> None:
        told = ", ".join(f"{name}: {count}" for name, count in refusals.items())
        super().__init__(
            f"The server refused every conversation ({told}); the key needs the scopes traffic:simulate, "
            "conversation:use and feedback:give."
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for."""

    folder: Path | None = None
    url: str | None = None
    key: str | None = None
    customers: int | None = None
    conversations: int | None = None
    per_second: float = 2.0
    duration_s: float | None = None
    seed: int = 1
    day_s: float | None = None
    returns: float = 2.5
    survey_share: float = 0.2
    survey_delay_s: float = 0.0
    think_s: float = 0.0
    at_once: int = 200
    may_act: bool = False

    def __post_init__(self) -> None:
        if self.per_second <= 0:
            raise InvalidInput("--per-second has to be more than 0.")
        if self.day_s is not None and self.day_s <= 0:
            raise InvalidInput("--day has to be more than 0 seconds.")
        if self.returns < 1:
            raise InvalidInput("--returns has to be 1 or more: every customer comes once.")
        if self.at_once < 1:
            raise InvalidInput("--at-once has to be 1 or more.")

    @property
    def most_conversations(self) -> int | None:
        """When to stop by number."""
        if self.conversations is None and self.duration_s is None:
            return USUAL_CONVERSATIONS
        return self.conversations


def run_simulate(asked: Asked, *, as_json: bool, data_dir: Path | None) -> int:
    """Drive the traffic, tell how it goes, print the summary."""
    settings = prepared(data_dir)
    key = asked.key or local_key(settings.data_dir)
    if key is None:
        raise NoKey(settings.data_dir)
    try:
        folder = folder_for(asked, settings)
    except FolderFaults as error:
        report_faults(error)
        return 1
    url = asked.url or f"http://{settings.host}:{settings.port}"
    summary, failed = run_async(lambda: drive(asked, folder, url=url, key=key))
    if as_json:
        print_json(summary.as_json())
    else:
        print(in_words(summary))
    return 1 if failed else 0


def folder_for(asked: Asked, settings: Settings) -> Folder:
    """Read the folder that was given, else the demo's, else the sample as it is installed."""
    if asked.folder is not None:
        if not (asked.folder / "assistant.yaml").exists():
            raise NoFolder(asked.folder)
        return read_folder(asked.folder)
    if (settings.data_dir / SAMPLE / "assistant.yaml").exists():
        return read_folder(settings.data_dir / SAMPLE)
    with as_file(files("steward.supply.assistant") / "templates" / SAMPLE) as sample:
        return read_folder(sample)


async def drive(asked: Asked, folder: Folder, *, url: str, key: str) -> tuple[Summary, bool]:
    """Run the traffic and return what it came to, and whether the server failed."""
    import httpx2 as httpx

    from steward.improve.simulation.talking import new_client
    from steward.improve.simulation.traffic import Load, Traffic

    habits = Habits(conversations=asked.returns, may_act=asked.may_act)
    population = Population(folder, seed=asked.seed, habits=habits, facts=facts_of(folder))
    survey = SurveyModel(answer_share=asked.survey_share, delay_most_s=asked.survey_delay_s)
    load = Load(
        Pace(asked.per_second, day_s=asked.day_s),
        conversations=asked.most_conversations,
        duration_s=asked.duration_s,
        customers=asked.customers,
        at_once=asked.at_once,
        think_s=(0.0, asked.think_s),
    )
    async with new_client(url, key, connections=asked.at_once) as client:
        try:
            await client.get("/healthz")
        except httpx.TransportError as error:
            raise NoServer(url) from error
        begun = time.perf_counter()
        tally = await Traffic(client, population, survey=survey).run(load, progress=tell)
    if tally.refusals and not tally.finished:
        raise Refused(tally.refusals)
    return tally.summary(seconds=time.perf_counter() - begun, seed=asked.seed), tally.server_failed


def tell(tally: Tally) -> None:
    """Tell how it goes."""
    faults = sum(tally.faults.values())
    print(
        f"  {tally.finished} of {tally.started} conversations ended, {sum(tally.outcomes.values())} turns, "
        f"{faults} faults",
        file=sys.stderr,
        flush=True,
    )


def in_words(summary: Summary) -> str:
    """Return the summary for people."""
    outcomes = ", ".join(f"{name} {count}" for name, count in summary.outcomes.items())
    endings = ", ".join(f"{name} {count}" for name, count in summary.endings.items())
    lines = [
        f"Simulated: {summary.conversations} conversations of {summary.customers} customers in "
        f"{summary.seconds} s ({summary.conversations_per_second}/s), seed {summary.seed}",
        f"  turns:      {summary.turns} ({outcomes})",
        f"  ended:      {endings}",
        f"  csat:       {summary.csat if summary.csat is not None else '-'} "
        f"({summary.csat_answers} answers by the stated model)",
        f"  escalation: {summary.escalation_rate if summary.escalation_rate is not None else '-'}",
        f"  turn:       p50 {summary.turn_ms_p50} ms, p95 {summary.turn_ms_p95} ms; first words p50 "
        f"{summary.first_words_ms_p50} ms, p95 {summary.first_words_ms_p95} ms",
        f"  deferred:   {summary.deferred} (429 and 503), {summary.turned_away} conversations turned away",
    ]
    for title, counts in (("faults", summary.faults), ("refusals", summary.refusals)):
        told = ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"
        lines.append(f"  {title + ':':<12}{told}")
    return "\n".join(lines)
