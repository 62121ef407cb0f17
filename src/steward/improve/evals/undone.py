"""A database in which nothing remains: every write of an evaluation lies in one transaction that is undone.

What runs on it finds real tables, locks and constraints, and sees its own writes. Others never see them: no
desk, figure, rollout or ledger meets a conversation that was only an evaluation. A process that is killed
leaves nothing behind either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.errors import Unavailable


class _Undo(Exception):
    """Ends the transaction without its writes."""


class UndoneDatabase:
    """`Database` over one open transaction; its write sessions are savepoints, one at a time.

    After `end` it gives no session: a turn that outlives its attempt must not reach the connection.
    """

    def __init__(self, session: WriteSession) -> None:
        self._session = session
        self._alone = asyncio.Lock()
        self._ended = False

    def end(self) -> None:
        """Refuse sessions from now on."""
        self._ended = True

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Give the one session."""
        self._require_open()
        yield self._session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Set a savepoint; go back to it where the block raises. Savepoints nest, so writers take turns.

        None is released: the next one of the same name hides it, and that saves a question to the server.
        """
        async with self._alone:
            self._require_open()
            await self._session.execute("savepoint written")
            try:
                yield self._session
            except BaseException:
                await self._session.execute("rollback to savepoint written")
                raise

    def write_once(self) -> AbstractAsyncContextManager[WriteSession]:
        """Set a savepoint as for more than one statement: whatever fails must not spoil the transaction."""
        return self.write()

    async def listen(
        self,
        channel: str,
        heard: Callable[[str], Awaitable[None]],
        *,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Wait for ever: what isn't committed is never announced."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Leave the transaction to whoever opened it."""

    def _require_open(self) -> None:
        if self._ended:
            raise Unavailable("The evaluation's transaction has been undone.")


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[UndoneDatabase]:
    """Give a database whose writes are all undone when the block ends."""
    try:
        async with database.write() as session:
            inside = UndoneDatabase(session)
            try:
                yield inside
            finally:
                inside.end()
            raise _Undo
    except _Undo:
        return
