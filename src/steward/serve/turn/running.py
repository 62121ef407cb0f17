"""A turn in progress: what it has told so far, and those who follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from steward.serve.conversations.contracts import Done, Event

DRAIN_WITHIN_S = 1.0
"""How long a take-over waits for slow readers of what was said before it."""
STEPS_TO_THE_SOCKET = 50
"""Rounds of the event loop that an event takes at most from a follower to its connection."""

_CURRENT: ContextVar[RunningTurn | None] = ContextVar("running_turn", default=None)


class RunningTurn:
    """Events of one turn in their order; any number of followers, each from the start."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._finished = False
        self._news = asyncio.Event()
        self._places: dict[object, int] = {}
        self._read = asyncio.Event()
        self._speaking = 0
        self.done: Done | None = None

    def enter(self) -> None:
        """Make this the running turn of the task that calls; whoever speaks in it finds it."""
        _CURRENT.set(self)

    def publish(self, event: Event) -> None:
        """Add an event and wake the followers."""
        self._events.append(event)
        if isinstance(event, Done):
            self.done = event
        self._wake()

    @property
    def is_over(self) -> bool:
        """Whether no event will follow."""
        return self._finished

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
        """Return once all that was committed has been published and sent, or after a second."""
        try:
            async with asyncio.timeout(DRAIN_WITHIN_S):
                while self._speaking or any(place < len(self._events) for place in self._places.values()):
                    self._read.clear()
                    await self._read.wait()
        except TimeoutError:
            return
        for _ in range(STEPS_TO_THE_SOCKET):
            await asyncio.sleep(0)

    @contextmanager
    def _between_commit_and_publishing(self) -> Iterator[None]:
        self._speaking += 1
        try:
            yield
        finally:
            # Who waits wakes up in a later round of the loop, when the words have been published.
            self._speaking -= 1
            self._read.set()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


@contextmanager
def speaking() -> Iterator[None]:
    """Mark that the running turn of this task is committing words, which it then publishes at once."""
    running = _CURRENT.get()
    if running is None:
        yield
        return
    with running._between_commit_and_publishing():
        yield
