"""A turn in progress: what it has told so far, and those who follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from steward.serve.conversations.contracts import Done, Event

DRAIN_WITHIN_S = 1.0
"""How long a take-over waits for slow readers of what was said before it."""


class RunningTurn:
    """Events of one turn in their order; any number of followers, each from the start."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._finished = False
        self._news = asyncio.Event()
        self._places: dict[object, int] = {}
        self._read = asyncio.Event()
        self.done: Done | None = None

    def publish(self, event: Event) -> None:
        """Add an event and wake the followers."""
        self._events.append(event)
        if isinstance(event, Done):
            self.done = event
        self._wake()

    def finish(self) -> None:
        """Say that no event will follow."""
        self._finished = True
        self._wake()

    async def follow(self) -> AsyncIterator[Event]:
        """Yield all events from the first on, until the turn is finished."""
        me = object()
        self._places[me] = 0
        try:
            while True:
                news = self._news
                while self._places[me] < len(self._events):
                    yield self._events[self._places[me]]
                    self._places[me] += 1
                    self._read.set()
                if self._finished:
                    return
                await news.wait()
        finally:
            del self._places[me]
            self._read.set()

    async def drained(self) -> None:
        """Return once every follower has been given all that was published, or after a second."""
        try:
            async with asyncio.timeout(DRAIN_WITHIN_S):
                while any(place < len(self._events) for place in self._places.values()):
                    self._read.clear()
                    await self._read.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
