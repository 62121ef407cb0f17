"""A field with two releases, of which the older is served."""

from __future__ import annotations

import pytest
from tests.integration.improve.rollout.field import Field

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase


@pytest.fixture
async def field(database: PooledDatabase, fixed_clock: FixedClock, app_url: str) -> Field:
    """Two releases of one assistant, of which the older is served."""
    made = Field(database, fixed_clock, app_url)
    await made.lay_out()
    return made
