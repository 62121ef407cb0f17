"""The bytes of an answer, read ahead: what has come by the time that somebody asks is taken at once.

A server sends a chunk per token, and dozens of them come in one packet. One by one they'd cost more than
what is done with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

MOST_WAITING = 1_048_576
"""Bytes that may wait to be taken before reading pauses."""


class Arrivals:
    """Reads a response's body in a task of its own; `close` ends that."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def take(self, *, until: float) -> bytes:
        """Return all bytes that have come and weren't taken yet, at least one; none at the body's end.

        Args:
            until: when to give up on what hasn't ended by then, on the event loop's clock.

        Raises:
            TimeoutError: nothing came in time, or it goes on beyond it.
            Exception: what reading raised, after the bytes before it.
        """
        if asyncio.get_running_loop().time() >= until and not self._reading.done():
            raise TimeoutError
        while not self._waiting:
            if self._reading.done():
                self._reading.result()
                return b""
            self._news.clear()
            async with asyncio.timeout_at(until):
                await self._news.wait()
        taken = b"".join(self._waiting)
        self._forget()
        return taken

    async def drain(self, *, within_s: float) -> None:
        """Wait for the body's end, which is mostly there; what still comes is dropped."""
        self._forget()
        if not self._reading.done():
            await asyncio.wait([self._reading], timeout=within_s)

    async def close(self) -> None:
        """Stop reading."""
        if not self._reading.done():
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if not self._reading.cancelled():
            self._reading.exception()  # whoever had to know of it has taken it

    def _forget(self) -> None:
        self._waiting.clear()
        self._size = 0
        self._room.set()

    async def _read(self) -> None:
        try:
            async for part in self._body:
                self._waiting.append(part)
                self._size += len(part)
                self._news.set()
                if self._size > MOST_WAITING:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._news.set()
