"""Guarded turns per second and added latency: `python -m benchmarks.turn`.

Three ways to the same model, which answers at once, in one run, in alternating blocks:

- direct: the call that Steward itself would make, made by the client;
- steward: a whole guarded turn (masking, intents, guard, retrieval, generation, verification of each
  sentence, everything stored with fsync), one process, as `steward up` runs it;
- litellm: LiteLLM's proxy in front of the model, one worker, a row per request in the same PostgreSQL.

Added latency is a latency less the direct call's median of the same round, mode and number of clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import systems
from benchmarks.load import (
    Address,
    Connection,
    Conversation,
    Reply,
    Request,
    Unanswered,
    percentile,
    run_block,
)
from benchmarks.machine import commit_ms, describe, fsync_setting
from benchmarks.turn_report import Block, print_report, summarise

CLIENTS = (1, 16, 64)
MODES = ("streamed", "whole")
SCRIPTS: tuple[tuple[str, ...], ...] = (
    (
        "How many days does a refund to a credit card need?",
        "What do you charge for bills by post?",
        "How much do you add when somebody pays late?",
        "Is American Express OK for paying my bill?",
    ),
    (
        "What would a Wi-Fi Disc cost me a month?",
        "where can I read my wi-fi password",
        "What does two-step sign-in do?",
        "What speed do you guarantee on Fibre 500?",
    ),
    (
        "Can I keep the gigabytes I didn't use for next month?",
        "Which access point do I type in for mobile data?",
        "What will data cost me for a week in the United States?",
        "For how long can I use my PAC?",
    ),
    (
        "Over how many months can I spread what I owe?",
        "How long is the text message code valid?",
        "Where do you publish current faults by postcode?",
        "My sister joined through my referral link, how much do we both get?",
    ),
    (
        "How long does a new SIM take to arrive?",
        "What does Essential TV cost?",
        "By how much does broadband rise every spring?",
        "What is the student discount?",
    ),
)
"""Conversations that the clients have, over and over. No question makes Steward offer a workflow."""

FIRST_DELTA = re.compile(rb"event: delta")
FIRST_CONTENT = re.compile(rb'"content": ?"[^"]')


@dataclass(frozen=True, slots=True)
class Party:
    """One of the compared ways."""

    name: str
    address: Address
    conversations: Mapping[str, Conversation]
    """What a client says, by mode."""


async def talk_to_steward(
    connection: Connection, number: int, *, accept: str, first: re.Pattern[bytes] | None
) -> AsyncGenerator[Reply, None]:
    """Hold conversations: begin one, ask a script's questions, begin the next. Only turns count."""
    turn = number
    while True:
        begun = await connection.send(Request("/v1/conversations", b'{"channel":"api"}'))
        if begun.status != 201:
            raise Unanswered(f"Steward began no conversation: {begun.status} {begun.body[:300]!r}")
        path = f"/v1/conversations/{json.loads(begun.body)['id']}/messages"
        for question in SCRIPTS[turn % len(SCRIPTS)]:
            body = json.dumps({"text": question, "key": uuid4().hex}).encode()
            reply = await connection.send(Request(path, body, accept, first))
            if reply.status != 200 or b'"outcome":"answered"' not in reply.body:
                raise Unanswered(f"Steward didn't answer {question!r}: {reply.status} {reply.body[-600:]!r}")
            yield reply
        turn += 1


async def call_model(
    connection: Connection,
    number: int,
    *,
    bodies: Sequence[bytes],
    accept: str,
    first: re.Pattern[bytes] | None,
) -> AsyncGenerator[Reply, None]:
    """Send the requests that Steward sends, one after the other."""
    turn = number * len(SCRIPTS[0])
    while True:
        body = bodies[turn % len(bodies)]
        reply = await connection.send(Request("/v1/chat/completions", body, accept, first))
        if reply.status != 200:
            raise Unanswered(f"the model's call failed: {reply.status} {reply.body[:300]!r}")
        yield reply
        turn += 1


