"""What the rest of Steward knows of the database: two kinds of session and how to get one.

A `ReadSession` reads; a `WriteSession` is one transaction that commits when its block ends and
rolls back when it raises, or one statement that is a transaction by itself. SQL is written by hand
and takes parameters in psycopg's `%s` or `%(name)s` form; rows come back as tuples.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Parameters = Sequence[Any] | Mapping[str, Any] | None
Row = tuple[Any, ...]


class ReadSession(Protocol):
    """Reads on one connection. Statements run outside an explicit transaction unless writing."""

    async def all(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """Return every row."""
        ...

    async def one(self, sql: str, parameters: Parameters = None) -> Row | None:
        """Return the first row, or None."""
        ...

    def stream(self, sql: str, parameters: Parameters = None) -> AsyncIterator[Row]:
        """Yield rows as they come, through a server-side cursor."""
        ...


class WriteSession(ReadSession, Protocol):
    """One transaction."""

    async def execute(self, sql: str, parameters: Parameters = None) -> int:
        """Run a statement and return the number of rows it touched."""
        ...

    async def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run a statement once per row, pipelined."""
        ...

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Bulk-load rows by COPY."""
        ...

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notification that listeners get if and when this transaction commits."""
        ...


class Database(Protocol):
    """A pool of connections under the application's role, built once by the composition root."""

    def read(self) -> AbstractAsyncContextManager[ReadSession]:
        """Borrow a connection for reading."""
        ...

    def write(self) -> AbstractAsyncContextManager[WriteSession]:
        """Open one transaction."""
        ...

    def write_once(self) -> AbstractAsyncContextManager[WriteSession]:
        """Borrow a connection for one statement, which is stored when it has run.

        For the hottest paths: a transaction costs two more questions to the server, to begin and to commit.
        """
        ...

    async def listen(
        self,
        channel: str,
        heard: Callable[[str], Awaitable[None]],
        *,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Call `heard(payload)` for each notification until `close`; reconnects by itself.

        What was told meanwhile is lost, so `connected()` is called each time that it listens (again).
        """
        ...

    async def close(self) -> None:
        """Give every connection back and stop listening."""
        ...
