"""The demo's rehearsal: what a newcomer finds after some minutes, and what a visitor notices meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.prove.client import Client
from tests.prove.processes import Process, steward_process
from tests.prove.results import Ledgered, Report, spread

NAME = "demo"
CLAIM = """
`make demo` on an empty directory shows, within five minutes and by itself, one rollout that was promoted and
one that rolled itself back, both marked as simulated and explained in an intact ledger. A visitor who chats
meanwhile is answered by the served release alone, and nobody simulated is left waiting at the desk.
"""
ROUNDS: Final = 5
WITHIN_S: Final = 300.0
GIVEN_UP_S: Final = 900.0
VISIT_EVERY_S: Final = 2.0
QUESTION: Final = "How do I cancel my contract?"


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS) -> Report:
    """Start as many demos, one after the other, from where it was interrupted."""
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    kept = Ledgered.open(directory)
    for number in range(len(kept.rounds), rounds):
        place = directory / f"demo-{number}"
        await asyncio.to_thread(_make, place)
        kept.add(await one_demo(place))
        print(f"  demo {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)
    return report(kept, seed)


async def one_demo(place: Path) -> dict[str, Any]:
    """Start a demo, visit it until its rehearsals have ended, and look at what they left."""
    steward = steward_process(["up", "--demo"], place, {"STEWARD_REQUESTS_PER_MINUTE": "100000"})
    steward.start()
    try:
        await steward.ready()
        return await visited(steward, place)
    finally:
        await asyncio.to_thread(steward.stop)


async def visited(steward: Process, place: Path) -> dict[str, Any]:
    """Visit a demo and return what was seen."""
    access = json.loads(await asyncio.to_thread((place / "data" / "local-access.json").read_text))
    staff, visitor = Client(steward.url, access["key"]), Client(steward.url, access["public_key"])
    served = (await staff.call("GET", "/v1/admin/releases")).json()["releases"][-1]["id"]
    begun, visits, rollouts = time.monotonic(), list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    while time.monotonic() - begun < GIVEN_UP_S:
        visits.append(await visit(visitor))
        rollouts = await rehearsed(staff)
        if len(rollouts) == 2 and all(each["ended_at"] for each in rollouts):
            break
        await asyncio.sleep(VISIT_EVERY_S)
    visits.append(await visit(visitor))
    took_s = time.monotonic() - begun
    agent = Client(steward.url)
    await agent.sign_in(access["login"], access["password"])
    waiting = (await agent.call("GET", "/v1/admin/handovers")).json()["handovers"]
    pages = [(await staff.call("GET", f"/v1/admin/rollouts/{each['id']}")).json() for each in rollouts]
    ledger = (await agent.call("GET", "/v1/admin/ledger/verify")).json()
    return {
        "states": [each["state"] for each in rollouts],
        "took_s": round(took_s, 1),
        "lasted_s": [lasted_s(each) for each in rollouts],
        "customers": [sum(arm["customers"] for arm in page["arms"]) for page in pages],
        "visits": len(visits),
        "visit_ms": [each["ms"] for each in visits],
        "problems": problems_of(rollouts, pages, visits, served=served, waiting=waiting, took_s=took_s)
        + ([] if ledger["ok"] else ["the ledger is broken"]),
    }


async def rehearsed(staff: Client) -> list[Mapping[str, Any]]:
    """Return the simulated rollouts so far, the oldest first."""
    found = (await staff.call("GET", "/v1/admin/rollouts?simulated=true")).json()["rollouts"]
    return list(reversed(found))


async def visit(visitor: Client) -> Mapping[str, Any]:
    """Ask one question as a visitor does."""
    conversation = await visitor.conversation()
    begun = time.monotonic()
    done = await visitor.ask(conversation, QUESTION, "1")
    ms = round((time.monotonic() - begun) * 1000)
    return {"ms": ms, "outcome": done["outcome"], "release": done["release"], "arm": done["arm"]}


def lasted_s(rollout: Mapping[str, Any]) -> float | None:
    """Return how long a rollout lasted."""
    with suppress(TypeError):
        ended, began = (datetime.fromisoformat(rollout[name]) for name in ("ended_at", "created_at"))
        return round((ended - began).total_seconds(), 1)
    return None


def problems_of(
    rollouts: Sequence[Mapping[str, Any]],
    pages: Sequence[Mapping[str, Any]],
    visits: Sequence[Mapping[str, Any]],
    *,
    served: str,
    waiting: Sequence[Mapping[str, Any]],
    took_s: float,
) -> list[str]:
    """Return everything that should not have happened."""
    found = []
    states = [each["state"] for each in rollouts]
    if states != ["promoted", "rolled_back"]:
        found.append(f"the rehearsals ended as {states}")
    if took_s > WITHIN_S:
        found.append(f"it took {took_s:.0f} s")
    if not all(each["simulated"] for each in rollouts):
        found.append("a rehearsal isn't marked as simulated")
    for page in pages:
        kinds = [event["kind"] for event in page["events"]]
        if not {"started", "approved", "phase_started"} <= set(kinds):
            found.append(f"the history lacks something: {kinds}")
        if any(event["ledger_entry"] is None for event in page["events"]):
            found.append("an event stands in no ledger row")
    for each in visits:
        if (each["release"], each["arm"], each["outcome"]) != (served, "baseline", "answered"):
            found.append(f"a visitor met {each}")
    if waiting:
        found.append(f"{len(waiting)} simulated customers wait at the desk")
    return found


def report(kept: Ledgered, seed: int) -> Report:
    """Return the figures."""
    lasted = [value for values in kept.all_of("lasted_s") for value in values if value is not None]
    visits = [value for values in kept.all_of("visit_ms") for value in values]
    customers = kept.all_of("customers")
    figures = [
        ("demos", str(len(kept.rounds))),
        (
            "with one promoted and one rolled back",
            str(kept.all_of("states").count(["promoted", "rolled_back"])),
        ),
        ("from ready until both had ended", spread(kept.all_of("took_s"), digits=0)),
        ("one rollout lasted", spread(lasted, digits=0)),
        ("customers in the promoted one", spread([each[0] for each in customers if each], unit="", digits=0)),
        (
            "customers in the one rolled back",
            spread([each[1] for each in customers if len(each) > 1], unit="", digits=0),
        ),
        ("a visitor's questions meanwhile", str(sum(kept.all_of("visits")))),
        ("a visitor's whole answer", spread(visits, unit="ms", digits=0)),
    ]
    return Report(
        name=NAME,
        title="The demo's rehearsal",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME}",
        seed=seed,
        figures=figures,
        problems=kept.problems,
        notes=(
            "Customers are counted once for each phase and arm.",
            "The demonstration's plan has margins 5 to 10 times as wide as a real one, so that a few "
            "hundred invented customers decide.",
        ),
    )


def _make(place: Path) -> None:
    place.mkdir(exist_ok=True)
    place.parent.chmod(0o755)
    place.chmod(0o755)
