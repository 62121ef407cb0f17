"""Schemathesis against the API's own description: whatever is sent, nothing fails on our side."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from tests.prove.results import Ledgered, Report
from tests.prove.world import World, open_world

NAME = "api"
CLAIM = """
Schemathesis makes calls out of the OpenAPI document, fitting and unfitting ones, with ids that lead nowhere
and with ids of real records, as an admin, as a key and as a stranger. No answer is a 5xx, and every refusal
is problem details.
"""
ROUNDS = 5
EXAMPLES = 40
"""Calls of each sort for an operation in a round."""
ENDLESS = "/events"
"""The end of paths whose answer is a stream that stays open."""
WITHIN_S = 60.0


@dataclass(slots=True)
class Fuzzed:
    """What came back: statuses, and what should not have happened."""

    statuses: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def note(self, name: str, response: Any) -> None:
        """Count an answer and keep it if something is wrong with it."""
        self.statuses[response.status_code] += 1
        kind = (response.headers.get("content-type") or [""])[0]
        if response.status_code >= 500:
            self.problems.append(f"{name}: {response.status_code} {response.text[:200]}")
        elif response.status_code >= 400 and not kind.startswith(
            ("application/problem+json", "application/json")
        ):
            self.problems.append(f"{name}: {response.status_code} as {kind!r}")


def fuzz(
    url: str, headers: Mapping[str, str], *, examples: int, seed: int, known: Mapping[str, str] | None = None
) -> Fuzzed:
    """Call every operation of the document in every way, and return what came back; a blocking call.

    Args:
        url: where Steward is.
        headers: what proves who calls.
        examples: calls of each sort for an operation.
        seed: gives the same calls again.
        known: ids of real records by the name that paths have for them.
    """
    found = Fuzzed()
    for operation in operations_of(url):
        ids = {name: value for name, value in (known or {}).items() if f"{{{name}}}" in operation.path}
        for strategy in strategies_of(operation, ids):
            call_all(operation.label, strategy, url, headers, found, examples=examples, seed=seed)
    return found


def operations_of(url: str) -> Iterator[Any]:
    """Yield the operations of the document, without those that answer for ever."""
    import schemathesis

    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr] # our own document has no faults
        if not operation.path.endswith(ENDLESS):
            yield operation


def strategies_of(operation: Any, ids: Mapping[str, str]) -> Iterator[Any]:
    """Yield how to make calls: fitting ones, unfitting ones, and each with ids of real records."""
    from schemathesis import GenerationMode

    takes_something = bool(operation.body) or any(True for _ in operation.iter_parameters())
    yield operation.as_strategy(GenerationMode.POSITIVE)
    if takes_something:
        yield operation.as_strategy(GenerationMode.NEGATIVE)
    if ids:
        yield operation.as_strategy(GenerationMode.POSITIVE, path_parameters=dict(ids))


def call_all(
    label: str,
    strategy: Any,
    url: str,
    headers: Mapping[str, str],
    found: Fuzzed,
    *,
    examples: int,
    seed: int,
) -> None:
    """Make the calls of one strategy."""
    import hypothesis
    from hypothesis import HealthCheck, Phase
    from hypothesis.errors import Unsatisfiable

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=strategy)
    def one(case: Any) -> None:
        # It invents credentials as well; those that count are given.
        case.headers.pop("Authorization", None)
        response = case.call(base_url=url, headers=dict(headers), timeout=WITHIN_S)
        found.note(label, response)

    try:
        one()
    except Unsatisfiable:
        # An operation that takes nothing, or anything, can't be called in an unfitting way.
        return


def sign_in(url: str, login: str, password: str) -> dict[str, str]:
    """Return the headers of a signed-in member of staff."""
    with httpx.Client(base_url=url, timeout=WITHIN_S) as client:
        client.post("/console/login", data={"login": login, "password": password})
        page = client.get("/console/account").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token, "the login didn't open the console"
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": token[1]}


def records_of(url: str, key: str) -> dict[str, str]:
    """Make a conversation with a turn, and return ids by the names that paths have for them."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=WITHIN_S) as client:
        conversation = client.post("/v1/conversations", json={}).json()["id"]
        said = {"text": "How do I read my bill?", "key": "first"}
        turn = client.post(f"/v1/conversations/{conversation}/messages", json=said).json()["turn_id"]
        releases = client.get("/v1/admin/releases").json()["releases"]
    release = releases[0]["id"]
    return {
        "conversation_id": conversation,
        "turn_id": turn,
        "reference": release,
        "other": release,
        "candidate": release,
        "baseline": release,
    }


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=1) as world:
        for number in range(len(kept.rounds), rounds):
            kept.add(await asyncio.to_thread(one_round, world, seed * 1000 + number))
            print(f"  round {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)
    return report(kept, seed)


def one_round(world: World, seed: int) -> dict[str, Any]:
    """Call everything as an admin, as a key and as a stranger."""
    access, url, begun = world.access(), world.steward.url, time.monotonic()
    known = records_of(url, access["key"])
    callers = {
        "admin": sign_in(url, access["login"], access["password"]),
        "key": {"Authorization": f"Bearer {access['key']}"},
        "stranger": {},
    }
    statuses, problems = Counter[int](), list[str]()
    for name, headers in callers.items():
        found = fuzz(url, headers, examples=EXAMPLES, seed=seed, known=known)
        statuses += found.statuses
        problems += [f"{name}: {problem}" for problem in found.problems]
    counted = {str(status): count for status, count in sorted(statuses.items())}
    return {"statuses": counted, "problems": problems, "took_s": round(time.monotonic() - begun, 1)}


def report(kept: Ledgered, seed: int) -> Report:
    """Put the rounds into figures."""
    statuses = Counter[str]()
    for counted in kept.all_of("statuses"):
        statuses.update(counted)
    told = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    return Report(
        name=NAME,
        title="Calls that Schemathesis makes",
        claim=CLAIM,
        command="make prove ONLY=api",
        seed=seed,
        figures=(
            ("rounds", str(len(kept.rounds))),
            ("calls", f"{statuses.total():,}"),
            ("answers by status", told),
            ("answers of 5xx", f"{sum(n for status, n in statuses.items() if status.startswith('5')):,}"),
        ),
        problems=kept.problems,
    )
