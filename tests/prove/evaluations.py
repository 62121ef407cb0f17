"""The evaluation gate on the sample: planted regressions it must find, and releases it must let pass.

Everything runs in this process: the store, the sample's company system beside it, and for some rounds a
simulated chat model that answers differently by chance.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.prove.regressions import REGRESSIONS, Regression, changed_yaml, page_deleted_anywhere
from tests.prove.results import Ledgered, Report, spread

from steward.app.demo.neighbour import business_system
from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.app.settings import read_settings
from steward.base.telemetry.logging import configure_logging
from steward.improve.evals.contracts import GateResult
from steward.improve.evals.service import Evals
from steward.improve.simulation.model_server import ModelServer
from steward.improve.simulation.serving import Receive, Scope, Send, serve_beside
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

NAME = "evaluations"
CLAIM = """
Twenty regressions are planted in copies of the sample's folder: in documents, intents, thresholds, workflows
and prompts, their targets drawn by the seed before anything is run. Each copy is frozen and compared with the
sample on the sample's own cases. The sample is compared with itself as well, and the gate has to let it pass.
"""
FOUND_AT_LEAST = 18
UNCHANGED = 80
UNCHANGED_WITH_CHANCE = 20
ANYWHERE = 10
ROUNDS = len(REGRESSIONS) + UNCHANGED + UNCHANGED_WITH_CHANCE + ANYWHERE
MOODS = 0.3
"""Share of the model's answers that go wrong by chance."""
KEY = "OPENAI_API_KEY"


