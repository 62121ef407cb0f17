"""Upgrades: once, concurrently, under a user's own roles, and on a schema of another age."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from tests.conftest import TestDatabase

from steward.base.clock import SystemClock
from steward.base.db.embedded import APP_ROLE, EmbeddedServer
from steward.base.db.migrations import HEAD, check_schema, upgrade
from steward.base.db.migrations.runner import sql_of
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Misconfigured
from steward.govern.ledger.chain import shared_digest
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.contracts import GENESIS, Entry
from steward.govern.ledger.service import Ledger
from steward.supply.releases.assignment import Traffic
from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.traffic import TrafficControl


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


FIRST_ROWS = """
insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at, created_by)
values ('r', 'spoke', 1, '{}', '', 's', now(), 'system');
insert into serving (assistant, release_id, generation, changed_at) values ('spoke', 'r', 7, now());
insert into customer (id, verified, created_at) values (gen_random_uuid(), false, now());
insert into conversation (id, customer_id, assistant, release_id, channel, verified, next_seq, opened_at,
                          last_at)
select gen_random_uuid(), id, 'spoke', 'r', 'web', false, 3, now(), now() from customer;
insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel, simulated, outcome,
                  reason, currency, total_ms, started_at, finished_at)
select gen_random_uuid(), id, gen_random_uuid(), 'r', 'spoke', 'baseline', 'web', false, 'answered',
       'answered', 'EUR', 5, now(), now() from conversation;
insert into feedback (id, conversation_id, csat, at) select gen_random_uuid(), id, 4, now() from conversation;
"""


def old_rows() -> list[tuple[object, ...]]:
    """Return rows of the ledger as they were written before links were made in batches."""
    rows: list[tuple[object, ...]] = []
    previous = GENESIS
    for position in (1, 2, 3):
        entry = Entry("system", "rollout.started", f"rollout:{position}", {"n": position, "yes": True})
        at = datetime(2026, 3, 1, 9, 0, 0, position, tzinfo=UTC)
        digest = shared_digest(entry, position=position, at=at, previous=previous)
        details = json.dumps(dict(entry.details))
        rows.append((position, at, entry.actor, entry.deed, entry.subject, details, previous, digest))
        previous = digest
    return rows


class TestUpgradeOfTheFirstSchema:
    """A database that was in use before there were rollouts."""

    @pytest.fixture
    def upgraded(self, empty_database: TestDatabase) -> TestDatabase:
        with psycopg.connect(empty_database.owner_url) as owner:
            owner.execute(sql_of("0001_foundation.sql", APP_ROLE).encode())
            owner.execute("create table schema_version (version_num text primary key)")
            owner.execute("insert into schema_version values ('0001_foundation')")
            owner.execute(FIRST_ROWS)
            with owner.cursor() as cursor:
                cursor.executemany("insert into ledger values (%s, %s, %s, %s, %s, %s, %s, %s)", old_rows())
        assert upgrade(empty_database.owner_url, app_role=APP_ROLE)
        return empty_database

    async def test_serves_on_under_a_generation_that_was_never_used(self, upgraded: TestDatabase) -> None:
        database = await PooledDatabase.open(upgraded.app_url, min_size=1)
        control = TrafficControl(SystemClock())
        async with database.write() as session:
            before = await control.current(session, "spoke", simulated=False)
            after = await control.change(session, before)
        await database.close()
        assert before == Traffic("spoke", simulated=False, release_id=ReleaseId("r"), generation=7)
        assert after.generation == 8

    async def test_the_ledger_goes_on_from_rows_that_still_verify(self, upgraded: TestDatabase) -> None:
        database, clock = await PooledDatabase.open(upgraded.app_url, min_size=1), SystemClock()
        ledger = Ledger(clock)
        async with database.write() as session:
            await ledger.append(session, Entry("system", "b.c", "d:1", {}))
        await Chainer(database, clock).finish()
        async with database.read() as session:
            verdict = await ledger.verify(session)
            rows = await ledger.recent(session)
        await database.close()
        assert (verdict.ok, verdict.rows) == (True, 4)
        assert [row.position for row in rows] == [4, 3, 2, 1]

    def test_what_was_said_counts(self, upgraded: TestDatabase) -> None:
        with psycopg.connect(upgraded.app_url) as connection:
            told = connection.execute("select arm, csat, turns, rollout_id, counted from conversations")
            assert told.fetchall() == [("baseline", 4, 1, None, False)]
            assert connection.execute("select outcome, rollout_id from turns").fetchall() == [
                ("answered", None)
            ]


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
