"""Rate limits: exact fixed windows, one SQL statement each, shared by all processes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
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
        return await self._take({subject: limit}, window, cost)

    async def enforce(self, subject: str, *, limit: int, window: timedelta, cost: int = 1) -> Allowance:
        """Do as `take` and refuse when nothing is left.

        Raises:
            RateLimited: with the seconds to wait.
        """
        return await self.enforce_all({subject: limit}, window=window, cost=cost)

    async def enforce_all(self, limits: Mapping[str, int], *, window: timedelta, cost: int = 1) -> Allowance:
        """Do as `enforce` for several subjects with their limits, in one statement.

        Returns:
            The allowance of the subject that has least left.

        Raises:
            RateLimited: one of them has nothing left.
        """
        allowance = await self._take(limits, window, cost)
        if not allowance.allowed:
            raise RateLimited(allowance.retry_after_s)
        return allowance

    async def left(self, subject: str, *, limit: int, window: timedelta) -> Allowance:
        """Tell what is left of a subject's limit without using any."""
        now = self._clock.now()
        async with self._database.read() as session:
            row = await session.one(queries.PEEK, [self._digest(subject)])
        if row is None or row[1] <= now - window:
            return Allowance(True, limit, 1)
        return Allowance(row[0] < limit, max(0, limit - row[0]), _wait_s(row[1] + window - now))

    async def forget(self, subject: str) -> None:
        """Begin a subject's window afresh."""
        async with self._database.write() as session:
            await self.forget_in(session, subject)

    async def forget_in(self, session: WriteSession, subject: str) -> None:
        """Do as `forget` in the caller's transaction."""
        await session.execute(queries.FORGET, [self._digest(subject)])

    async def take_in(
        self, session: WriteSession, limits: Mapping[str, int], *, window: timedelta, cost: int = 1
    ) -> Mapping[str, Allowance]:
        """Do as `take` for several subjects in the caller's transaction, and tell what each has left."""
        now = self._clock.now()
        by_digest = {self._digest(subject): subject for subject in limits}
        parameters = {
            "subjects": sorted(by_digest),
            "now": now,
            "since": now - window,
            "cost": cost,
            "most": max(limits.values()) + cost,
        }
        found = {}
        for digest, used, started_at in await session.all(queries.TAKE, parameters):
            subject = by_digest[bytes(digest)]
            left, wait_s = limits[subject] - used, _wait_s(started_at + window - now)
            found[subject] = Allowance(left >= 0, max(0, left), wait_s)
        return found

    async def _take(self, limits: Mapping[str, int], window: timedelta, cost: int) -> Allowance:
        async with self._database.write() as session:
            found = await self.take_in(session, limits, window=window, cost=cost)
        return min(found.values(), key=lambda one: (one.allowed, one.remaining))

    def _digest(self, subject: str) -> bytes:
        return self._master_key.digest("rate", subject.encode(errors="replace"))

    async def sweep(self, *, older_than: timedelta = timedelta(days=1)) -> int:
        """Delete windows that nobody has opened for long; return how many."""
        async with self._database.write() as session:
            return await session.execute(queries.SWEEP_WINDOWS, [self._clock.now() - older_than])


def _wait_s(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
