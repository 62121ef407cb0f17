"""The pool on real PostgreSQL: sessions, types, errors, notifications, presence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import numpy as np
import psycopg
import pytest

from steward.base.db.errors import DatabaseUnavailable, UniqueViolation
from steward.base.db.pool import PooledDatabase
from steward.base.db.presence import Presence, alive_among, is_alive
from steward.base.db.vectors import SparseVector
from steward.base.errors import Misconfigured, Unavailable

INSERT = "insert into signing_key values (%s, 'b', %s, now(), null)"


class TestWrite:
    async def test_commits_when_its_block_ends(self, database: PooledDatabase) -> None:
        async with database.write() as session:
            touched = await session.execute(INSERT, ("a", b"x"))
        async with database.read() as session:
            rows = await session.all("select id, sealed from signing_key")
        assert (touched, rows) == (1, [("a", b"x")])

    async def test_rolls_back_when_its_block_raises(self, database: PooledDatabase) -> None:
        async def fail_midway() -> None:
            async with database.write() as session:
                await session.execute(INSERT, ("a", b"x"))
                raise ZeroDivisionError("midway")

        with pytest.raises(ZeroDivisionError, match="midway"):
            await fail_midway()
        async with database.read() as session:
            assert await session.one("select id from signing_key") is None

    async def test_runs_a_statement_per_row(self, database: PooledDatabase) -> None:
        async with database.write() as session:
            await session.execute_many(INSERT, [("a", b"1"), ("b", b"2")])
        async with database.read() as session:
            assert await session.all("select id from signing_key order by id") == [("a",), ("b",)]

    async def test_the_application_may_not_change_tables(self, database: PooledDatabase) -> None:
        with pytest.raises(Misconfigured, match="the database role lacks a right"):
            async with database.write() as session:
                await session.execute("create table intruder (x int)")

    async def test_the_ledger_takes_no_change(self, database: PooledDatabase) -> None:
        for table in ("ledger_entry", "ledger_link", "ledger_checkpoint"):
            with pytest.raises(Misconfigured, match="lacks a right"):
                async with database.write() as session:
                    await session.execute(f"delete from {table}")


class TestWriteOnce:
    async def test_each_statement_is_stored_when_it_has_run(self, database: PooledDatabase) -> None:
        async def fail_afterwards() -> None:
            async with database.write_once() as session:
                assert await session.execute(INSERT, ("a", b"x")) == 1
                raise ZeroDivisionError("afterwards")

        with pytest.raises(ZeroDivisionError, match="afterwards"):
            await fail_afterwards()
        async with database.read() as session:
            assert await session.one("select id from signing_key") == ("a",)

    async def test_gives_its_connection_back_after_a_fault(self, app_url: str) -> None:
        database = await PooledDatabase.open(app_url, min_size=1, max_size=1, wait_s=2)
        try:
            for _ in range(2):
                with pytest.raises(UniqueViolation):
                    async with database.write_once() as session:
                        await session.execute(
                            "insert into signing_key select 'twice', 'b', 'x', now(), null"
                            " from generate_series(1, 2)"
                        )
            async with database.write_once() as session:
                assert await session.execute(INSERT, ("a", b"x")) == 1
        finally:
            await database.close()


class TestStream:
    async def test_yields_all_rows_in_order(self, database: PooledDatabase) -> None:
        async with database.read() as session:
            rows = [row[0] async for row in session.stream("select generate_series(1, 1200)")]
        assert rows == list(range(1, 1201))

    async def test_may_be_left_early(self, database: PooledDatabase) -> None:
        async with database.read() as session:
            stream = session.stream("select generate_series(1, 1200)")
            assert isinstance(stream, AsyncGenerator)
            async with aclosing(stream):
                assert await anext(stream) == (1,)
            assert await session.one("select 7") == (7,)


class TestTypes:
    async def test_a_vector_comes_back_as_it_went(self, database: PooledDatabase) -> None:
        vector = np.array([0.25, -1.5, 3e-8], dtype=np.float32)
        async with database.read() as session:
            row = await session.one("select %s::vector, %s::vector::halfvec", (vector, vector))
        assert row is not None
        np.testing.assert_array_equal(row[0], vector)
        np.testing.assert_allclose(row[1], vector, atol=1e-3)
        assert row[0].dtype == np.float32

    async def test_a_sparse_vector_multiplies(self, database: PooledDatabase) -> None:
        sparse = SparseVector(10, np.array([0, 9], dtype=np.int32), np.array([0.5, 2.0], dtype=np.float32))
        async with database.read() as session:
            row = await session.one("select %s::sparsevec::text, -(%s::sparsevec <#> %s)", (sparse,) * 3)
        assert row == ("{1:0.5,10:2}/10", 4.25)

    async def test_vectors_load_by_copy(self, database: PooledDatabase, owner_url: str) -> None:
        vector = np.array([1.0, 2.0], dtype=np.float32)
        sparse = SparseVector(3, np.array([1], dtype=np.int32), np.array([4.0], dtype=np.float32))
        async with database.write() as session:
            await session.execute(
                "insert into knowledge_snapshot values ('s', 'e', 2, %s, now())", ({"a": 1},)
            )
            await session.execute(
                "insert into knowledge_document (id, path, title, audience, created_at) "
                "values ('d', 'p', 't', 'public', now())"
            )
            await session.execute("insert into passage values ('p', 'd', 1, 'h', 'b')")
            columns = ("snapshot_id", "passage_id", "audience", "dense", "lexical")
            await session.copy_in("snapshot_passage", columns, [("s", "p", 0, vector, sparse)])
        async with database.read() as session:
            row = await session.one("select dense::text, lexical::text from snapshot_passage")
            statistics = await session.one("select statistics from knowledge_snapshot")
        assert row == ("[1,2]", "{2:4}/3")
        assert statistics == ({"a": 1},)


class TestErrors:
    async def test_a_taken_key_names_its_constraint(self, database: PooledDatabase) -> None:
        with pytest.raises(UniqueViolation, match="signing_key_pkey") as caught:
            async with database.write() as session:
                await session.execute_many(INSERT, [("a", b"1"), ("a", b"2")])
        assert caught.value.constraint == "signing_key_pkey"

    async def test_nobody_at_the_address(self) -> None:
        with pytest.raises(Unavailable, match="connection refused"):
            await PooledDatabase.open("postgresql://a:b@127.0.0.1:1/c")

    async def test_a_wrong_password(self, app_url: str) -> None:
        wrong = app_url.replace("steward_app:", "steward_app:wrong")
        with pytest.raises(Misconfigured, match="refused the role or its password"):
            await PooledDatabase.open(wrong)

    async def test_a_database_that_is_not_there(self, app_url: str) -> None:
        with pytest.raises(Misconfigured, match="doesn't exist"):
            await PooledDatabase.open(app_url.replace("?", "_missing?"))

    async def test_no_free_connection_in_time(self, app_url: str) -> None:
        database = await PooledDatabase.open(app_url, min_size=1, max_size=1, wait_s=0.1)
        async with database.read():
            with pytest.raises(DatabaseUnavailable, match="no connection was free"):
                async with database.read():
                    pass
        await database.close()

    async def test_connections_that_the_server_ended_are_replaced(
        self, database: PooledDatabase, admin_connection: psycopg.Connection[tuple[object, ...]]
    ) -> None:
        async with database.read():
            pass
        admin_connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where usename = 'steward_app' and datname = current_database()"
        )
        async with database.read() as session:
            assert await session.one("select 1") == (1,)


class TestListen:
    async def test_hears_what_was_committed(self, database: PooledDatabase) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        listening = asyncio.create_task(database.listen("news", heard.put))
        await until_heard(database, heard)
        async with database.write() as session:
            await session.notify("news", "committed")
        assert await news_in(heard) == "committed"
        listening.cancel()
        await asyncio.wait([listening])

    async def test_listens_again_after_its_connection_is_lost(
        self, database: PooledDatabase, admin_connection: psycopg.Connection[tuple[object, ...]]
    ) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        times: list[int] = []

        async def connected() -> None:
            times.append(len(times))

        listening = asyncio.create_task(database.listen("news", heard.put, connected=connected))
        await until_heard(database, heard)
        admin_connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where application_name = 'steward listen' and datname = current_database()"
        )
        while not heard.empty():
            heard.get_nowait()
        await until_heard(database, heard)
        assert times == [0, 1]
        await database.close()
        await asyncio.wait([listening])

    async def test_a_failing_hearer_goes_on_hearing(self, database: PooledDatabase) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def hear(payload: str) -> None:
            await heard.put(str(json.loads(payload)))

        listening = asyncio.create_task(database.listen("news", hear))
        await until_heard(database, heard)
        async with database.write() as session:
            await session.notify("news", "{broken")
            await session.notify("news", "2")
        assert await news_in(heard) == "2"
        listening.cancel()
        await asyncio.wait([listening])


class TestPresence:
    async def test_lives_until_it_is_closed(self, database: PooledDatabase, app_url: str) -> None:
        presence = await Presence.open(app_url)
        async with database.read() as session:
            assert await is_alive(session, presence.instance)
            assert await alive_among(session, [presence.instance, 5]) == {presence.instance}
            await presence.close()
            async with asyncio.timeout(30):  # the server notices the end of a connection a moment later
                while await is_alive(session, presence.instance):  # noqa: ASYNC110 - another process's news
                    await asyncio.sleep(0.01)

    async def test_takes_its_lock_again_after_a_lost_connection(
        self,
        database: PooledDatabase,
        app_url: str,
        admin_connection: psycopg.Connection[tuple[object, ...]],
    ) -> None:
        presence = await Presence.open(app_url)
        admin_connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where application_name = 'steward presence' and datname = current_database()"
        )
        async with database.read() as session:
            async with asyncio.timeout(10):
                while presence.is_held:
                    await session.one("select 1")
                await presence.wait_until_held()
            assert await is_alive(session, presence.instance)
        await presence.close()


FIRST = "0"


async def until_heard(database: PooledDatabase, heard: asyncio.Queue[str]) -> None:
    """Notify until the listener, which starts at some moment, hears it."""
    async with asyncio.timeout(20):
        while True:
            async with database.write() as session:
                await session.notify("news", FIRST)
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.get(), 0.05)
                return


async def news_in(heard: asyncio.Queue[str]) -> str:
    """Return the first payload that isn't an echo of `until_heard`."""
    async with asyncio.timeout(20):
        while (payload := await heard.get()) == FIRST:
            pass
    return payload
