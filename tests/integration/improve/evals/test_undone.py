"""Writes that are undone."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Unavailable
from steward.improve.evals.undone import undone


class Spoilt(Exception):
    """A writer changed its mind."""


async def add(session: WriteSession, customer_id: UUID, clock: FixedClock) -> None:
    """Write a row."""
    await session.execute("insert into customer values (%s, null, false, %s)", (customer_id, clock.now()))


async def count(session: ReadSession) -> int:
    """Count the rows that a session sees."""
    row = await session.one("select count(*) from customer")
    assert row is not None
    return int(row[0])


class TestUndone:
    async def test_writes_are_seen_inside_and_by_nobody_else(
        self, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        async with undone(database) as inside:
            async with inside.write() as session:
                await add(session, uuid4(), fixed_clock)
            async with inside.read() as reader:
                assert await count(reader) == 1
            async with database.read() as outside:
                assert await count(outside) == 0
        async with database.read() as outside:
            assert await count(outside) == 0

    async def test_a_write_that_raises_takes_only_itself_back(
        self, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        async with undone(database) as inside:
            async with inside.write() as session:
                await add(session, uuid4(), fixed_clock)

            async def spoilt() -> None:
                async with inside.write() as session:
                    await add(session, uuid4(), fixed_clock)
                    raise Spoilt

            with pytest.raises(Spoilt):
                await spoilt()
            async with inside.read() as reader:
                assert await count(reader) == 1

    async def test_a_refused_statement_leaves_the_rest_usable(
        self, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        twice = uuid4()
        async with undone(database) as inside:
            async with inside.write() as session:
                await add(session, twice, fixed_clock)

            async def again() -> None:
                async with inside.write() as session:
                    await add(session, twice, fixed_clock)

            with pytest.raises(psycopg.errors.UniqueViolation, match="duplicate key"):
                await again()
            async with inside.read() as reader:
                assert await count(reader) == 1

    async def test_writers_at_once_take_turns(
        self, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        async with undone(database) as inside:

            async def writer(spoil: bool) -> None:
                async with inside.write() as session:
                    await add(session, uuid4(), fixed_clock)
                    await asyncio.sleep(0)
                    if spoil:
                        raise Spoilt

            results = await asyncio.gather(
                *(writer(number % 2 == 0) for number in range(10)), return_exceptions=True
            )
            assert sum(isinstance(result, Spoilt) for result in results) == 5
            async with inside.read() as reader:
                assert await count(reader) == 5

    async def test_a_block_that_raises_passes_its_own_error_on(self, database: PooledDatabase) -> None:
        async def spoilt() -> None:
            async with undone(database):
                raise Spoilt

        with pytest.raises(Spoilt):
            await spoilt()

    async def test_nobody_writes_after_the_end(
        self, database: PooledDatabase, fixed_clock: FixedClock
    ) -> None:
        async with undone(database) as inside:
            pass

        async def late() -> None:
            async with inside.write() as session:
                await add(session, uuid4(), fixed_clock)

        with pytest.raises(Unavailable, match="undone"):
            await late()
