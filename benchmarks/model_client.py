"""What reading a streamed answer costs, by client: `python -m benchmarks.model_client`.

Four clients read the same answer from the same zero-delay model, in turns: httpx2 alone (the floor of its
transport), Steward's own client, the same inside its chain of retries and fallback, and the provider's
`openai` package. Processor time is this process's; it holds on a busy machine, wall time doesn't.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2

from benchmarks import systems
from benchmarks.machine import describe
from steward.supply.models.contracts import ChatMessage, ChatModel, ChatRequest, Role, TextPiece
from steward.supply.models.openai_compatible import ModelSpec, OpenAICompatibleModel
from steward.supply.models.resilience import ModelChain

WORDS = 39
"""Words of the answer: with the role, the end, the usage and [DONE] 43 events, 42 of them JSON."""
CHUNKS = WORDS + 3
MODEL = "gpt-4.1-mini"
SENTENCE = " ".join(["Word"] + ["word"] * (WORDS - 2) + ["word."])
PROMPT = (
    "Rules: write one sentence.\n\n<passages>\n"
    f'<passage id="1" title="Words">\n{SENTENCE}\n</passage>\n</passages>\n'
)
QUESTION = "<customer>Which word is it?</customer>"

Ask = Callable[[], Awaitable[int]]
"""Reads one answer and returns its length in characters."""


class NoSecrets:
    """Knows none; the simulated model asks for none."""

    def find(self, name: str) -> str | None:
        """Return None."""
        return None


async def clients(url: str, stack: AsyncExitStack) -> dict[str, Ask]:
    """Build each client once, as a server would, and return how it asks."""
    import openai

    plain = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
    own = OpenAICompatibleModel(ModelSpec(name="main", model=MODEL, url=url), NoSecrets())
    stack.push_async_callback(own.aclose)
    chain = ModelChain([own])
    theirs = await stack.enter_async_context(openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0))
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": QUESTION}]
    request = ChatRequest((ChatMessage(Role.SYSTEM, PROMPT), ChatMessage(Role.USER, QUESTION)))
    body = {"model": MODEL, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}

    async def by_httpx2() -> int:
        length = 0
        async with plain.stream("POST", f"{url}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        length += len(choice["delta"].get("content") or "")
        return length

    async def by_own(model: ChatModel | ModelChain) -> int:
        length = 0
        async for piece in model.stream(request):
            if isinstance(piece, TextPiece):
                length += len(piece.text)
        return length

    async def by_openai() -> int:
        length = 0
        stream: Any = await theirs.chat.completions.create(**body)  # type: ignore[call-overload]
        async for chunk in stream:
            for choice in chunk.choices:
                length += len(choice.delta.content or "")
        return length

    return {
        "httpx2 alone": by_httpx2,
        "own client": lambda: by_own(own),
        "own client in its chain": lambda: by_own(chain),
        "openai package": by_openai,
    }


async def measure(url: str, *, rounds: int, answers: int) -> dict[str, dict[str, float]]:
    """Let each client read so many answers in each round; return medians per answer and per chunk."""
    walls: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        asking = await clients(url, stack)
        for turn in range(rounds + 1):
            for name, ask in asking.items():
                began = time.process_time()
                times = []
                for _ in range(answers):
                    at = time.perf_counter()
                    length = await ask()
                    times.append((time.perf_counter() - at) * 1000)
                    assert length == len(SENTENCE), f"{name} read {length} characters"
                if turn:  # the first round warms up
                    walls.setdefault(name, []).extend(times)
                    processor.setdefault(name, []).append((time.process_time() - began) * 1000 / answers)
    return {
        name: {
            "p50_ms": round(statistics.median(walls[name]), 2),
            "p95_ms": round(sorted(walls[name])[int(0.95 * len(walls[name]))], 2),
            "cpu_ms": round(statistics.median(processor[name]), 2),
            "cpu_ms_per_chunk": round(statistics.median(processor[name]) / CHUNKS, 3),
        }
        for name in walls
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What reading a streamed answer costs, by client.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--answers", type=int, default=60, help="answers per client and round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, systems.model(Path(directory)) as model:
        url = f"http://127.0.0.1:{model.port}/v1"
        work = measure(url, rounds=arguments.rounds, answers=arguments.answers)
        try:
            import uvloop
        except ImportError:
            found = asyncio.run(work)
        else:
            found = uvloop.run(work)
    machine = describe()
    report = {"machine": machine, "chunks": CHUNKS, "clients": found}
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    print(f"One streamed answer of {CHUNKS} chunks; load {machine['load']}")
    print(f"{'client':26}{'p50':>8}{'p95':>8}{'CPU':>8}{'CPU a chunk':>13}  (ms)")
    for name, row in found.items():
        print(
            f"{name:26}{row['p50_ms']:>8.2f}{row['p95_ms']:>8.2f}{row['cpu_ms']:>8.2f}"
            f"{row['cpu_ms_per_chunk']:>13.3f}"
        )


if __name__ == "__main__":
    main()
