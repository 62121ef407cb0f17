"""Rate limits: exact fixed windows, one SQL statement each, shared by all processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access import queries
from steward.govern.access.errors import RateLimited
from steward.govern.privacy.master_key import MasterKey


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window. `retry_after_s` is how long until the next one begins."""

    allowed: bool
    remaining: int
    retry_after_s: int


class RateLimits:
    """Counts what a subject does. A subject (an address, a key, a login) is stored as a keyed digest only.

    A window opens with its first use. Two windows may touch, so within one window's length at most
    twice the limit passes.
    """

    def __init__(self, database: Database, clock: Clock, *, master_key: MasterKey) -> None:
        self._database = database
        self._clock = clock
        self._master_key = master_key

    async def take(self, subject: str, *, limit: int, window: timedelta, cost: int = 1) -> Allowance:
        """Use up `cost` of a subject's `limit` per `window` and tell what is left."""
        now = self._clock.now()
        parameters = {
            "subject": self._master_key.digest("rate", subject.encode(errors="replace")),
            "now": now,
            "since": now - window,
            "cost": cost,
            "most": limit + cost,
        }
        async with self._database.write() as session:
            row = await session.one(queries.TAKE, parameters)
        if row is None:
            raise AssertionError("an upsert returns its row")
        used, started_at = row
        wait_s = max(1, math.ceil((started_at + window - now).total_seconds()))
        return Allowance(used <= limit, max(0, limit - used), wait_s)

    async def enforce(self, subject: str, *, limit: int, window: timedelta, cost: int = 1) -> Allowance:
        """Do as `take` and refuse when nothing is left.

        Raises:
            RateLimited: with the seconds to wait.
        """
        allowance = await self.take(subject, limit=limit, window=window, cost=cost)
        if not allowance.allowed:
            raise RateLimited(allowance.retry_after_s)
        return allowance

    async def sweep(self, *, older_than: timedelta = timedelta(days=1)) -> int:
        """Delete windows that nobody has opened for long; return how many."""
        async with self._database.write() as session:
            return await session.execute(queries.SWEEP_WINDOWS, [self._clock.now() - older_than])
