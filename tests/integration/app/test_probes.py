"""Live probes of controls that ask the database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steward.app.probes import InstallationProbes
from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.ledger.service import Ledger
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder


@pytest.fixture(scope="module")
def northline(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The sample as it is shipped."""
    folder = tmp_path_factory.mktemp("probes") / "northline"
    initialise(folder, "northline")
    return read_folder(folder)


async def staffed(database: PooledDatabase, clock: FixedClock, role: str) -> None:
    async with database.write() as session:
        await session.execute(
            "insert into account (id, login, name, role, created_at) values (%s, 'ada', 'Ada', %s, %s)",
            (new_id(clock), role, clock.now()),
        )


class TestRestricts:
    async def test_shows_claims_checks_and_an_admin(
        self, database: PooledDatabase, fixed_clock: FixedClock, northline: Folder
    ) -> None:
        await staffed(database, fixed_clock, "admin")
        shown = await InstallationProbes(database, Ledger(fixed_clock)).restricts("r", northline)
        assert shown.live
        assert shown.sentence.startswith("1 active accounts act by their roles")

    async def test_a_workflow_that_acts_for_anybody_restricts_nothing(
        self, database: PooledDatabase, fixed_clock: FixedClock, northline: Folder
    ) -> None:
        await staffed(database, fixed_clock, "admin")
        open_to_all = northline.workflows["restart_line"].model_copy(update={"slots": (), "checks": ()})
        folder = replace(northline, workflows={**northline.workflows, "restart_line": open_to_all})
        shown = await InstallationProbes(database, Ledger(fixed_clock)).restricts("r", folder)
        assert not shown.live
        assert "workflow 'restart_line' acts for anybody" in shown.sentence

    async def test_without_an_admin_nobody_rules_over_roles(
        self, database: PooledDatabase, fixed_clock: FixedClock, northline: Folder
    ) -> None:
        await staffed(database, fixed_clock, "viewer")
        shown = await InstallationProbes(database, Ledger(fixed_clock)).restricts("r", northline)
        assert not shown.live
        assert "no active account may give and take roles" in shown.sentence
