"""Simulated traffic against a server that is polite, busy, broken or cut off, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import pytest

from steward.improve.simulation.pace import Pace
from steward.improve.simulation.personas import Habits, Population
from steward.improve.simulation.serving import Receive, Scope, Send, drop_connection, serve_beside
from steward.improve.simulation.surveys import SurveyModel
from steward.improve.simulation.talking import new_client
from steward.improve.simulation.tally import Tally
from steward.improve.simulation.traffic import Load, Traffic
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder

DONE = {"turn_id": "01", "outcome": "answered", "release": "r", "arm": "baseline", "intent": None}
FAST = Pace(500.0)


class Assistant:
    """Answers every message alike; what a test wants goes wrong first."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = list(wrong)
        self.starts: list[dict[str, Any]] = []
        self.said: list[tuple[str, str]] = []
        self.scores: list[int] = []
        self.closed: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the public API."""
        body = json.loads((await receive())["body"])
        path: str = scope["path"]
        if path == "/v1/conversations":
            self.starts.append(body)
            await self._json(send, 201, {"id": f"c{len(self.starts)}"})
        elif path.endswith("/messages"):
            await self._turn(scope, receive, send, body)
        else:
            if path.endswith("/feedback") and "csat" in body:
                self.scores.append(body["csat"])
            elif path.endswith("/close"):
                self.closed.append(body)
            await self._json(send, 204, None)

    async def _turn(self, scope: Scope, receive: Receive, send: Send, body: dict[str, Any]) -> None:
        self.said.append((body["text"], body["key"]))
        wrong = self.wrong.pop(0) if self.wrong else ""
        if wrong.isdigit():
            await self._json(send, int(wrong), {"title": "no"}, (b"retry-after", b"0"))
            return
        if wrong == "dropped":
            await drop_connection(scope, receive)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )
        events = [("status", {"stage": "understand"}), ("delta", {"text": "Two\nlines."}), ("done", DONE)]
        for name, data in events[:2] if wrong == "cut" else events:
            text = f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
            await send({"type": "http.response.body", "body": text[:9], "more_body": True})
            await send({"type": "http.response.body", "body": text[9:], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _json(self, send: Send, status: int, body: object, *more: tuple[bytes, bytes]) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(more)})
        content = b"" if body is None else json.dumps(body).encode()
        await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def sample() -> Folder:
    """The sample as it is installed."""
    with as_file(files("steward.supply.assistant") / "templates" / "northline") as folder:
        return read_folder(folder)


@contextmanager
def served(assistant: Assistant) -> Iterator[str]:
    """Serve an assistant on a free port."""
    with serve_beside(assistant) as url:
        yield url


async def traffic(url: str, folder: Folder, *, conversations: int, habits: Habits | None = None) -> Tally:
    """Drive some conversations of which each is rated."""
    population = Population(folder, seed=1, habits=habits or Habits(vanishes=0, wants_agent=0))
    async with new_client(url, "key", connections=10) as client:
        run = Traffic(client, population, survey=SurveyModel(answer_share=1.0))
        return await run.run(Load(FAST, conversations=conversations, at_once=10))


class TestTraffic:
    async def test_marks_talks_rates_and_closes(self, sample: Folder) -> None:
        assistant = Assistant()
        with served(assistant) as url:
            tally = await traffic(url, sample, conversations=20)

        assert len(assistant.starts) == 20
        assert all(start["simulated"] is True for start in assistant.starts)
        assert len(assistant.closed) == 20
        assert sorted(assistant.scores) == sorted(tally.scores)
        assert tally.finished == 20
        assert tally.outcomes["answered"] == len(assistant.said) >= 20
        assert len(tally.first_words_ms) == len(assistant.said)
        assert not tally.server_failed

    async def test_says_the_same_for_the_same_seed(self, sample: Folder) -> None:
        said = []
        for _ in range(2):
            assistant = Assistant()
            with served(assistant) as url:
                await traffic(url, sample, conversations=15)
            said.append(sorted(assistant.said))

        assert said[0] == said[1]

    @pytest.mark.parametrize("status", ["429", "503"])
    async def test_comes_back_when_asked_to(self, sample: Folder, status: str) -> None:
        assistant = Assistant(status, status)
        with served(assistant) as url:
            tally = await traffic(url, sample, conversations=1, habits=Habits(follow_ups=0, wants_agent=0))

        assert tally.deferred == 2
        assert tally.finished == 1
        assert not tally.server_failed

    async def test_leaves_when_always_asked_to_come_back(self, sample: Folder) -> None:
        with served(Assistant(*["429"] * 50)) as url:
            tally = await traffic(url, sample, conversations=1)

        assert tally.turned_away == 1
        assert tally.finished == 0
        assert not tally.server_failed

    @pytest.mark.parametrize("wrong", ["dropped", "cut"])
    async def test_asks_again_under_the_same_key_when_the_stream_breaks(
        self, sample: Folder, wrong: str
    ) -> None:
        assistant = Assistant(wrong)
        with served(assistant) as url:
            tally = await traffic(url, sample, conversations=1, habits=Habits(follow_ups=0, wants_agent=0))

        assert tally.server_failed
        assert tally.finished == 1
        assert assistant.said[0] == assistant.said[1]

    async def test_counts_what_the_server_fails(self, sample: Folder) -> None:
        with served(Assistant("500", "422")) as url:
            tally = await traffic(url, sample, conversations=3)

        assert dict(tally.faults) == {"500 on messages": 1}
        assert dict(tally.refusals) == {"422 on messages": 1}
        assert tally.endings["failed"] == 2
        assert tally.finished == 1


class TestSummary:
    async def test_says_that_it_is_simulated(self, sample: Folder) -> None:
        with served(Assistant()) as url:
            tally = await traffic(url, sample, conversations=5)

        summary = tally.summary(seconds=2.0, seed=1).as_json()

        assert summary["simulated"] is True
        assert summary["conversations"] == 5
        assert summary["conversations_per_second"] == 2.5
        assert summary["csat_answers"] == 5
        assert summary["escalation_rate"] == 0.0
