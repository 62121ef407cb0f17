"""The sample, frozen and served by nobody, with its company's system beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import TestDatabase, empty_tables
from tests.prove.regressions import changed_yaml

from steward.app.demo.neighbour import business_system
from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.app.settings import Settings
from steward.improve.evals.service import Evals
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.contracts import ReleaseId


@dataclass(frozen=True, slots=True)
class Scene:
    """A baseline of few cases, and how to make candidates of it."""

    foundation: Foundation
    evals: Evals
    folder: Path
    baseline: ReleaseId

    async def freeze(self, folder: Path) -> ReleaseId:
        """Freeze a folder into a release."""
        return (await self.foundation.releases.create(read_folder(folder), created_by="system")).id

    async def rows(self, table: str) -> int:
        """Count a table's rows."""
        async with self.foundation.store.database.read() as session:
            row = await session.one(f"select count(*) from {table}")
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
async def installation(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Foundation, Path]]:
    """A store and what stands on it; the company's system answers for `billing` and `service`."""
    directory = tmp_path_factory.mktemp("evals")
    folder = directory / "northline"
    initialise(folder, "northline")
    with changed_yaml(folder / "assistant.yaml") as assistant:
        assistant["answer_with"] = ["extractive"]
    for place in (folder / "cases").glob("*.yaml"):
        if place.stem not in ("people", "workflows"):
            place.unlink()
    async with business_system(directory) as company:
        settings = Settings(
            data_dir=directory,
            database_url=worker_database.app_url,
            migration_database_url=worker_database.owner_url,
            system_urls={"billing": company, "service": company},
        )
        async with open_foundation(settings, say=lambda _: None) as foundation:
            yield foundation, folder
    empty_tables(worker_database.admin_url)


@pytest.fixture
async def scene(installation: tuple[Foundation, Path]) -> Scene:
    """The installation with the sample frozen."""
    foundation, folder = installation
    release = await foundation.releases.create(read_folder(folder), created_by="system")
    return Scene(foundation, open_evals(foundation), folder, release.id)
