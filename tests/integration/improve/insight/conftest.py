"""A logbook of conversations, and readers of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from tests.integration.improve.insight.logbook import Logbook

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.improve.insight.contracts import Parameters
from steward.improve.insight.kpis import trigger_of
from steward.improve.insight.live import Live
from steward.improve.insight.rollups import RollUps
from steward.improve.insight.transpile import observations_sql

Observe = Callable[..., Coroutine[Any, Any, dict[UUID, tuple[float, float]]]]


@pytest.fixture
async def logbook(database: PooledDatabase, fixed_clock: FixedClock) -> Logbook:
    """An empty logbook of one assistant with one release."""
    made = Logbook(database, fixed_clock)
    await made.begin()
    return made


@pytest.fixture
def roll_ups(database: PooledDatabase, fixed_clock: FixedClock) -> RollUps:
    """The job."""
    return RollUps(database=database, clock=fixed_clock)


@pytest.fixture
def live(database: PooledDatabase, fixed_clock: FixedClock, roll_ups: RollUps) -> Live:
    """The reader of the roll-ups."""
    return Live(database=database, clock=fixed_clock, roll_ups=roll_ups)


@pytest.fixture
def observe(database: PooledDatabase) -> Observe:
    """Reads a KPI's numerator and denominator of conversations, as a rollout does."""

    async def read(name: str, *ids: UUID) -> dict[UUID, tuple[float, float]]:
        async with database.read() as session:
            rows = await session.all(
                observations_sql(trigger_of(name)), {"ids": list(ids), **Parameters().values()}
            )
        return {row[0]: (row[1], row[2]) for row in rows}

    return read
