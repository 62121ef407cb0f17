"""Statements of the engines."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from subprocess import run

import pytest
from sqlglot import parse_one

from steward.improve.insight.contracts import By, Parameters, Scope
from steward.improve.insight.kpis import ALL, kpi, trigger_of
from steward.improve.insight.transpile import Engine, bound, figure_sql, observations_sql

SCOPE = Scope(
    at=datetime(2026, 3, 2, tzinfo=UTC), since=datetime(2026, 2, 1, tzinfo=UTC), assistant="o'neill"
)


class TestFigureSql:
    """A KPI in an engine's words."""

    @pytest.mark.parametrize("engine", Engine)
    def test_every_kpi_parses_in_its_dialect(self, engine: Engine) -> None:
        for item in ALL:
            parse_one(figure_sql(item, engine, Parameters(), SCOPE, by=By.DAY), read=engine.value)

    @pytest.mark.parametrize(
        ("engine", "words"),
        [
            (Engine.POSTGRESQL, "percentile_cont(0.95) within group (order by v)"),
            (Engine.DUCKDB, "QUANTILE_CONT(v, 0.95)"),
            (Engine.SPARK, "PERCENTILE(v, 0.95)"),
            (Engine.BIGQUERY, "approx_quantiles(v, 1000)[OFFSET(950)]"),
            (Engine.SNOWFLAKE, "PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY v)"),
            (Engine.CLICKHOUSE, "quantileExactInclusive(0.95)(v)"),
        ],
    )
    def test_quantiles_interpolate_as_postgresql_does(self, engine: Engine, words: str) -> None:
        assert words in figure_sql(kpi("turn_ms_p95"), engine, Parameters(), SCOPE)

    def test_names_are_quoted(self) -> None:
        assert "assistant = 'o''neill'" in figure_sql(kpi("csat"), Engine.POSTGRESQL, Parameters(), SCOPE)

    def test_only_mature_conversations_count(self) -> None:
        statement = figure_sql(kpi("csat"), Engine.POSTGRESQL, Parameters(survey_hours=24), SCOPE)
        assert "ended_at <= cast('2026-03-01 00:00:00.000000+00:00' as timestamp with time zone)" in statement


class TestObservationsSql:
    """What rollouts read."""

    def test_parameters_are_named_in_psycopgs_form(self) -> None:
        statement = observations_sql(trigger_of("slow_turn_rate"))
        assert "total_ms > %(slow_ms)s" in statement
        assert "any(%(ids)s)" in statement

    def test_casts_are_no_parameters(self) -> None:
        assert bound("a::text || :slow_ms", Parameters()) == "a::text || 3000.0"


def test_neither_sqlglot_nor_duckdb_is_imported_by_what_the_server_imports() -> None:
    modules = "first_page, live, rollups, transpile, kpis, files, reference"
    code = (
        f"from steward.improve.insight import {modules}; import sys; "
        "sys.exit(bool({'sqlglot', 'duckdb', 'scipy', 'pyspark'} & sys.modules.keys()))"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0
