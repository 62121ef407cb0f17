"""Tell whether a Steward process is still alive, by a lock that PostgreSQL drops with its connection.

Each process holds an advisory lock on a number of its own. What a process leaves unfinished (a
turn, an action) bears that number; whoever finds it asks whether the lock is still held.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import suppress

import psycopg
import structlog

from steward.base.db.contracts import ReadSession
from steward.base.db.errors import translated
from steward.base.db.pool import SLOWEST_RETRY_S, PatientConnection

RETRY_S = 0.1
# A process whose machine vanished is seen as gone after about 5 + 3 x 2 seconds, on both ends.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
SERVER_KEEPALIVE = (
    "select set_config('tcp_keepalives_idle', '5', false), "
    "set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false)"
)
_log = structlog.get_logger(__name__)


class Presence:
    """This process's sign of life; build it with `await Presence.open(url)`."""

    def __init__(self, url: str, instance: int) -> None:
        self.instance = instance
        """The number of this process: random, positive, below 2**63."""
        self._url = url
        self._held = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: PatientConnection | None = None

    @classmethod
    async def open(cls, url: str) -> Presence:
        """Take the lock, and keep it: after a lost connection it is taken again.

        Raises:
            OperationalError: the database can't be reached.
        """
        presence = cls(url, secrets.randbits(62) + 1)
        with translated():
            await presence._take()
        presence._task = asyncio.create_task(presence._keep(), name="steward-presence")
        return presence

    @property
    def is_held(self) -> bool:
        """Whether the lock is held now; while it isn't, others take this process for dead."""
        return self._held.is_set()

    async def wait_until_held(self) -> None:
        """Return once the lock is held."""
        await self._held.wait()

    async def close(self) -> None:
        """Give the lock back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        # A task that is cancelled before its first step never closes what it was to keep.
        if self._connection is not None:
            await self._connection.close()

    async def _take(self) -> None:
        connection = await PatientConnection.connect(
            self._url, autocommit=True, application_name="steward presence", **KEEPALIVE
        )
        try:
            await connection.execute(SERVER_KEEPALIVE)
            await connection.execute("select pg_advisory_lock(%s::int8)", (self.instance,))
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._held.set()

    async def _keep(self) -> None:
        pause_s = RETRY_S
        while True:
            assert self._connection is not None
            try:
                async with self._connection as connection:
                    # Nothing is ever heard: this ends when the connection does.
                    async for _ in connection.notifies():
                        pass
            except psycopg.OperationalError:
                _log.warning("presence_lost")
            finally:
                self._held.clear()
            while not self._held.is_set():
                try:
                    await self._take()
                    pause_s = RETRY_S
                except psycopg.OperationalError:
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, SLOWEST_RETRY_S)


async def is_alive(session: ReadSession, instance: int) -> bool:
    """Return whether the process with this number holds its lock."""
    return instance in await alive_among(session, (instance,))


async def alive_among(session: ReadSession, instances: Iterable[int]) -> frozenset[int]:
    """Return those of some numbers whose processes hold their locks."""
    # Shared, so that two who ask at once don't take each other for the holder.
    rows = await session.all(
        "select i from unnest(%s::int8[]) i where not pg_try_advisory_xact_lock_shared(i)", (list(instances),)
    )
    return frozenset(row[0] for row in rows)