async def learn(party: Party, model_port: int) -> list[dict[str, Any]]:
    """Let Steward ask every question once in each mode; return the requests that the model received."""
    for mode in MODES:
        for number in range(len(SCRIPTS)):
            connection = Connection(party.address)
            answers = party.conversations[mode](connection, number)
            for question in SCRIPTS[number]:
                if b"event: action" in (await anext(answers)).body:
                    raise Unanswered(f"Steward offers a workflow for {question!r}; choose another question")
            await answers.aclose()
            connection.close()
    received: list[dict[str, Any]] = (await asyncio.to_thread(model_report, model_port))["received"]
    expected = sum(len(script) for script in SCRIPTS)
    if len(received) < expected:
        raise Unanswered(f"the model was asked {len(received)} different questions of {expected}")
    return received[:expected]


def model_report(port: int) -> dict[str, Any]:
    """Return what the simulated model received."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/received", timeout=10) as answer:
        report: dict[str, Any] = json.load(answer)
    return report


def model_party(name: str, port: int, requests: Sequence[dict[str, Any]], key: str) -> Party:
    """Return a way that takes the model's own protocol."""
    streamed = [json.dumps(request).encode() for request in requests]
    left_out = ("stream", "stream_options")
    whole = [
        json.dumps({field: value for field, value in request.items() if field not in left_out}).encode()
        for request in requests
    ]
    conversations: dict[str, Conversation] = {
        "streamed": partial(call_model, bodies=streamed, accept="text/event-stream", first=FIRST_CONTENT),
        "whole": partial(call_model, bodies=whole, accept="application/json", first=None),
    }
    return Party(name, Address("127.0.0.1", port, (("Authorization", f"Bearer {key}"),)), conversations)


def steward_party(port: int, key: str) -> Party:
    """Return the way through Steward."""
    conversations: dict[str, Conversation] = {
        "streamed": partial(talk_to_steward, accept="text/event-stream", first=FIRST_DELTA),
        "whole": partial(talk_to_steward, accept="application/json", first=None),
    }
    return Party("steward", Address("127.0.0.1", port, (("Authorization", f"Bearer {key}"),)), conversations)


async def measure(
    parties: Sequence[Party],
    processor: systems.Processor,
    *,
    clients: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[Block]:
    """Run all blocks, the parties taking turns within each round."""
    blocks = []
    for mode in MODES:
        for count in clients:
            for turn in range(rounds):
                for party in parties:
                    before, began = processor.seconds(), time.monotonic()
                    measured = await run_block(
                        party.address, party.conversations[mode], clients=count, seconds=seconds
                    )
                    lasted = time.monotonic() - began
                    used = processor.seconds()
                    firsts = [reply.first_ms for reply in measured.replies]
                    totals = [reply.total_ms for reply in measured.replies]
                    block = Block(
                        mode=mode,
                        clients=count,
                        round=turn,
                        party=party.name,
                        answers=len(totals),
                        per_second=measured.per_second,
                        first_p50_ms=percentile(firsts, 0.5),
                        first_p95_ms=percentile(firsts, 0.95),
                        end_p50_ms=percentile(totals, 0.5),
                        end_p95_ms=percentile(totals, 0.95),
                        cores={name: (used[name] - before[name]) / lasted for name in used},
                    )
                    blocks.append(block)
                    print(f"  {block.line()}", file=sys.stderr, flush=True)
    return blocks


def check_turns(url: str) -> dict[str, Any]:
    """Read from the stored turns that each was a whole guarded one, answered by the chat model.

    Raises:
        Unanswered: one wasn't.
    """
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select outcome, coalesce(model, 'none'), sentences_dropped > 0, cardinality(cited) > 0, count(*)"
            " from turn group by 1, 2, 3, 4"
        ).fetchall()
        stages = connection.execute(
            "select "
            + ", ".join(f"percentile_cont(0.5) within group (order by {name}_ms)" for name in STAGES)
            + " from turn"
        ).fetchone()
        logged = connection.execute("select count(*) from request_log").fetchone()
    kinds: Counter[str] = Counter()
    for outcome, model, dropped, cited, count in rows:
        kinds[
            f"{outcome} by {model}" + (", dropped" if dropped else "") + ("" if cited else ", uncited")
        ] += count
    if set(kinds) != {"answered by main"}:
        raise Unanswered(f"not every turn was answered by the chat model, cited and verified: {dict(kinds)}")
    return {
        "turns": sum(kinds.values()),
        "stage_median_ms": dict(zip(STAGES, stages or (), strict=True)),
        "requests_logged_by_litellm": logged[0] if logged else 0,
    }


