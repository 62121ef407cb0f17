"""Conversations on a release without content."""

from __future__ import annotations

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.following import Followers
from steward.serve.conversations.service import Conversations, Opening


class OneRelease:
    """Opens every conversation on the same release."""

    async def opening(
        self, assistant: str, *, simulated: bool = False, release_id: str | None = None
    ) -> Opening:
        return Opening("r1", assistant, "Hello.")


@pytest.fixture
def vault(fixed_clock: FixedClock) -> Vault:
    """A vault under a key of this test."""
    return Vault(MasterKey(b"m" * 32), fixed_clock)


@pytest.fixture
async def conversations(database: PooledDatabase, fixed_clock: FixedClock, vault: Vault) -> Conversations:
    """The service on a release without content."""
    async with database.write() as session:
        await session.execute(
            """insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at,
                   created_by)
               values ('r1', 'northline', 1, '{}', '', 's1', %s, 'test')""",
            (fixed_clock.now(),),
        )
    return Conversations(
        database=database, vault=vault, clock=fixed_clock, openings=OneRelease(), followers=Followers()
    )