class MoodyModel:
    """A simulated model that now and then forgets its citations; `misbehaves` is its constant vice."""

    def __init__(self, seed: int) -> None:
        self._model = ModelServer(seed=seed)
        self._chance = random.Random(seed)
        self.moods = 0.0
        self.misbehaves: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        how = "no_citation" if self._chance.random() < self.moods else self.misbehaves
        if how is not None:
            header = (b"x-simulate", json.dumps({"misbehave": how}).encode())
            scope = {**scope, "headers": [*scope["headers"], header]}
        await self._model(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the rounds need: the service, the two baselines' folders and the model."""

    directory: Path
    foundation: Foundation
    evals: Evals
    model: MoodyModel
    sample: Folder

    def folder(self, *, chat: bool) -> Path:
        """Return the sample as it answers without or with a chat model."""
        return self.directory / ("chatting" if chat else "quoting")

    async def freeze(self, folder: Path) -> str:
        """Freeze a folder into a release."""
        read = await asyncio.to_thread(read_folder, folder)
        return (await self.foundation.releases.create(read, created_by="system")).id


Round = Callable[[], Awaitable[dict[str, Any]]]


async def run(directory: Path, *, seed: int, rounds: int | None = None) -> Report:
    """Run the campaign, from where it was interrupted; `rounds` takes the first ones of each part."""
    kept = Ledgered.open(directory)
    async with open_bench(directory, seed) as bench:
        for name, work in rounds_of(bench, seed, rounds):
            if name in kept.all_of("round"):
                continue
            result = await work()
            kept.add({"round": name, **result})
            print(f"  {name}: {result}", flush=True)
    return report(kept, seed)


def rounds_of(bench: Bench, seed: int, rounds: int | None) -> Iterator[tuple[str, Round]]:
    """Yield the names of the rounds and what to do in them."""
    for item in REGRESSIONS[:rounds]:
        yield item.name, partial(planted, bench, item, seed)
    for number in range(UNCHANGED)[:rounds]:
        yield f"unchanged {number + 1}", partial(unchanged, bench, chat=False)
    for number in range(UNCHANGED_WITH_CHANCE)[:rounds]:
        yield f"unchanged with chance {number + 1}", partial(unchanged, bench, chat=True)
    for number in range(ANYWHERE)[:rounds]:
        item = Regression(f"anywhere {number + 1}", "anywhere", page_deleted_anywhere)
        yield item.name, partial(planted, bench, item, seed)


async def planted(bench: Bench, item: Regression, seed: int) -> dict[str, Any]:
    """Plant a regression and ask the gate."""
    baseline = bench.folder(chat=item.chat)
    copy = bench.directory / "copies" / item.name.replace(" ", "_")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(baseline, copy)
    what = item.plant(copy, random.Random(f"{seed}:{item.name}"), bench.sample)
    bench.model.moods, bench.model.misbehaves = 0.0, item.misbehaves
    candidate = await bench.freeze(copy)
    begun = time.perf_counter()
    gate = await bench.evals.compare(candidate, await bench.freeze(baseline), fresh=True)
    return {
        "part": item.kind,
        "what": what,
        "caught": not gate.passed,
        "by": caught_by(gate),
        "different": sum(not case.same_answer for case in gate.cases),
        "cases": len(gate.cases),
        "worse": [case.case for case in gate.cases if case.worse],
        "chance": not gate.deterministic,
        "seconds": round(time.perf_counter() - begun, 1),
    }


async def unchanged(bench: Bench, *, chat: bool) -> dict[str, Any]:
    """Compare the sample with itself."""
    bench.model.moods, bench.model.misbehaves = MOODS, None
    release = await bench.freeze(bench.folder(chat=chat))
    begun = time.perf_counter()
    gate = await bench.evals.compare(release, release, fresh=True)
    return {
        "part": "unchanged with chance" if chat else "unchanged",
        "passed": gate.passed,
        "flaky": sum(case.flaky for case in gate.cases),
        "cases": len(gate.cases),
        "pass_k": [gate.pass_k_baseline, gate.pass_k_candidate],
        "seconds": round(time.perf_counter() - begun, 1),
        "problems": [] if gate.passed else [f"an unchanged release was refused: {'; '.join(gate.reasons)}"],
    }


def caught_by(gate: GateResult) -> str:
    """Return, in few words, what the gate stood on."""
    worse = [case for case in gate.cases if case.worse]
    if not worse:
        return gate.reasons[0] if gate.reasons else "nothing"
    more = f" and {len(worse) - 1} more" if len(worse) > 1 else ""
    return f"case {worse[0].case}{more} ({worse[0].faults[0]})"


@asynccontextmanager
async def open_bench(directory: Path, seed: int) -> AsyncIterator[Bench]:
    """Start what the rounds need, on the directory's own data."""
    configure_logging(json=False, level="error")
    model = MoodyModel(seed)
    with serve_beside(model) as url, key_set():
        write_baselines(directory, f"{url}/v1")
        async with business_system(directory) as company:
            settings = read_settings({}, data_dir=directory / "data").model_copy(
                update={"system_urls": {"billing": company, "service": company}}
            )
            async with open_foundation(settings, say=lambda _: None) as foundation:
                sample = read_folder(directory / "quoting")
                yield Bench(directory, foundation, open_evals(foundation), model, sample)


@contextmanager
def key_set() -> Iterator[None]:
    """Give the simulated model's key a value while the block runs."""
    before = os.environ.get(KEY)
    os.environ[KEY] = "sk-simulated"
    try:
        yield
    finally:
        os.environ.pop(KEY)
        if before is not None:
            os.environ[KEY] = before


def write_baselines(directory: Path, model_url: str) -> None:
    """Write the sample twice: quoting its knowledge, and answering with the simulated model."""
    for name in ("quoting", "chatting"):
        shutil.rmtree(directory / name, ignore_errors=True)
        initialise(directory / name, "northline")
    with changed_yaml(directory / "quoting" / "assistant.yaml") as assistant:
        assistant["answer_with"] = ["extractive"]
    with changed_yaml(directory / "chatting" / "assistant.yaml") as assistant:
        assistant["models"][0]["url"] = model_url


def report(kept: Ledgered, seed: int) -> Report:
    """Put the figures together."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for item in kept.rounds:
        parts.setdefault(item["part"], []).append(item)
    anywhere = parts.pop("anywhere", [])
    calm, moody = parts.pop("unchanged", []), parts.pop("unchanged with chance", [])
    regressions = [item for items in parts.values() for item in items]
    caught = sum(item["caught"] for item in regressions)
    figures = [("regressions planted", str(len(regressions))), ("… caught by the gate", str(caught))]
    if len(kept.rounds) < ROUNDS:
        figures.insert(0, ("unfinished: rounds so far", f"{len(kept.rounds)} of {ROUNDS}"))
    figures += [
        (f"… {kind}", f"{sum(item['caught'] for item in items)} of {len(items)}")
        for kind, items in parts.items()
    ]
    figures += [
        ("unchanged release, nothing left to chance", passed_words(calm)),
        (f"unchanged release, {MOODS:.0%} of the model's answers wrong by chance", passed_words(moody)),
        ("… flaky cases named in a comparison", spread([item["flaky"] for item in moody], unit="", digits=0)),
    ]
    if anywhere:
        words = f"{sum(item['caught'] for item in anywhere)} of {len(anywhere)} caught"
        figures.append(("any public page deleted, whether a case speaks of it or not", words))
    problems = kept.problems
    if len(regressions) == len(REGRESSIONS) and caught < FOUND_AT_LEAST:
        problems = [*problems, f"{caught} regressions were caught, fewer than {FOUND_AT_LEAST}"]
    notes = [
        f"{item['part']}, {item['round']}: {item['what']}. {verdict_words(item)}"
        for item in (*regressions, *anywhere)
    ]
    return Report(
        name=NAME,
        title="Regressions against the evaluation gate",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=figures,
        problems=problems,
        notes=notes,
    )


def verdict_words(item: dict[str, Any]) -> str:
    """Return what the gate found, or how far the answers differ where it found nothing."""
    if item["caught"]:
        return f"Caught: {item['by']}."
    return f"**Missed**: {item['different']} of {item['cases']} cases are answered differently."


def passed_words(items: Sequence[dict[str, Any]]) -> str:
    """Return how many of the comparisons passed."""
    return f"{sum(item['passed'] for item in items)} of {len(items)} passed"
