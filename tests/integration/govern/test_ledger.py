"""The ledger on a real database: one chain under concurrency, and proof of tampering."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import psycopg
import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.errors import Misconfigured, Unavailable
from steward.govern.ledger.contracts import Detail, Entry, Head, Verdict
from steward.govern.ledger.service import Ledger

_DETAILS: dict[str, Detail] = {
    "role": "admin",
    "count": 3,
    "big": 2**70,
    "yes": True,
    "nothing": None,
    "name": 'é "quoted" \\ 🙂',
}


@pytest.fixture
def ledger(fixed_clock: FixedClock) -> Ledger:
    return Ledger(fixed_clock)


async def append(database: Database, ledger: Ledger, subject: str = "account:1") -> int:
    async with database.write() as session:
        return await ledger.append(session, Entry("account:9", "account.disabled", subject, _DETAILS))


async def verdict(database: Database, ledger: Ledger, remembered: Head | None = None) -> Verdict:
    async with database.read() as session:
        return await ledger.verify(session, remembered=remembered)


class TestAppend:
    async def test_positions_follow_each_other(self, database: Database, ledger: Ledger) -> None:
        assert [await append(database, ledger) for _ in range(3)] == [1, 2, 3]
        assert (await verdict(database, ledger)).ok

    async def test_many_at_once_make_one_chain(self, database: Database, ledger: Ledger) -> None:
        positions = await asyncio.gather(*(append(database, ledger, f"x:{place}") for place in range(20)))
        assert sorted(positions) == list(range(1, 21))
        found = await verdict(database, ledger)
        assert found.ok
        assert found.rows == 20

    async def test_one_that_stands_still_does_not_keep_others_out(
        self, database: Database, ledger: Ledger
    ) -> None:
        with pytest.raises(Unavailable, match="stood still"):
            await append_and_stand_still(database, ledger, until=append(database, ledger))
        assert (await verdict(database, ledger)).rows == 1

    async def test_rolled_back_deed_leaves_no_row(self, database: Database, ledger: Ledger) -> None:
        with pytest.raises(RuntimeError, match="crash"):
            await append_and_crash(database, ledger)
        assert await append(database, ledger) == 1

    async def test_application_cannot_change_a_row(self, database: Database, ledger: Ledger) -> None:
        await append(database, ledger)
        for statement in ("update ledger set actor = 'x'", "delete from ledger", "truncate ledger"):
            with pytest.raises(Misconfigured, match="lacks a right"):
                await execute(database, statement)


class TestVerify:
    @pytest.mark.parametrize(
        ("statement", "bad"),
        [
            ("update ledger set actor = 'account:8' where position = 2", 2),
            ("update ledger set at = at + interval '1 microsecond' where position = 3", 3),
            ("""update ledger set details = details || '{"count": 4}' where position = 1""", 1),
            ("update ledger set digest = set_byte(digest, 0, get_byte(digest, 0) # 1) where position = 2", 2),
            ("delete from ledger where position = 2", 3),
        ],
    )
    async def test_tampering_by_an_owner_is_found(
        self, database: Database, ledger: Ledger, owner_url: str, statement: str, bad: int
    ) -> None:
        for _ in range(4):
            await append(database, ledger)
        await tamper(owner_url, statement)
        found = await verdict(database, ledger)
        assert not found.ok
        assert found.first_bad_position == bad

    async def test_cut_end_shows_beside_a_remembered_head(
        self, database: Database, ledger: Ledger, owner_url: str
    ) -> None:
        for _ in range(3):
            await append(database, ledger)
        async with database.read() as session:
            head = await ledger.head(session)
        await tamper(owner_url, "delete from ledger where position = 3")
        assert (await verdict(database, ledger)).ok
        assert (await verdict(database, ledger, head)).first_bad_position == 3


class TestRecent:
    async def test_newest_first_by_filter_and_page(self, database: Database, ledger: Ledger) -> None:
        for subject in ("account:1", "account:2", "account:1"):
            await append(database, ledger, subject)
        async with database.read() as session:
            everything = await ledger.recent(session)
            older = await ledger.recent(session, before=3, limit=1)
            one = await ledger.recent(session, subject="account:1", deed="account")
            none = await ledger.recent(session, deed="acc")
        assert [row.position for row in everything] == [3, 2, 1]
        assert [row.position for row in older] == [2]
        assert [row.position for row in one] == [3, 1]
        assert none == ()
        assert everything[0].details == _DETAILS


async def append_and_stand_still(database: Database, ledger: Ledger, *, until: Awaitable[int]) -> None:
    async with database.write() as session:
        await ledger.append(session, Entry("account:9", "account.disabled", "account:1", _DETAILS))
        assert await until == 1


async def append_and_crash(database: Database, ledger: Ledger) -> None:
    async with database.write() as session:
        await ledger.append(session, Entry("a", "b.c", "d:1", {}))
        raise RuntimeError("crash")


async def execute(database: Database, statement: str) -> None:
    async with database.write() as session:
        await session.execute(statement)


async def tamper(owner_url: str, statement: str) -> None:
    """Do what only the owner of the tables can: take the trigger off and change rows."""
    async with await psycopg.AsyncConnection.connect(owner_url) as connection:
        await connection.execute("alter table ledger disable trigger ledger_is_append_only")
        await connection.execute(statement.encode())
        await connection.execute("alter table ledger enable trigger ledger_is_append_only")
