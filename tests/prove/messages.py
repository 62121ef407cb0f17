"""200 messages of every kind; what may become of each stands beside it in `messages.yaml`.

    python -m tests.prove.messages --url http://127.0.0.1:8080 --key KEY   asks a demo that runs

Each message has a conversation of its own. A fault of the server (5xx, a stack trace in its log) fails the
campaign, and so do more than ten messages with an unacceptable end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.prove.client import Client
from tests.prove.processes import steward_process
from tests.prove.results import Report

NAME = "messages"
LEAST_ACCEPTABLE = 190
AT_ONCE = 4
HISTORY = (
    "The first run, before anything was tuned: 167 of 200 acceptable, no 5xx, no stack trace.",
    "After it, faults that the messages showed were mended in general: typing mistakes, messages that "
    "lean on the one before, the aim of the search, evidence for what no intent claims, the guard's order "
    "and patterns, examples of two risks, the length of answers. One phrase of self-harm, “everything "
    "is hopeless”, was added because its message had failed (191 before). The later figure is one of "
    "messages that had been seen.",
    "40 more (messages_unseen.yaml), written after that and run once: 38 of 40 acceptable.",
)
MESSAGES = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, what comes before it, and what may become of it."""

    group: str
    text: str
    before: tuple[str, ...]
    outcomes: tuple[str, ...]
    intents: tuple[str, ...]
    cites: tuple[str, ...]
    says: tuple[str, ...]
    never_says: tuple[str, ...]

    @property
    def label(self) -> str:
        """The message as a line of a report."""
        return repr(self.text if len(self.text) <= 70 else f"{self.text[:60]}… ({len(self.text)} characters)")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message; `faults` is empty where that is acceptable."""

    message: Message
    status: int
    answer: Mapping[str, Any]
    faults: tuple[str, ...]


async def run(directory: Path, *, seed: int, rounds: int | None = None) -> Report:
    """Start a demo, send the messages in an order drawn from the seed, and report."""
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    steward = steward_process(
        ["up", "--demo", "--no-traffic"], directory, {"STEWARD_REQUESTS_PER_MINUTE": "100000"}
    )
    steward.start()
    try:
        await steward.ready()
        results = await ask_all(Client(steward.url, key_in(steward.log)), drawn(seed, rounds))
    finally:
        steward.stop()
    return report_of(results, steward.log.read_text(encoding="utf-8", errors="replace"), seed=seed)


@cache
def all_messages(path: Path = MESSAGES) -> tuple[Message, ...]:
    """Read the messages in the order of the file."""
    written = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    never = tuple(written["never"])
    return tuple(
        Message(
            group,
            _text_of(entry),
            tuple(entry.get("before", ())),
            tuple(entry["outcomes"]),
            tuple(entry.get("intents", ())),
            tuple(entry.get("cites", ())),
            tuple(entry.get("says", ())),
            (*never, *entry.get("never_says", ())),
        )
        for group, entries in written["groups"].items()
        for entry in entries
    )


def drawn(seed: int, count: int | None = None) -> list[Message]:
    """Return the messages, or some of them, in an order drawn from the seed."""
    messages = list(all_messages())
    random.Random(seed).shuffle(messages)
    return messages[:count]


async def ask_all(client: Client, messages: Sequence[Message]) -> list[Result]:
    """Send each message in a conversation of its own, a few at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, message: Message) -> Result:
        async with places:
            return await ask(client, message, key=f"m{number}")

    return list(await asyncio.gather(*(one(number, message) for number, message in enumerate(messages))))


async def ask(client: Client, message: Message, *, key: str) -> Result:
    """Send one message after those before it and judge what becomes of it."""
    conversation = await client.conversation()
    for number, text in enumerate(message.before):
        await client.ask(conversation, text, f"{key}-{number}")
    path = f"/v1/conversations/{conversation}/messages"
    answer = await client.call("POST", path, {"text": message.text, "key": key}, raw=True)
    told = answer.json() if answer.status == 200 else {}
    return Result(message, answer.status, told, tuple(faults_of(message, answer.status, told)))


