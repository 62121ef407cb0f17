"""Messages at once, repeated and too late; a company's system that is down, slow, wrong or silent."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.prove.client import Client
from tests.prove.company import Customer, customer
from tests.prove.kills import UNDECIDED
from tests.prove.results import Ledgered, Report, spread
from tests.prove.telling import refund_lines
from tests.prove.world import World, open_world

NAME = "troubles"
CLAIM = """
Messages that come at once are answered in their order; one key is one turn; a closed conversation takes
nothing more. Whatever the company's system does, the refund happens exactly once or not at all, and the
customer is told the truth about it, by a notice where it was found out later.
"""
ROUNDS = 4
AT_ONCE = 10
"""Conversations of a round in which several messages come at once."""
DECIDED_WITHIN_S = 90.0
REFUND = {"operation": "refund_payment"}
ASKED = {"operation": "outcome_by_key"}
SAYS_DONE = "I've refunded"
SAYS_FAILED = "no money has moved"
SAYS_UNKNOWN = "hasn't told me yet"
FAULTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "answers in time": (),
    "slower than its deadline": ({**REFUND, "slow_ms": 9500},),
    "fails with 500 once": ({**REFUND, "fail_status": 500},),
    "fails with 503 three times": ({**REFUND, "fail_status": 503, "times": 3},),
    "does the work and drops the answer": ({**REFUND, "drop_after_work": True},),
    "drops the answer and won't say what became of it": (
        {**REFUND, "drop_after_work": True},
        {**ASKED, "fail_status": 500, "times": 6},
    ),
    "slow, then drops the answer, then slow to tell": (
        {**REFUND, "slow_ms": 1500, "drop_after_work": True},
        {**ASKED, "slow_ms": 1200, "times": 3},
    ),
    "takes 20 s": ({**REFUND, "slow_ms": 20_000},),
    "refuses with 422": ({**REFUND, "fail_status": 422},),
}
DOWN_BEFORE = "down before the checks"
DOWN_IN_THE_ACT = "down before the refund"
TAKEN_OVER = "answers while a human takes over"
TROUBLES = (*FAULTS, DOWN_BEFORE, DOWN_IN_THE_ACT, TAKEN_OVER)
NO_REFUND = frozenset({"refuses with 422", DOWN_BEFORE, DOWN_IN_THE_ACT})


async def run(
    directory: Path, *, seed: int, rounds: int = ROUNDS, troubles: Sequence[str] = TROUBLES
) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=rounds * len(troubles)) as world:
        await campaign(world, kept, seed=seed, rounds=rounds, troubles=troubles)
    return report(kept, seed)


async def campaign(
    world: World, kept: Ledgered, *, seed: int, rounds: int, troubles: Sequence[str], first: int = 0
) -> None:
    """Meet every trouble once in each round, in an order of its own; customers count from `first`."""
    for number in range(len(kept.rounds), rounds):
        chance = random.Random(f"{seed}:{number}")
        order = chance.sample(list(troubles), len(troubles))
        problems = [problem for _ in range(AT_ONCE) for problem in await at_once(world, chance)]
        problems += await same_key(world)
        problems += await closed(world)
        met = [
            await trouble(world, name, customer(first + number * len(troubles) + place))
            for place, name in enumerate(order)
        ]
        problems += [problem for item in met for problem in item.pop("problems")]
        kept.add({"met": met, "problems": problems})
        print(f"  round {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)


# ------------------------------------------------------------ messages


async def at_once(world: World, chance: random.Random, *, how_many: int = 3) -> list[str]:
    """Send several messages of one conversation at once: each is answered, in order, never mixed."""
    client = world.client()
    conversation = await client.conversation()
    texts = chance.sample(
        [
            "How long does a refund take to arrive?",
            "How do I read my bill?",
            "What happens when I move house?",
            "How do I set up voicemail on my mobile?",
        ],
        how_many,
    )
    dones = await asyncio.gather(
        *(client.ask(conversation, text, f"at-once-{place}") for place, text in enumerate(texts))
    )
    stored = await client.messages(conversation)
    asked = [item["turn_id"] for item in stored if item["role"] == "customer"]
    answered = [item["turn_id"] for item in stored if item["role"] == "assistant"]
    problems = []
    if sorted(asked) != sorted(str(done["turn_id"]) for done in dones):
        problems.append(f"{conversation}: {how_many} messages at once became {len(asked)} turns")
    if answered != asked:
        problems.append(f"{conversation}: asked in the order {asked}, answered in the order {answered}")
    return problems


async def same_key(world: World, *, clients: int = 4) -> list[str]:
    """Send one message from several clients at the same moment with the same key: it is one turn."""
    client = world.client()
    conversation = await client.conversation()
    text = "How do I read my bill?"
    dones = await asyncio.gather(*(client.ask(conversation, text, "the key") for _ in range(clients)))
    later = await client.ask(conversation, text, "the key")
    stored = [item["role"] for item in await client.messages(conversation)]
    problems = []
    if len({(done["turn_id"], done["text"]) for done in (*dones, later)}) != 1:
        problems.append(f"{conversation}: one key gave several answers")
    if stored != ["customer", "assistant"]:
        problems.append(f"{conversation}: one key stored {stored}")
    return problems


async def closed(world: World) -> list[str]:
    """Write into a closed conversation: it is refused, stores nothing, and tells a key that it knows."""
    client = world.client()
    conversation = await client.conversation()
    known = await client.ask(conversation, "How do I read my bill?", "before")
    await client.call("POST", f"/v1/conversations/{conversation}/close", {"resolved": True})
    path = f"/v1/conversations/{conversation}/messages"
    refused = await client.call("POST", path, {"text": "One more thing", "key": "after"}, raw=True)
    again = await client.ask(conversation, "How do I read my bill?", "before")
    problems = []
    if refused.status != 409:
        problems.append(f"{conversation}: a message to a closed conversation was answered {refused.status}")
    if len(await client.messages(conversation)) != 2:
        problems.append(f"{conversation}: a closed conversation stored a message")
    if again["turn_id"] != known["turn_id"]:
        problems.append(f"{conversation}: a known key became another turn after closing")
    return problems


# ------------------------------------------------------------ the company's system


async def trouble(world: World, name: str, who: Customer) -> dict[str, Any]:
    """Ask for a refund while the company's system has a trouble; see what happened and what was said."""
    client = world.client()
    conversation = await client.conversation()
    *before, confirmation = refund_lines(who)
    for place, line in enumerate(before):
        if name == DOWN_BEFORE and line == who.postcode:
            world.company.stop()
        done = await client.ask(conversation, line, f"line-{place}")
    if name == TAKEN_OVER:
        await world.faults({**REFUND, "slow_ms": 1500})
    elif name == DOWN_IN_THE_ACT:
        world.company.stop()
    elif name in FAULTS:
        await world.faults(*FAULTS[name])
    if name == TAKEN_OVER:
        done = await taken_over(world, client, conversation, confirmation)
    elif name != DOWN_BEFORE:
        done = await client.ask(conversation, confirmation, "confirmation")
    if world.company.running is None:
        world.company.start()
        await world.company.ready()
    waited_s = await decided(world)
    await world.faults()
    paid = (await world.refunds()).count(who.payment)
    told = [str(item["text"]) for item in await client.messages(conversation)][2 * len(before) - 1 :]
    return {
        "trouble": name,
        "at_once": first_word(str(done["text"])),
        "in_the_end": first_word(told[-1]),
        "refunds": paid,
        "decided_s": round(waited_s, 1),
        "problems": [
            f"{conversation}, {name}: {problem}"
            for problem in judge(world, name, conversation, paid, told, waited_s)
        ],
    }


