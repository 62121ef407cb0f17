"""A closed-loop HTTP client with little processor time of its own.

Each simulated client owns one kept connection and sends its next request when the last answer is whole.
Times are taken when bytes arrive, on the process's own clock: uvloop's counts whole milliseconds.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import httptools

WARM_SHARE = 0.15
"""Share of a block that is thrown away at its start, where all clients begin at once."""
ANSWERS_PER_CLIENT = 2
"""A block lasts until there are so many on average, so that a slow way isn't judged by a handful."""
_TAIL = 32
_TIMEOUT_S = 60.0


class Unanswered(Exception):
    """A connection broke, or an answer had the wrong status."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send, and what to send along."""

    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A POST. `first` is what the first token's bytes look like in a streamed answer."""

    path: str
    body: bytes
    accept: str = "application/json"
    first: re.Pattern[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; times in milliseconds since the request left."""

    status: int
    body: bytes
    first_ms: float
    total_ms: float
    ended_at: float


class Connection(asyncio.Protocol):
    """One kept connection that carries one request at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._clock = time.perf_counter
        self._answer: asyncio.Future[Reply] | None = None
        self._head = "".join(f"{name}: {value}\r\n" for name, value in address.headers)

    async def send(self, request: Request) -> Reply:
        """Send a request and wait for its whole answer.

        Raises:
            Unanswered: the connection broke or nothing came for a minute.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, self._address.host, self._address.port)
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._tail, self._first_at, self._first = b"", 0.0, request.first
        self._answer = loop.create_future()
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: {self._address.host}:{self._address.port}\r\n"
            f"Content-Type: application/json\r\nAccept: {request.accept}\r\n"
            f"Content-Length: {len(request.body)}\r\n{self._head}\r\n"
        )
        self._sent_at = self._clock()
        self._transport.write(head.encode() + request.body)
        try:
            return await asyncio.wait_for(self._answer, _TIMEOUT_S)
        except TimeoutError:
            raise Unanswered("no whole answer within a minute") from None

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unanswered("the connection broke"))

    def data_received(self, data: bytes) -> None:
        """Parse what arrives."""
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        """Collect the body and note when the first token is in it."""
        self._parts.append(part)
        if self._first is not None:
            seen = self._tail + part
            if self._first.search(seen):
                self._first_at, self._first = self._clock(), None
            self._tail = seen[-_TAIL:]

    def on_message_complete(self) -> None:
        """Hand over the answer."""
        now = self._clock()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(
                Reply(
                    status=self._parser.get_status_code(),
                    body=b"".join(self._parts),
                    first_ms=((self._first_at or now) - self._sent_at) * 1000,
                    total_ms=(now - self._sent_at) * 1000,
                    ended_at=now,
                )
            )


Conversation = Callable[[Connection, int], AsyncGenerator[Reply, None]]
"""What one client says without end: takes its connection and its number, yields the answers that count."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A block's answers that ended inside its window, which lasted `seconds`."""

    replies: Sequence[Reply]
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.replies) / self.seconds


async def run_block(
    address: Address, conversation: Conversation, *, clients: int, seconds: float
) -> Measured:
    """Let clients talk at once for a while, longer where they get few answers.

    Raises:
        Unanswered: an answer failed; a benchmark with failures measures something else.
    """
    begins_at = time.perf_counter() + seconds * WARM_SHARE
    ends_at = begins_at + seconds
    enough = clients * ANSWERS_PER_CLIENT
    replies: list[Reply] = []
    closed_at: float | None = None

    async def client(number: int) -> None:
        nonlocal closed_at
        connection = Connection(address)
        try:
            async with aclosing(conversation(connection, number)) as answers:
                async for reply in answers:
                    if closed_at is not None:
                        return
                    if reply.ended_at >= begins_at:
                        replies.append(reply)
                    if reply.ended_at >= ends_at and len(replies) >= enough:
                        closed_at = reply.ended_at
        finally:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    assert closed_at is not None
    return Measured(replies, closed_at - begins_at)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
