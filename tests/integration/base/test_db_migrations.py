"""Upgrades: once, concurrently, under a user's own roles, and on a schema of another age."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import sql
from tests.conftest import TestDatabase

from steward.base.db.embedded import APP_ROLE, EmbeddedServer
from steward.base.db.migrations import HEAD, check_schema, upgrade
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Misconfigured


class TestUpgrade:
    def test_a_second_one_finds_nothing_to_do(self, empty_database: TestDatabase) -> None:
        assert upgrade(empty_database.owner_url, app_role=APP_ROLE)
        assert not upgrade(empty_database.owner_url, app_role=APP_ROLE)

    async def test_two_at_once_take_turns(self, empty_database: TestDatabase) -> None:
        done = await asyncio.gather(
            *(asyncio.to_thread(upgrade, empty_database.owner_url, app_role=APP_ROLE) for _ in range(2))
        )
        assert sorted(done) == [False, True]

    def test_without_an_application_role_the_owner_serves(self, empty_database: TestDatabase) -> None:
        assert upgrade(empty_database.owner_url)
        with psycopg.connect(empty_database.owner_url) as connection:
            assert connection.execute("select count(*) from conversation").fetchone() == (0,)
        with (
            psycopg.connect(empty_database.app_url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
        ):
            connection.execute("select count(*) from conversation")

    def test_a_role_with_an_odd_name_gets_its_rights(
        self, empty_database: TestDatabase, embedded_server: EmbeddedServer
    ) -> None:
        odd = sql.Identifier('odd "role"')
        with psycopg.connect(embedded_server.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("create role {}").format(odd))
            upgrade(empty_database.owner_url, app_role='odd "role"')
        with psycopg.connect(empty_database.admin_url, autocommit=True) as admin:
            found = admin.execute(
                "select has_table_privilege('odd \"role\"', 'message', 'insert')"
            ).fetchone()
            admin.execute(sql.SQL("drop owned by {0}; drop role {0}").format(odd))
        assert found == (True,)

    def test_a_server_without_the_extension_and_the_right_to_add_it(
        self, empty_database: TestDatabase
    ) -> None:
        with psycopg.connect(empty_database.admin_url, autocommit=True) as admin:
            admin.execute("drop extension vector")
        with pytest.raises(Misconfigured, match="run `create extension vector`"):
            upgrade(empty_database.owner_url)


class TestCheckSchema:
    async def test_accepts_the_current_one(self, database: PooledDatabase) -> None:
        await check_schema(database)

    async def test_names_what_to_do_before_the_first_upgrade(self, empty_database: TestDatabase) -> None:
        database = await PooledDatabase.open(empty_database.app_url, min_size=1)
        with pytest.raises(Misconfigured, match="no tables of Steward yet: run `steward db upgrade`"):
            await check_schema(database)
        await database.close()

    async def test_refuses_a_newer_one(self, empty_database: TestDatabase) -> None:
        upgrade(empty_database.owner_url, app_role=APP_ROLE)
        with psycopg.connect(empty_database.owner_url) as owner:
            owner.execute("update schema_version set version_num = '9999_future'")
        database = await PooledDatabase.open(empty_database.app_url, min_size=1)
        with pytest.raises(Misconfigured, match=rf"\(9999_future\) is newer than this Steward \({HEAD}\)"):
            await check_schema(database)
        await database.close()
        with pytest.raises(Misconfigured, match="is newer"):
            upgrade(empty_database.owner_url)
