"""Kill -9 at random moments of a refund conversation; afterwards nothing is lost, doubled or undecided."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.prove.client import Client
from tests.prove.company import customer
from tests.prove.processes import kill_database, kill_guardian
from tests.prove.results import Ledgered, Report, spread
from tests.prove.telling import Telling, refund_lines
from tests.prove.world import World, open_world

NAME = "kills"
CLAIM = """
The server is killed at random moments of a refund conversation; the company's system lives on. After each
restart no acknowledged message is lost, no refund happens twice, no action stays undecided, and the customer
is told what happened.
"""
ROUNDS = 100
REHEARSALS = 20
"""Customers who show how long a conversation takes: one at each start of the campaign."""
TOKEN_MS = 8.0
AIMED = 0.3
"""Share of rounds whose moment is drawn from the refund's own time, not from the whole conversation's."""
LONGEST_ACT_S = 0.7
DECIDED_WITHIN_S = 60.0
VICTIMS = ("server",) * 14 + ("server and database",) * 3 + ("server and guardian",) * 2 + ("server, twice",)
"""Who is killed; "twice" kills the server again while it starts."""
UNDECIDED = """
    select (select count(*) from action where state in ('intended', 'unknown'))
         + (select count(*) from workflow_run where state in ('acting', 'unknown'))
         + (select count(*) from message where pending)
"""


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=rounds + REHEARSALS) as world:
        await campaign(world, kept, seed=seed, rounds=rounds, first=0)
        at_last = await afterwards(world, kept)
    return report(kept, seed, at_last)


async def campaign(world: World, kept: Ledgered, *, seed: int, rounds: int, first: int) -> None:
    """Kill so many times; customers count from `first`, those after the last are for rehearsals."""
    await world.pace(token_ms=TOKEN_MS)
    span_s = await rehearse(world, await spare_customer(world, first + rounds))
    for number in range(len(kept.rounds), rounds):
        kept.add(await one_kill(world, first + number, random.Random(f"{seed}:{number}"), span_s))
        print(f"  kill {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)


async def spare_customer(world: World, first: int) -> int:
    """Return the number of a customer for a rehearsal whose payment isn't refunded yet."""
    refunded = await world.refunds()
    spare = range(first, first + REHEARSALS)
    return next(number for number in spare if customer(number).payment not in refunded)


async def rehearse(world: World, number: int) -> float:
    """Return how many seconds a whole refund conversation takes when nobody is killed."""
    await world.faults({"operation": "refund_payment", "slow_ms": 600}, {"slow_ms": 60, "times": None})
    client = world.client()
    telling = Telling(await client.conversation(), refund_lines(customer(number)))
    begun = time.monotonic()
    await telling.insist(client)
    return time.monotonic() - begun


async def one_kill(world: World, number: int, chance: random.Random, span_s: float) -> dict[str, Any]:
    """Hold a refund conversation, kill somewhere in it, and go on after the restart."""
    who, victim = customer(number), chance.choice(VICTIMS)
    await world.faults(*faults_of(chance))
    client = world.client()
    channels = 2 if chance.random() < 0.3 else 1
    tellings = [Telling(await client.conversation(), refund_lines(who)) for _ in range(channels)]
    talking = [asyncio.create_task(telling.go_on(client)) for telling in tellings]
    begun = time.monotonic()
    aimed = chance.random() < AIMED
    if aimed:
        await under_way(tellings[0], talking[0])
    await asyncio.sleep(chance.uniform(0, LONGEST_ACT_S if aimed else span_s))
    moment_s = time.monotonic() - begun
    kill(world, victim)
    await asyncio.gather(*talking)
    lines = [len(telling.sent) for telling in tellings]
    acting = sum(bool(telling.sent) and telling.sent[-1].acting for telling in tellings)
    ready_s = await restart(world, victim, chance)
    await world.faults()
    for telling in tellings:
        await telling.compare(client)
    if patient := chance.random() < 0.3:
        # Nobody asks again: what was acknowledged is finished all the same.
        await settled(world, tellings[0])
    await asyncio.gather(*(telling.insist(client) for telling in tellings))
    decided_s = await settled(world, tellings[0])
    paid = (await world.refunds()).count(who.payment)
    return {
        "victim": victim,
        "aimed": aimed,
        "at_s": round(moment_s, 2),
        "line": lines[0],
        "acting": acting,
        "channels": channels,
        "patient": patient,
        "ready_s": round(ready_s, 2),
        "decided_s": round(decided_s, 2),
        "refunds": paid,
        "acknowledged": sum(sent.acknowledged for telling in tellings for sent in telling.sent),
        "conversations": [telling.conversation for telling in tellings],
        "outcomes": [telling.sent[-1].outcome for telling in tellings],
        "problems": await wrong(client, tellings, paid),
    }


async def under_way(telling: Telling, talking: asyncio.Task[bool]) -> None:
    """Return once the refund is being made, or the conversation has ended."""
    while not (talking.done() or (telling.sent and telling.sent[-1].acting)):
        await asyncio.wait([talking], timeout=0.01)


