"""One definition, the same figures on every engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.kpi_engines import (
    Run,
    compare,
    missing_for_spark,
    on_duckdb,
    on_postgresql,
    on_spark,
)
from benchmarks.kpi_traffic import END, Size, export_parquet, load
from tests.conftest import TestDatabase, empty_tables

from steward.improve.insight.contracts import By, Kpi, Parameters, Scope
from steward.improve.insight.kpis import ALL, kpi
from steward.improve.insight.transpile import Engine

ASKED: list[tuple[Kpi, By | None]] = [
    *((item, None) for item in ALL),
    *((kpi("first_contact_resolution"), by) for by in By),
    *((kpi("turn_ms_p95"), by) for by in By),
]
ASKED_SPARK: list[tuple[Kpi, By | None]] = [
    *((kpi(name), None) for name in ("csat", "slow_turn_rate", "cost_per_resolution", "hallucination_rate")),
    (kpi("first_contact_resolution"), By.CATEGORY),
    (kpi("turn_ms_p95"), By.DAY),
]
"""Each form that a definition takes; a Spark takes seconds per statement, and the campaign asks for all."""
SCOPE = Scope(at=END)


@dataclass(frozen=True, slots=True)
class Generated:
    """Generated traffic as Parquet files, and PostgreSQL's answers to compare with."""

    directory: Path
    reference: Run


@pytest.fixture(scope="module")
async def generated(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Generated]:
    directory = tmp_path_factory.mktemp("kpis")
    empty_tables(worker_database.admin_url)
    load(worker_database.admin_url, Size(1500), seed=7)
    export_parquet(worker_database.app_url, directory)
    with on_postgresql(worker_database.app_url) as reference:
        yield Generated(directory, reference)
    empty_tables(worker_database.admin_url)


@pytest.fixture(scope="module")
def spark(generated: Generated) -> Iterator[Run]:
    if missing := missing_for_spark():
        pytest.skip(f"Spark isn't compared: {missing}")
    with on_spark(generated.directory, small=True) as run:
        yield run


class TestEngines:
    """PostgreSQL, DuckDB and Spark."""

    def test_duckdb_gives_postgresqls_figures(self, generated: Generated) -> None:
        with on_duckdb(generated.directory) as run:
            found = compare(
                Engine.DUCKDB, run, generated.reference, ASKED, parameters=Parameters(), scope=SCOPE
            )
        assert found == []

    @pytest.mark.slow
    @pytest.mark.timeout(600)
    def test_spark_gives_postgresqls_figures(self, generated: Generated, spark: Run) -> None:
        found = compare(
            Engine.SPARK, spark, generated.reference, ASKED_SPARK, parameters=Parameters(), scope=SCOPE
        )
        assert found == []