def faults_of(message: Message, status: int, answer: Mapping[str, Any]) -> list[str]:
    """Say what isn't acceptable about an answer."""
    if status != 200:
        return [f"status {status}"]
    faults = []
    outcome, intent, said = answer["outcome"], answer["intent"], str(answer["text"]).lower()
    if outcome not in message.outcomes:
        faults.append(f"{outcome}, not {' or '.join(message.outcomes)}")
    if message.intents and intent not in message.intents:
        faults.append(f"intent {intent}, not {' or '.join(message.intents)}")
    cited = {citation["document"] for citation in answer["citations"]}
    if message.cites and outcome == "answered" and cited.isdisjoint(message.cites):
        faults.append(f"cites {', '.join(sorted(cited)) or 'nothing'}")
    if message.says and not any(words.lower() in said for words in message.says):
        faults.append(f"doesn't say {message.says[0]!r}")
    faults += [f"says {words!r}" for words in message.never_says if words.lower() in said]
    return faults


def key_in(log: Path) -> str:
    """Return the key that a started demo printed."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("key: ").strip() for line in reversed(lines) if line.startswith("key: "))


def report_of(results: Sequence[Result], log: str, *, seed: int) -> Report:
    """Write down how many were acceptable, by group, and which weren't."""
    bad = [result for result in results if result.faults]
    good = len(results) - len(bad)
    broken = sum(result.status >= 500 for result in results)
    traces = log.count("Traceback (most recent call last)")
    figures = [
        ("messages", str(len(results))),
        ("acceptable", f"{good} ({good / len(results):.1%}); at least {LEAST_ACCEPTABLE} of 200 wanted"),
        ("answers with status 5xx", str(broken)),
        ("stack traces in the log", str(traces)),
    ]
    groups = dict.fromkeys(message.group for message in all_messages())
    for group in groups:
        of_group = [result for result in results if result.message.group == group]
        right = sum(not result.faults for result in of_group)
        figures.append((group.replace("_", " "), f"{right} of {len(of_group)}"))
    problems = []
    if broken or traces:
        problems.append(f"{broken} answers with status 5xx and {traces} stack traces in the log")
    if good * 200 < LEAST_ACCEPTABLE * len(results):
        problems.append(f"only {good} of {len(results)} acceptable")
    missed = [f"Not acceptable: {line(result)}" for result in bad]
    return Report(
        name=NAME,
        title="200 varied messages",
        claim=(
            "Typos, other languages, nothing at all, 20 kB, emoji, HTML, SQL, injected instructions, risks "
            "and ordinary questions. What may become of each was written down before the first run, in "
            "tests/prove/messages.yaml."
        ),
        command=f"python -m tests.prove {NAME}",
        seed=seed,
        figures=figures,
        problems=problems,
        notes=[*HISTORY, *missed],
    )


def line(result: Result) -> str:
    """Return an unacceptable result as a line."""
    return f"{result.message.group}: {result.message.label} ({'; '.join(result.faults)})"


def _text_of(entry: Mapping[str, Any]) -> str:
    if "make" not in entry:
        return str(entry["text"])
    make = entry["make"]
    start = make.get("text", "")
    times = (make["length"] - len(start)) // len(make["unit"])
    return str(start + make["unit"] * times)


def main() -> int:
    """Ask a running demo and print every unacceptable answer, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--all", action="store_true", help="print the acceptable answers too")
    parser.add_argument("--file", type=Path, default=MESSAGES, help="other messages in the same form")
    given = parser.parse_args()
    results = asyncio.run(ask_all(Client(given.url, given.key), all_messages(given.file)))
    for result in results:
        if result.faults or given.all:
            mark = "BAD " if result.faults else "    "
            print(f"{mark}{line(result)}")
            cited = ", ".join(citation["document"] for citation in result.answer.get("citations", ()))
            print(
                f"        {result.answer.get('outcome')} {result.answer.get('intent')} "
                f"{result.answer.get('confidence')} [{cited}]\n        {result.answer.get('text', '')!r}"
            )
    good = sum(not result.faults for result in results)
    print(f"{good} of {len(results)} acceptable")
    return int(good < LEAST_ACCEPTABLE)


if __name__ == "__main__":
    sys.exit(main())
