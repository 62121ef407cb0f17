"""How fast an evaluation asks: for models that take only so many requests a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Lets at most so many messages a minute through, evenly; shared by all conversations of a run."""

    def __init__(
        self,
        per_minute: int | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._every_s = 60.0 / per_minute if per_minute else 0.0
        self._now = now
        self._sleep = sleep
        self._next_at = 0.0

    async def wait(self) -> None:
        """Return when the next message may go."""
        if not self._every_s:
            return
        at = max(self._now(), self._next_at)
        self._next_at = at + self._every_s
        if (left := at - self._now()) > 0:
            await self._sleep(left)
