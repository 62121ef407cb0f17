"""A simulated customer's end of the public HTTP API: start, say, rate, close.

Polite on 429 and 503: it waits as long as the server asks, within bounds. A stream that breaks is asked for
again under the same key, which gives the same turn. What goes wrong is counted in the tally.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from steward.improve.simulation.customers import Heard
from steward.improve.simulation.tally import Tally

ATTEMPTS = 6
LONGEST_WAIT_S = 30.0
ANSWER_WITHIN_S = 60.0
_POLITE = frozenset({429, 503})
_HEARD = (b"question", b"action", b"handover", b"done")
"""Events that a customer reacts to; the rest is counted by its arrival alone."""


class TurnedAway(Exception):
    """The server kept asking to come back later."""


class ServerFailed(Exception):
    """The server answered 5xx, broke the connection, or refused what it should take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A turn as the client saw it. Times in milliseconds, from sending to first words and to the end."""

    turn_id: str
    release: str
    arm: str
    heard: Heard
    first_words_ms: float | None
    total_ms: float


def new_client(url: str, key: str, *, connections: int) -> httpx.AsyncClient:
    """Return a client for a running server; the caller closes it."""
    return httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(ANSWER_WITHIN_S),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


class Talk:
    """One conversation over HTTP, marked as simulated."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally, conversation_id: str) -> None:
        self._client = client
        self._tally = tally
        self._path = f"/v1/conversations/{conversation_id}"
        self._said = 0

    @classmethod
    async def start(cls, client: httpx.AsyncClient, tally: Tally, *, reference: str) -> Talk:
        """Open a conversation.

        Raises:
            TurnedAway: the server asked to come back too often.
            ServerFailed: it failed.
        """
        body = {"channel": "web", "customer": reference, "simulated": True}
        answer = await _post(client, tally, "/v1/conversations", body)
        return cls(client, tally, answer.json()["id"])

    async def say(self, text: str) -> Answer:
        """Send a message and follow its turn to the end.

        Raises:
            TurnedAway: the server asked to come back too often.
            ServerFailed: it failed, or broke the stream each time.
        """
        self._said += 1
        body = {"text": text, "key": f"simulated-{self._said}"}
        for _ in range(ATTEMPTS):
            try:
                if (answer := await self._follow(body)) is not None:
                    return answer
            except httpx.TransportError as error:
                self._tally.fault(f"connection: {type(error).__name__}")
            await asyncio.sleep(0.2)
        raise ServerFailed

    async def rate(self, score: int) -> None:
        """Answer the survey."""
        await _post(self._client, self._tally, f"{self._path}/feedback", {"csat": score})

    async def thumb(self, turn_id: str, thumb: str) -> None:
        """Rate one answer."""
        body = {"turn_id": turn_id, "thumb": thumb}
        await _post(self._client, self._tally, f"{self._path}/feedback", body)

    async def close(self, *, resolved: bool | None) -> None:
        """End the conversation."""
        body = {} if resolved is None else {"resolved": resolved}
        await _post(self._client, self._tally, f"{self._path}/close", body)

    async def _follow(self, body: Mapping[str, Any]) -> Answer | None:
        """Return the turn, or None where the stream ended without its last event."""
        for _ in range(ATTEMPTS):
            begun = time.perf_counter()
            async with self._client.stream(
                "POST", f"{self._path}/messages", json=body, headers={"Accept": "text/event-stream"}
            ) as response:
                if response.status_code in _POLITE:
                    await response.aread()
                    wait_s = _wait_s(response)
                elif response.status_code != 200:
                    self._tally.refused(response.status_code, "messages")
                    raise ServerFailed
                else:
                    answer = await _read(response, begun)
                    if answer is None:
                        self._tally.fault("stream ended early")
                    return answer
            self._tally.deferred += 1
            await asyncio.sleep(wait_s)
        raise TurnedAway


async def _read(response: httpx.Response, begun: float) -> Answer | None:
    rest, first_words_ms, noted = b"", None, dict[str, Any]()
    async for chunk in response.aiter_raw():
        blocks = (rest + chunk).split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            name, _, data = block.removeprefix(b"event: ").partition(b"\n")
            if name == b"delta" and first_words_ms is None:
                first_words_ms = (time.perf_counter() - begun) * 1000
            if name in _HEARD:
                noted[name.decode()] = json.loads(data.removeprefix(b"data: "))
    done = noted.get("done")
    if done is None:
        return None
    total_ms = (time.perf_counter() - begun) * 1000
    question, action = noted.get("question"), noted.get("action", {})
    heard = Heard(
        outcome=done["outcome"],
        intent=done["intent"],
        asks=question is not None,
        slot=question["slot"] if question else None,
        workflow=action.get("workflow"),
        action=action.get("state"),
        waited_s=total_ms / 1000,
    )
    return Answer(done["turn_id"], done["release"], done["arm"], heard, first_words_ms, total_ms)


async def _post(
    client: httpx.AsyncClient, tally: Tally, path: str, body: Mapping[str, Any]
) -> httpx.Response:
    where = path.rsplit("/", 1)[-1]
    for _ in range(ATTEMPTS):
        try:
            response = await client.post(path, json=body)
        except httpx.TransportError as error:
            tally.fault(f"connection: {type(error).__name__}")
            await asyncio.sleep(0.2)
            continue
        if response.status_code in _POLITE:
            tally.deferred += 1
            await asyncio.sleep(_wait_s(response))
        elif response.status_code >= 300:
            tally.refused(response.status_code, where)
            raise ServerFailed
        else:
            return response
    raise TurnedAway


def _wait_s(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT_S, max(0.1, float(asked))) if asked.isdigit() else 1.0
