"""A customer on the HTTP API: conversations, streams of events, and what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2 as httpx


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a stream."""

    name: str
    data: dict[str, Any]


class Talk:
    """One conversation, over JSON or as streams."""

    def __init__(self, client: httpx.Client, **started: Any) -> None:
        answer = client.post("/v1/conversations", json={"channel": "web", **started})
        assert answer.status_code == 201, answer.text
        self.client = client
        self.started: dict[str, Any] = answer.json()
        self.path = f"/v1/conversations/{self.started['id']}"

    def say(self, text: str, *, key: str | None = None) -> dict[str, Any]:
        """Say something and return the whole answer."""
        answer = self.client.post(
            f"{self.path}/messages",
            json={"text": text, "key": key or uuid4().hex},
            headers={"Accept": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def stream(self, text: str, *, key: str | None = None) -> list[Happening]:
        """Say something and return the events of its turn."""
        with self.client.stream(
            "POST",
            f"{self.path}/messages",
            json={"text": text, "key": key or uuid4().hex},
            headers={"Accept": "text/event-stream"},
        ) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            return list(happenings(answer))

    def messages(self) -> list[dict[str, Any]]:
        """Return what was said so far."""
        read: list[dict[str, Any]] = self.client.get(f"{self.path}/messages").json()["messages"]
        return read


def happenings(answer: httpx.Response) -> Iterator[Happening]:
    """Yield the events of a stream as they arrive."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield Happening(name, json.loads(line.removeprefix("data: ")))