def faults_of(chance: random.Random) -> list[Mapping[str, Any]]:
    """Return the company's troubles of one round: slow enough to be killed in the act, sometimes worse."""
    refund = {"operation": "refund_payment", "slow_ms": chance.choice((100, 300, 600)), "times": 1}
    worse = chance.random()
    if worse < 0.1:
        refund["drop_after_work"] = True
    elif worse < 0.2:
        refund["fail_status"] = 500
    return [refund, {"slow_ms": 60, "times": None}]


def kill(world: World, victim: str) -> None:
    """Kill as a crash does; the company's system and the model live on."""
    if "database" in victim:
        kill_database(world.data)
    elif "guardian" in victim:
        kill_guardian(world.data)
    world.steward.kill()


async def restart(world: World, victim: str, chance: random.Random) -> float:
    """Start again and return the seconds until it answers."""
    if "twice" in victim:
        world.steward.start()
        await asyncio.sleep(chance.uniform(0.5, 4.0))
        world.steward.kill()
    world.steward.start()
    return await world.steward.ready()


async def settled(world: World, telling: Telling) -> float:
    """Wait until nothing is undecided and return the seconds it took."""
    begun = time.monotonic()
    while world.rows(UNDECIDED)[0][0]:
        if time.monotonic() - begun > DECIDED_WITHIN_S:
            telling.problems.append(f"{telling.conversation}: undecided after {DECIDED_WITHIN_S:g} s")
            break
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def wrong(client: Client, tellings: Sequence[Telling], paid: int) -> list[str]:
    """Return what should not have happened in a round: each customer has to know the truth."""
    problems: list[str] = []
    if paid > 1:
        problems.append(f"{tellings[0].conversation}: {paid} refunds of one payment")
    for telling in tellings:
        await telling.compare(client)
        problems += telling.problems
        stored = await client.messages(telling.conversation)
        told = [str(item["text"]) for item in stored if item["role"] != "customer"]
        says_done = any("I've refunded" in text for text in told)
        already = any("can't find one that was taken twice" in text for text in told)
        if says_done and not paid:
            problems.append(f"{telling.conversation}: was told of a refund that never happened")
        if paid and not (says_done or already):
            problems.append(f"{telling.conversation}: wasn't told of the refund, but {told[-1]!r}")
        if not paid:
            problems.append(f"{telling.conversation}: confirmed and got no refund: {told[-1]!r}")
    return problems


async def afterwards(world: World, kept: Ledgered) -> list[tuple[str, str]]:
    """Look at everything once more at the end, and check the ledger's chain."""
    client = world.client()
    stored = 0
    for item in kept.rounds:
        for conversation in item["conversations"]:
            stored += sum(message["role"] == "customer" for message in await client.messages(conversation))
    refunds = Counter(await world.refunds())
    chain = (await (await world.agent(client)).call("GET", "/v1/admin/ledger/verify")).json()
    if not chain["ok"]:
        kept.rounds[-1]["problems"].append("the ledger's hash chain is broken")
    promised = sum(kept.all_of("acknowledged"))
    if stored < promised:
        kept.rounds[-1]["problems"].append(
            f"{promised - stored} acknowledged messages are missing at the end"
        )
    if any(count > 1 for count in refunds.values()):
        kept.rounds[-1]["problems"].append("a payment was refunded twice")
    return [
        ("acknowledged messages, all stored at the end", f"{promised} of which {stored} are stored"),
        ("payments refunded, and refunded more than once",
         f"{len(refunds)} and {sum(count > 1 for count in refunds.values())}"),
        ("ledger's hash chain", f"{'whole' if chain['ok'] else 'broken'}, {chain['rows']} entries"),
    ]  # fmt: skip


def report(kept: Ledgered, seed: int, at_last: Sequence[tuple[str, str]]) -> Report:
    """Put the figures together."""
    victims = Counter(kept.all_of("victim"))
    lines = Counter(kept.all_of("line"))
    return Report(
        NAME,
        "kill -9 in the middle of a refund",
        CLAIM,
        f"python -m tests.prove {NAME} --seed {seed}",
        seed,
        [
            ("kills", str(len(kept.rounds))),
            ("moments drawn from the whole conversation, and from the refund's own time",
             f"{len(kept.rounds) - sum(kept.all_of('aimed'))} and {sum(kept.all_of('aimed'))}"),
            ("who was killed", ", ".join(f"{name}: {count}" for name, count in victims.most_common())),
            ("customer's line at which the kill fell",
             ", ".join(f"{line}: {count}" for line, count in sorted(lines.items()))),
            ("killed while the refund was under way", str(sum(bool(n) for n in kept.all_of("acting")))),
            ("rounds with the same refund asked for in two conversations at once",
             str(sum(n == 2 for n in kept.all_of("channels")))),
            ("from start to ready", spread(kept.all_of("ready_s"))),
            ("until everything was decided", spread(kept.all_of("decided_s"))),
            *at_last,
        ],
        kept.problems,
    )  # fmt: skip
