"""A customer's and a human agent's client: plain HTTP/1.1, each piece stamped as it arrives.

Whether a sentence came before or after an answer on another connection can't be told by the order
in which coroutines wake. So every read is stamped with the number of the event loop's round in which
the bytes arrived: what lay in the machine's buffers earlier never gets a later number.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ANSWER_WITHIN_S = 120.0


class Broken(Exception):
    """The connection ended before the answer did."""


class Rounds:
    """Numbers the event loop's rounds in which something arrived."""

    def __init__(self) -> None:
        self.number = 0
        self._counting = False

    def stamp(self) -> int:
        """Return this round's number."""
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._next)
        return self.number

    def _next(self) -> None:
        self._counting = False
        self.number += 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes, the round and the time (seconds, the loop's clock) of their arrival."""

    data: bytes
    round: int
    at: float


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers, and the piece that completed them."""

    status: int
    headers: Mapping[str, str]
    piece: Piece


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    data: Mapping[str, Any]
    round: int
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    round: int
    at: float

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class _Line(asyncio.Protocol):
    """One connection that carries one exchange."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self.pieces: asyncio.Queue[Piece | None] = asyncio.Queue()

    def data_received(self, data: bytes) -> None:
        self.pieces.put_nowait(Piece(data, self._rounds.stamp(), asyncio.get_running_loop().time()))

    def connection_lost(self, exc: Exception | None) -> None:
        self.pieces.put_nowait(None)


@dataclass(slots=True)
class Client:
    """Talks to one Steward; `rounds` is shared by clients whose stamps are compared."""

    url: str
    key: str = ""
    rounds: Rounds = field(default_factory=Rounds)
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: object = None, *, form: str | None = None, raw: bool = False
    ) -> Answer:
        """Make one call and return its whole answer.

        Raises:
            Broken: the connection ended first.
        """
        async with asyncio.timeout(ANSWER_WITHIN_S):
            head: Head | None = None
            content, last = b"", Piece(b"", 0, 0.0)
            async for item in self._exchange(method, path, body, form=form, accept="application/json"):
                if isinstance(item, Piece):
                    content, last = content + item.data, item
                else:
                    head, last = item, item.piece
        if head is None:
            raise Broken
        answer = Answer(head.status, head.headers, content, last.round, last.at)
        if not raw and answer.status >= 400:
            raise AssertionError(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return answer

    async def stream(self, path: str, body: object) -> AsyncIterator[Event]:
        """Post and yield the events as they arrive.

        Raises:
            Broken: the stream ended without `done`.
        """
        buffer, ended = b"", False
        async with asyncio.timeout(ANSWER_WITHIN_S):
            async for item in self._exchange("POST", path, body, accept="text/event-stream"):
                if not isinstance(item, Piece):
                    if item.status != 200:
                        raise AssertionError(f"POST {path} answered {item.status}")
                    continue
                buffer += item.data
                while (end := buffer.find(b"\n\n")) >= 0:
                    frame, buffer = buffer[:end].decode(), buffer[end + 2 :]
                    fields = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
                    if "event" in fields:
                        ended = fields["event"] == "done"
                        yield Event(fields["event"], json.loads(fields["data"]), item.round, item.at)
        if not ended:
            raise Broken

    async def conversation(self, **about: Any) -> str:
        """Start a conversation and return its id."""
        answer = await self.call("POST", "/v1/conversations", {"channel": "web", **about})
        return str(answer.json()["id"])

    def say(self, conversation: str, text: str, key: str) -> AsyncIterator[Event]:
        """Send a message and yield its events."""
        return self.stream(f"/v1/conversations/{conversation}/messages", {"text": text, "key": key})

    async def ask(self, conversation: str, text: str, key: str) -> Mapping[str, Any]:
        """Send a message and return the `done` object with the whole `text`."""
        path = f"/v1/conversations/{conversation}/messages"
        done: Mapping[str, Any] = (await self.call("POST", path, {"text": text, "key": key})).json()
        return done

    async def messages(self, conversation: str) -> list[Mapping[str, Any]]:
        """Return what was said."""
        answer = await self.call("GET", f"/v1/conversations/{conversation}/messages")
        listed: list[Mapping[str, Any]] = answer.json()["messages"]
        return listed

    async def sign_in(self, login: str, password: str) -> None:
        """Become a member of staff: a console session instead of a key."""
        opened = await self.call(
            "POST", "/console/login", form=f"login={login}&password={password}", raw=True
        )
        cookie = opened.headers["set-cookie"].split(";")[0]
        self.key, self.headers = "", {"cookie": cookie}
        page = (await self.call("GET", "/console")).body.decode()
        token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
        self.headers["x-csrf-token"] = token

    async def _exchange(
        self, method: str, path: str, body: object, *, accept: str, form: str | None = None
    ) -> AsyncIterator[Piece | Head]:
        """Yield status and headers, then the body's pieces with the transfer coding taken off."""
        target = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_connection(
            lambda: _Line(self.rounds), target.hostname or "", target.port or 80
        )
        try:
            transport.write(self._request(method, path, body, form, accept, target.netloc))
            async for item in _read(line):
                yield item
        finally:
            transport.abort()

    def _request(
        self, method: str, path: str, body: object, form: str | None, accept: str, host: str
    ) -> bytes:
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        content = b"" if body is None and form is None else (form or json.dumps(body)).encode()
        headers = {"host": host, "accept": accept, "connection": "close", **self.headers}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        if content or method == "POST":
            headers |= {"content-type": kind, "content-length": str(len(content))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content


async def _read(line: _Line) -> AsyncIterator[Piece | Head]:
    """Read one HTTP/1.1 answer (RFC 9112): by chunks, by its length, or to the connection's end."""
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        piece = await line.pieces.get()
        if piece is None:
            raise Broken
        buffer += piece.data
        last = piece
    head, buffer = buffer.split(b"\r\n\r\n", 1)
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in rest)}
    yield Head(int(first.split(" ")[1]), headers, last)
    if "chunked" in headers.get("transfer-encoding", ""):
        async for whole in _chunks(line, buffer, last):
            yield whole
        return
    left = int(headers.get("content-length", 0))
    while True:
        if buffer:
            yield Piece(buffer[:left], last.round, last.at)
            left -= len(buffer)
        if left <= 0:
            return
        piece = await line.pieces.get()
        if piece is None:
            raise Broken
        last, buffer = piece, piece.data


async def _chunks(line: _Line, buffer: bytes, last: Piece) -> AsyncIterator[Piece]:
    for _ in itertools.count():
        size_end = buffer.find(b"\r\n")
        size = int(buffer[:size_end], 16) if size_end > 0 else -1
        if size == 0:
            return
        if size > 0 and len(buffer) >= size_end + 2 + size + 2:
            yield Piece(buffer[size_end + 2 : size_end + 2 + size], last.round, last.at)
            buffer = buffer[size_end + 2 + size + 2 :]
            continue
        piece = await line.pieces.get()
        if piece is None:
            raise Broken
        last, buffer = piece, buffer + piece.data
