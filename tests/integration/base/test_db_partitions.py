"""Month partitions: made ahead, under concurrency, and from rows that wait in the default."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.conftest import TestDatabase

from steward.base.clock import FixedClock
from steward.base.db.partitions import keep_months_ahead
from steward.base.ids import first_id_at

CREATE = (
    "create table visit (id uuid primary key, note text) partition by range (id); "
    "create table visit_default partition of visit default; "
    "create index visit_note on visit (note)"
)
AT_YEARS_END = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


@pytest.fixture
def visits(empty_database: TestDatabase) -> TestDatabase:
    """A database with one partitioned table."""
    with psycopg.connect(empty_database.owner_url) as connection:
        connection.execute(CREATE)
    return empty_database


def partition_of(url: str, identifier: object) -> str:
    """Return the name of the partition that holds a row."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select tableoid::regclass::text from visit where id = %s", (identifier,)
        ).fetchone()
    assert row is not None
    return str(row[0])


class TestKeepMonthsAhead:
    async def test_makes_this_month_and_those_ahead(self, visits: TestDatabase) -> None:
        made = await keep_months_ahead(visits.owner_url, FixedClock(AT_YEARS_END), ahead=2)
        assert made == ["visit_2026_11", "visit_2026_12", "visit_2027_01"]

    async def test_makes_only_what_is_missing(self, visits: TestDatabase) -> None:
        clock = FixedClock(AT_YEARS_END)
        await keep_months_ahead(visits.owner_url, clock, ahead=1)
        assert await keep_months_ahead(visits.owner_url, clock, ahead=1) == []
        clock.advance(timedelta(minutes=1))
        assert await keep_months_ahead(visits.owner_url, clock, ahead=1) == ["visit_2027_01"]

    async def test_two_at_once_make_each_month_once(self, visits: TestDatabase) -> None:
        clock = FixedClock(AT_YEARS_END)
        made = await asyncio.gather(*(keep_months_ahead(visits.owner_url, clock, ahead=1) for _ in range(2)))
        assert sorted(made[0] + made[1]) == ["visit_2026_11", "visit_2026_12"]

    async def test_a_row_lands_in_the_month_of_its_id(self, visits: TestDatabase) -> None:
        clock = FixedClock(AT_YEARS_END)
        await keep_months_ahead(visits.owner_url, clock, ahead=1)
        last = first_id_at(AT_YEARS_END)
        first = first_id_at(AT_YEARS_END + timedelta(minutes=1))
        with psycopg.connect(visits.owner_url) as connection:
            connection.cursor().executemany("insert into visit values (%s, 'x')", [(last,), (first,)])
        assert [partition_of(visits.owner_url, one) for one in (last, first)] == [
            "visit_2026_11",
            "visit_2026_12",
        ]

    async def test_rows_without_a_month_wait_and_move(self, visits: TestDatabase) -> None:
        clock = FixedClock(AT_YEARS_END)
        early, late = first_id_at(AT_YEARS_END), first_id_at(AT_YEARS_END + timedelta(days=400))
        with psycopg.connect(visits.owner_url) as connection:
            connection.cursor().executemany("insert into visit values (%s, 'x')", [(early,), (late,)])
        assert partition_of(visits.owner_url, early) == "visit_default"
        await keep_months_ahead(visits.owner_url, clock, ahead=1)
        assert partition_of(visits.owner_url, early) == "visit_2026_11"
        assert partition_of(visits.owner_url, late) == "visit_default"