async def taken_over(world: World, client: Client, conversation: str, text: str) -> Mapping[str, Any]:
    """Say yes, and let a human take over before the company has answered."""
    agent = await world.agent(client)
    asking = asyncio.create_task(client.ask(conversation, text, "confirmation"))
    await asyncio.sleep(0.7)
    await agent.call("POST", f"/v1/admin/handovers/{conversation}/take")
    return await asking


async def decided(world: World) -> float:
    """Wait until nothing is undecided and return the seconds it took."""
    begun = time.monotonic()
    while world.rows(UNDECIDED)[0][0]:
        if time.monotonic() - begun > DECIDED_WITHIN_S:
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - begun


def first_word(text: str) -> str:
    """Return what a sentence says of the refund, in a word."""
    for said, word in ((SAYS_DONE, "done"), (SAYS_FAILED, "failed"), (SAYS_UNKNOWN, "unknown")):
        if said in text:
            return word
    return "handed over" if "colleague" in text else "nothing"


def judge(
    world: World, name: str, conversation: str, paid: int, told: Sequence[str], waited_s: float
) -> list[str]:
    """Return what isn't exactly one effect and true words about it."""
    problems = []
    expected = 0 if name in NO_REFUND else 1
    if paid != expected:
        problems.append(f"{paid} refunds instead of {expected}")
    if waited_s >= DECIDED_WITHIN_S:
        problems.append(f"undecided after {DECIDED_WITHIN_S:g} s")
    says_done, says_failed = (any(said in text for text in told) for said in (SAYS_DONE, SAYS_FAILED))
    if says_done != bool(paid):
        problems.append(f"{paid} refunds, but the customer was told {told!r}")
    if says_failed and paid:
        problems.append(f"the customer was told that no money has moved: {told!r}")
    if sum(SAYS_DONE in text for text in told) > 1:
        problems.append(f"the customer was told twice: {told!r}")
    waiting = world.rows(
        f"select count(*) from handover where ended_at is null and conversation_id = '{conversation}'"
    )[0][0]
    if not paid and not waiting:
        problems.append(f"nobody was called: {told!r}")
    return problems


def report(kept: Ledgered, seed: int) -> Report:
    """Put the figures together."""
    met = [item for round_ in kept.rounds for item in round_["met"]]
    rounds = len(kept.rounds)
    figures = [
        ("conversations with three messages at once", str(rounds * AT_ONCE)),
        ("one key from four clients at once, messages after closing", f"{rounds} of each"),
    ]
    for name in TROUBLES:
        mine = [item for item in met if item["trouble"] == name]
        if mine:
            ends = Counter(f"{item['at_once']}, then {item['in_the_end']}" for item in mine)
            said = "; ".join(f"{end} ({count})" for end, count in ends.items())
            effects = ", ".join(str(effect) for effect in sorted({item["refunds"] for item in mine}))
            value = f"{len(mine)} conversations, refunds in each: {effects}; told: {said}"
            figures.append((f"company {name}", value))
    figures.append(("until decided", spread([item["decided_s"] for item in met])))
    return Report(
        name=NAME,
        title="Messages at once, and a company's system in trouble",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=figures,
        problems=kept.problems,
    )
