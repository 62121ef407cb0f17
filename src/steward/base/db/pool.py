"""The application's database: a pool of psycopg connections behind `contracts.Database`.

Connections are in autocommit; a write session opens one transaction. A dead connection is found
without a round trip (its socket has something to read) and replaced, so a restarted server costs
its callers a wait and no error, as long as it is back within `wait_s`. Where a connection is lost
while it commits, nobody knows whether the transaction was written: callers write under a key of
their own, and ask.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
import structlog
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from steward.base.db.contracts import Parameters, ReadSession, Row, WriteSession
from steward.base.db.errors import translated
from steward.base.db.urls import require_url, require_version
from steward.base.db.vectors import register_dumpers, register_loaders, vector_types

CONNECT_TRIES_S = 5.0
CONNECT_PAUSE_S = 0.1
CONNECT_TIMEOUT_S = 5
PREPARE_AFTER = 3
STREAM_ROWS = 500
SLOWEST_RETRY_S = 5.0
_log = structlog.get_logger(__name__)


class PatientConnection(AsyncConnection[Row]):
    """A connection that waits out a short absence of the server while it is being made."""

    @classmethod
    async def connect(cls, conninfo: str = "", **settings: Any) -> Self:
        """Connect, trying again for up to five seconds where the server isn't there yet."""
        until = time.monotonic() + CONNECT_TRIES_S
        while True:
            try:
                return await super().connect(conninfo, **settings)
            except psycopg.OperationalError as error:
                if time.monotonic() > until or not _may_pass(error):
                    raise
            await asyncio.sleep(CONNECT_PAUSE_S)


def _may_pass(error: psycopg.OperationalError) -> bool:
    text = str(error)
    return any(
        sign in text
        for sign in (
            "Connection refused",
            "No such file",
            "starting up",
            "shutting down",
            "closed the connection",
        )
    )


class Session:
    """Statements on one borrowed connection: both kinds of session."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection

    async def all(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """Return every row."""
        cursor = await self._connection.execute(_text(sql), parameters)
        return await cursor.fetchall()

    async def one(self, sql: str, parameters: Parameters = None) -> Row | None:
        """Return the first row, or None."""
        cursor = await self._connection.execute(_text(sql), parameters)
        return await cursor.fetchone()

    async def stream(self, sql: str, parameters: Parameters = None) -> AsyncIterator[Row]:
        """Yield rows as they come, through a server-side cursor."""
        async with (
            self._connection.transaction(),
            self._connection.cursor(name="steward_stream") as cursor,
        ):
            cursor.itersize = STREAM_ROWS
            await cursor.execute(_text(sql), parameters)
            async for row in cursor:
                yield row

    async def execute(self, sql: str, parameters: Parameters = None) -> int:
        """Run a statement and return the number of rows it touched."""
        cursor = await self._connection.execute(_text(sql), parameters)
        return cursor.rowcount

    async def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run a statement once per row, pipelined."""
        async with self._connection.cursor() as cursor:
            await cursor.executemany(_text(sql), [row or () for row in rows])

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Bulk-load rows by COPY."""
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        async with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notification that listeners get if and when this transaction commits."""
        await self._connection.execute("select pg_notify(%s, %s)", (channel, payload))


def _text(statement: str) -> bytes:
    # psycopg asks for literal text to keep values out of SQL; here SQL is constant by house rule.
    return statement.encode()


