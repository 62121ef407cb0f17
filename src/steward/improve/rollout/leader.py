"""One leader among many processes, by a lock that PostgreSQL drops with its holder's connection.

A process that ends, however it ends, and a database that restarts both free the lock; the next to ask
takes it. One that stands still loses it after some seconds. A leader that has lost its connection stops at
once and asks again. Two that believe to lead for a moment do no harm: every decision is made under the
lock of the rollout's row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import psycopg
import structlog

from steward.base.db.pool import SLOWEST_RETRY_S, PatientConnection
from steward.base.db.presence import KEEPALIVE, RETRY_S, SERVER_KEEPALIVE

ASK_EVERY_S: Final = 0.25
"""How often others ask for the lock. Waiting inside the database would keep it from cleaning up."""
BEAT_S: Final = 1.0
"""How often the leader shows that it moves."""
STILL_MS: Final = 5000
"""After so long without a sign the database ends the connection of a process that stands still."""
_ENDS_WHEN_STILL = f"select set_config('idle_session_timeout', '{STILL_MS}', false)"
_TAKE = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
log = structlog.get_logger(__name__)


class Leadership:
    """The wish to lead something, by name."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._leads = False

    @property
    def leads(self) -> bool:
        """Whether this process leads now."""
        return self._leads

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some endless work whenever this process leads; runs until it's cancelled."""
        pause_s = RETRY_S
        while True:
            try:
                async with await self._connect() as connection:
                    pause_s = RETRY_S
                    while True:
                        if await self._take(connection):
                            break
                        await asyncio.sleep(ASK_EVERY_S)
                    await self._while_held(connection, work)
            except psycopg.OperationalError as error:
                log.warning("leadership_lost", name=self._name, sentence=str(error).splitlines()[0])
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, SLOWEST_RETRY_S)

    async def _connect(self) -> PatientConnection:
        connection = await PatientConnection.connect(
            self._url, autocommit=True, application_name=f"steward {self._name}", **KEEPALIVE
        )
        try:
            await connection.execute(SERVER_KEEPALIVE)
            await connection.execute(_ENDS_WHEN_STILL)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _take(self, connection: PatientConnection) -> bool:
        row = await (await connection.execute(_TAKE, (self._name,))).fetchone()
        return bool(row and row[0])

    async def _while_held(self, connection: PatientConnection, work: Callable[[], Awaitable[None]]) -> None:
        self._leads = True
        log.info("leads", name=self._name)
        watching = asyncio.ensure_future(_until_lost(connection))
        working = asyncio.ensure_future(work())
        try:
            await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leads = False
            for task in (working, watching):
                task.cancel()
                with suppress(asyncio.CancelledError, psycopg.OperationalError):
                    await task


async def _until_lost(connection: PatientConnection) -> None:
    # Nothing is ever heard: a round of this ends with its time, or with the connection.
    while True:
        async for _ in connection.notifies(timeout=BEAT_S):
            pass
        await connection.execute("select 1")
