"""The sample's own evaluation cases, asked of a running demo.

    python -m tests.prove.cases --url http://127.0.0.1:8080 --key KEY

The cases are those of the sample's folder (`cases/*.yaml`); each is a conversation, with a signed-in
customer where the case names one. The demo has to be fresh: a refund is made only once.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.prove.client import Client
from tests.prove.messages import key_in
from tests.prove.processes import steward_process
from tests.prove.results import Report

from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.assistant.schema.cases import Case, Expect

NAME = "cases"
SAMPLE = "northline"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case came to; `faults` is empty where it passes."""

    name: str
    faults: tuple[str, ...]


async def run(directory: Path, *, seed: int, rounds: int | None = None) -> Report:
    """Start a demo, run the cases in the order of the files, and report."""
    folder = await asyncio.to_thread(sample, directory)
    steward = steward_process(
        ["up", "--demo", "--no-traffic"], directory, {"STEWARD_REQUESTS_PER_MINUTE": "100000"}
    )
    steward.start()
    try:
        await steward.ready()
        cases = folder.cases[:rounds]
        results = await ask_cases(Client(steward.url, key_in(steward.log)), cases)
    finally:
        steward.stop()
    passed = sum(not result.faults for result in results)
    return Report(
        name=NAME,
        title="The sample's evaluation cases",
        claim="Every case in the sample's folder, asked over HTTP of a demo with its business system.",
        command=f"python -m tests.prove {NAME}",
        seed=seed,
        figures=[("cases", str(len(results))), ("passed", str(passed))],
        problems=[f"{result.name}: {'; '.join(result.faults)}" for result in results if result.faults],
    )


def sample(directory: Path) -> Folder:
    """Write the sample's folder and read it."""
    directory.mkdir(parents=True, exist_ok=True)
    place = directory / "sample"
    if not place.exists():
        initialise(place, SAMPLE)
    return read_folder(place)


async def ask_cases(client: Client, cases: Sequence[Case]) -> list[CaseResult]:
    """Run cases one after the other: some act on the same customer."""
    return [await ask_case(client, case) for case in cases]


async def ask_case(client: Client, case: Case) -> CaseResult:
    """Run one case to its first fault."""
    about = {}
    if "account" in case.customer:
        about["customer_token"] = await customer_token(client, case.customer["account"])
    conversation = await client.conversation(**about)
    for number, turn in enumerate(case.turns):
        events = [event async for event in client.say(conversation, turn.customer, f"turn-{number}")]
        said = "".join(event.data["text"] for event in events if event.name == "delta")
        workflows = {event.data["workflow"] for event in events if event.name == "action"}
        faults = faults_of(turn.expect, events[-1].data, said, workflows)
        if faults:
            return CaseResult(case.name, (f"{turn.customer!r}", *faults, f"said {said[:160]!r}"))
    return CaseResult(case.name, ())


def faults_of(expect: Expect, done: Mapping[str, Any], said: str, workflows: set[str]) -> list[str]:
    """Say what a turn does that the case doesn't expect."""
    faults = []
    if expect.intent and done["intent"] != expect.intent:
        faults.append(f"intent {done['intent']}, not {expect.intent}")
    if expect.outcome and done["outcome"] not in expect.outcome:
        faults.append(f"{done['outcome']}, not {' or '.join(expect.outcome)}")
    cited = {citation["document"] for citation in done["citations"]}
    if expect.cites and cited.isdisjoint(expect.cites):
        faults.append(f"cites {', '.join(sorted(cited)) or 'nothing'}")
    if expect.workflow and expect.workflow not in workflows:
        faults.append(f"doesn't propose {expect.workflow}")
    low = said.lower()
    faults += [f"doesn't say {words!r}" for words in expect.says if words.lower() not in low]
    faults += [f"says {words!r}" for words in expect.never_says if words.lower() in low]
    return faults


async def customer_token(client: Client, account: str) -> str:
    """Return the token with which the demo's page signs a customer in."""
    page = (await client.call("GET", f"/?customer={quote(account)}")).body.decode()
    found = re.search(r' token="([^"]+)"', page)
    assert found, f"the demo knows no customer {account}"
    return found[1]


def main() -> int:
    """Ask a running demo and print the cases that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    results = asyncio.run(ask_cases(Client(given.url, given.key), read_folder(given.folder).cases))
    failed = [result for result in results if result.faults]
    for result in failed:
        print(f"{result.name}: {'; '.join(result.faults)}")
    print(f"{len(results) - len(failed)} of {len(results)} passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