STAGES = ("receive", "mask", "understand", "guard", "retrieve", "generate", "verify", "record", "total")


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Start everything, measure, and return the whole report."""
    from steward.base.db.embedded import start_embedded

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        if arguments.keep_logs:
            stack.callback(_keep_logs, directory, arguments.keep_logs)
        data = directory / "data"
        server = await start_embedded(data, progress=lambda text: print(f"  {text}", file=sys.stderr))
        stack.callback(server.attachment.close)
        model = stack.enter_context(systems.model(directory))
        steward = stack.enter_context(systems.steward(directory, model_port=model.port, database_url=None))
        systems.prepare_request_log(server.owner_url)
        way = steward_party(steward.port, steward.value("key"))
        requests = await learn(way, model.port)
        parties = [model_party("direct", model.port, requests, "none"), way]
        pids = {"model": model.pid, "steward": steward.pid}
        if arguments.litellm_python:
            proxy = stack.enter_context(
                systems.litellm(
                    directory,
                    python=arguments.litellm_python,
                    model_port=model.port,
                    log_url=server.owner_url,
                )
            )
            parties.append(model_party("litellm", proxy.port, requests, systems.LITELLM_KEY))
            pids["litellm"] = proxy.pid
        machine = describe()
        commit = commit_ms(server.owner_url)
        processor = systems.Processor(pids, database=data / "postgres" / "data")
        for party in parties:
            await run_block(party.address, party.conversations["streamed"], clients=4, seconds=2)
        blocks = await measure(
            parties,
            processor,
            clients=arguments.clients,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
        )
        return {
            "machine": {**machine, "load_after": describe()["load"]},
            "store": {"fsync": fsync_setting(server.owner_url), "one_row_commit_ms": commit},
            "checks": check_turns(server.owner_url),
            "chunks_per_answer": statistics.mean(chunks_of(request) for request in requests),
            "settings": {"seconds": arguments.seconds, "rounds": arguments.rounds},
            "summary": summarise(blocks),
            "blocks": [block.as_json() for block in blocks],
        }


def chunks_of(request: Mapping[str, Any]) -> int:
    """Return how many chunks the model's streamed answer to a request has."""
    from benchmarks.model import think

    return len(think(json.dumps(request).encode(), number=0).parts)


def _keep_logs(directory: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*.log"):
        (target / log.name).write_bytes(log.read_bytes())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Guarded turns per second and added latency.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="one round of short blocks, to see that it runs")
    parser.add_argument(
        "--litellm-python", type=Path, help="Python of an environment with litellm[proxy] and asyncpg"
    )
    parser.add_argument("--seconds", type=float, help="length of a block")
    parser.add_argument("--rounds", type=int, help="rounds of alternating blocks")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--keep-logs", type=Path, help="directory that the programs' logs are copied to")
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (1.5 if arguments.quick else 6.0)
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    try:
        import uvloop
    except ImportError:
        report = asyncio.run(run(arguments))
    else:
        report = uvloop.run(run(arguments))
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)


if __name__ == "__main__":
    main()
