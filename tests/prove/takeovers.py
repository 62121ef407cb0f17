"""Humans take over conversations while the assistant streams; from the commit on it says nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.prove.client import Client, Event
from tests.prove.results import Ledgered, Report, spread
from tests.prove.world import World, open_world

NAME = "takeovers"
CLAIM = """
Conversations stream at once, 50 in a round, and a human takes each over at a random moment. Not one sentence
of the assistant is stored after the take-over's commit or delivered after the call returned; the next message
of the customer is met with silence.
"""
ROUNDS = 12
CONVERSATIONS = 50
PACES = ((60.0, 3.0), (2.0, 1.5))
"""Milliseconds between a model's tokens, and the latest moment of a take-over in seconds. A slow model makes
long streams; with a fast one commits follow each other closely, and a take-over falls among them."""
QUESTIONS = (
    "How long does a refund take to arrive?",
    "My broadband is slow in the evening, what can I do?",
    "How do I read my bill?",
    "What happens when I move house?",
    "How do I set up voicemail on my mobile?",
    "Why did my bill go up this month?",
)
SAID_AFTER = """
    select count(*) from message m
    join ledger l on l.subject = 'conversation:' || m.conversation_id and l.deed = 'conversation.taken_over'
    where m.role = 'assistant' and m.at > l.at and m.conversation_id = any('{%s}'::uuid[])
"""


@dataclass(slots=True)
class Scene:
    """One conversation: its stream, and the take-over."""

    conversation: str
    question: str
    moment_s: float = 0.0
    heard: list[Event] = field(default_factory=list)
    taken_round: int | None = None
    taken_at: float | None = None

    @property
    def words(self) -> list[Event]:
        """The pieces of the answer that arrived."""
        return [event for event in self.heard if event.name == "delta"]

    @property
    def late(self) -> list[Event]:
        """Words that arrived after the take-over had returned."""
        assert self.taken_round is not None
        return [event for event in self.words if event.round > self.taken_round]

    @property
    def outcome(self) -> str:
        """How the turn ended."""
        return str(self.heard[-1].data["outcome"])


async def run(
    directory: Path, *, seed: int, rounds: int = ROUNDS, conversations: int = CONVERSATIONS
) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=1) as world:
        await campaign(world, kept, seed=seed, rounds=rounds, conversations=conversations)
    return report(kept, seed)


async def campaign(world: World, kept: Ledgered, *, seed: int, rounds: int, conversations: int) -> None:
    """Take over in the process that streams, and in every other round in a second one."""
    client = world.client()
    second = world.second()
    second.start()
    try:
        await second.ready()
        agents = [await world.agent(client), await world.agent(client, second)]
        for number in range(len(kept.rounds), rounds):
            chance = random.Random(f"{seed}:{number}")
            token_ms, latest_s = PACES[number // 2 % 2]
            await world.pace(token_ms=token_ms)
            scenes = [
                Scene(await client.conversation(), chance.choice(QUESTIONS)) for _ in range(conversations)
            ]
            for scene in scenes:
                scene.moment_s = chance.uniform(0.0, latest_s)
            result = await one_round(world, client, agents[number % 2], scenes)
            kept.add({"elsewhere": bool(number % 2), "token_ms": token_ms, **result})
            print(f"  round {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)
    finally:
        second.stop()


async def one_round(world: World, client: Client, agent: Client, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Let conversations stream at once, each taken over at a moment of its own."""
    await asyncio.gather(
        *(listen(client, scene) for scene in scenes),
        *(take(agent, scene) for scene in scenes),
    )
    after = world.rows(SAID_AFTER % ",".join(scene.conversation for scene in scenes))[0][0]
    problems = [problem for scene in scenes for problem in await wrong(client, agent, scene)]
    if after:
        problems.append(f"{after} sentences were stored after a take-over")
    return {
        "conversations": len(scenes),
        "mid_stream": sum(scene.outcome == "silent" and bool(scene.words) for scene in scenes),
        "silenced_before": sum(scene.outcome == "silent" and not scene.words for scene in scenes),
        "finished_before": sum(scene.outcome != "silent" for scene in scenes),
        "stored_after": after,
        "delivered_after": sum(len(scene.late) for scene in scenes),
        "late_ms": [
            round((event.at - (scene.taken_at or 0)) * 1000, 2) for scene in scenes for event in scene.late
        ],
        "problems": problems,
    }


async def listen(client: Client, scene: Scene) -> None:
    """Ask, and keep every event with the moment of its arrival."""
    async for event in client.say(scene.conversation, scene.question, "question"):
        scene.heard.append(event)


async def take(agent: Client, scene: Scene) -> None:
    """Take over at the scene's moment."""
    await asyncio.sleep(scene.moment_s)
    answer = await agent.call("POST", f"/v1/admin/handovers/{scene.conversation}/take")
    scene.taken_round, scene.taken_at = answer.round, answer.at


async def wrong(client: Client, agent: Client, scene: Scene) -> list[str]:
    """Return what should not have happened, also after the human has spoken and the customer writes on."""
    problems = [
        f"{scene.conversation}: {event.data['text']!r} arrived after the take-over" for event in scene.late
    ]
    heard = "".join(str(event.data["text"]) for event in scene.words)
    stored = [item for item in await client.messages(scene.conversation) if item["role"] == "assistant"]
    if "".join(str(item["text"]) for item in stored) != heard:
        problems.append(f"{scene.conversation}: heard {heard!r}, stored {stored!r}")
    path = f"/v1/admin/handovers/{scene.conversation}"
    await agent.call("POST", f"{path}/reply", {"text": "Hello, a person here."})
    done = await client.ask(scene.conversation, scene.question, "again")
    if done["outcome"] != "silent" or done["text"]:
        problems.append(f"{scene.conversation}: spoke while a human held the word: {done['text']!r}")
    return problems


def report(kept: Ledgered, seed: int) -> Report:
    """Put the figures together."""

    def total(name: str, *, elsewhere: bool) -> str:
        return str(sum(item[name] for item in kept.rounds if item["elsewhere"] is elsewhere))

    figures: list[tuple[str, str]] = []
    for elsewhere, where in ((False, "in the process that streams"), (True, "in another process")):
        figures += [
            (f"take-overs {where}", total("conversations", elsewhere=elsewhere)),
            ("… in the middle of the answer", total("mid_stream", elsewhere=elsewhere)),
            ("… before its first sentence", total("silenced_before", elsewhere=elsewhere)),
            ("… after its last", total("finished_before", elsewhere=elsewhere)),
            ("sentences stored after the commit", total("stored_after", elsewhere=elsewhere)),
            ("sentences delivered after the call returned", total("delivered_after", elsewhere=elsewhere)),
        ]
    late: Sequence[float] = [ms for item in kept.rounds for ms in item["late_ms"]]
    figures.append(("how late those arrived", spread(late, unit="ms", digits=1)))
    return Report(
        name=NAME,
        title="A human takes over in the middle of an answer",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=figures,
        problems=kept.problems,
    )