class PooledDatabase:
    """`contracts.Database` over one pool; build it with `await PooledDatabase.open(url)`."""

    def __init__(self, url: str, pool: AsyncConnectionPool[PatientConnection], wait_s: float) -> None:
        self._url = url
        self._pool = pool
        self._wait_s = wait_s
        self._listeners: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, url: str, *, min_size: int = 2, max_size: int = 10, wait_s: float = 10.0, name: str = "steward"
    ) -> PooledDatabase:
        """Open the pool and wait for the first connection.

        Args:
            url: the application role's URL.
            min_size: connections kept open.
            max_size: connections at most.
            wait_s: seconds that a caller waits for a free connection before `Unavailable`.
            name: shown in the server's list of connections.

        Raises:
            Unavailable: the server doesn't answer.
            Misconfigured: it refuses the role, or the database isn't there.
        """
        types: list[tuple[int, ...]] = []

        async def configure(connection: AsyncConnection[Row]) -> None:
            register_dumpers(connection)
            if not types or not types[0]:
                types[:] = [await vector_types(connection)]
            register_loaders(connection, types[0])

        settings: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": PREPARE_AFTER,
            "application_name": name,
            "connect_timeout": CONNECT_TIMEOUT_S,
        }
        pool = AsyncConnectionPool(
            url,
            connection_class=PatientConnection,
            kwargs=settings,
            configure=configure,
            min_size=min_size,
            max_size=max_size,
            timeout=wait_s,
            reconnect_timeout=CONNECT_TRIES_S,
            name=name,
            open=False,
        )
        require_url(url)
        with translated():
            # A first connection by hand, without patience: the pool's own failures don't say why.
            async with await AsyncConnection.connect(url, **settings) as connection:
                require_version(connection.info.server_version)
            await pool.open(wait=True, timeout=wait_s)
        return cls(url, pool, wait_s)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Borrow a connection for reading."""
        async with self._borrowed() as connection:
            yield Session(connection)

    @asynccontextmanager
    async def write_once(self) -> AsyncIterator[WriteSession]:
        """Borrow a connection for one statement, which is stored when it has run."""
        async with self._borrowed() as connection:
            yield Session(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open one transaction."""
        async with self._borrowed() as connection, connection.transaction():
            yield Session(connection)

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[PatientConnection]:
        with translated():
            connection = await self._borrow()
            try:
                yield connection
            finally:
                await self._pool.putconn(connection)

    async def _borrow(self) -> PatientConnection:
        until = time.monotonic() + self._wait_s
        while True:
            connection = await self._pool.getconn(max(0.01, until - time.monotonic()))
            if not _has_news(connection):
                return connection
            # An idle connection has something to read: most often its end. Ask, and replace it.
            try:
                await AsyncConnectionPool.check_connection(connection)
                return connection
            except psycopg.OperationalError:
                await self._pool.putconn(connection)
            except BaseException:
                await self._pool.putconn(connection)
                raise

    async def listen(
        self,
        channel: str,
        heard: Callable[[str], Awaitable[None]],
        *,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Call `heard(payload)` for each notification until `close`; reconnects by itself.

        Notifications sent while the connection is away are lost: listeners also look by themselves, or have
        `connected()` called each time that it listens (again).
        """
        task = asyncio.current_task()
        if task is not None:
            self._listeners.add(task)
        pause_s = CONNECT_PAUSE_S
        try:
            while True:
                began = time.monotonic()
                try:
                    await self._listen_once(channel, heard, connected)
                except psycopg.OperationalError:
                    _log.warning("database_listener_lost", channel=channel)
                lasted = time.monotonic() - began > SLOWEST_RETRY_S * 2
                pause_s = CONNECT_PAUSE_S if lasted else min(pause_s * 2, SLOWEST_RETRY_S)
                await asyncio.sleep(pause_s)
        finally:
            if task is not None:
                self._listeners.discard(task)

    async def _listen_once(
        self,
        channel: str,
        heard: Callable[[str], Awaitable[None]],
        connected: Callable[[], Awaitable[None]] | None,
    ) -> None:
        connection = await PatientConnection.connect(
            self._url, autocommit=True, application_name=f"{self._pool.name} listen"
        )
        async with connection:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            if connected is not None:
                await connected()
            async for notice in connection.notifies():
                try:
                    await heard(notice.payload)
                except Exception as error:  # noqa: BLE001 - one bad payload must not end the listening
                    _log.error("notification_failed", channel=channel, exc_info=error)

    async def close(self) -> None:
        """Give every connection back and stop listening."""
        listeners = [task for task in self._listeners if task is not asyncio.current_task()]
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        await self._pool.close()


def _has_news(connection: AsyncConnection[Row]) -> bool:
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))
