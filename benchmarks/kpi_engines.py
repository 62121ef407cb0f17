"""The same KPIs on PostgreSQL, on DuckDB and on Spark, and how far apart they are.

Spark runs in local mode over the Parquet files that DuckDB reads. It needs pyspark
(`python bootstrap.py --spark`) and Java.
"""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from steward.improve.insight.contracts import By, Kpi, Over, Parameters, Quantile, Scope
from steward.improve.insight.files import open_files
from steward.improve.insight.transpile import Engine, figure_sql

COUNTS_EXACT, RATIO_TOLERANCE, QUANTILE_TOLERANCE = 0, 1e-9, 1e-6
"""What "the same" means: n exactly, ratios and quantiles relatively."""
Run = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A KPI of one part: how many units, and the value."""

    n: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A KPI's answers by part, and how long the engine took."""

    parts: dict[str, Answer]
    seconds: float


def missing_for_spark() -> str | None:
    """Return in a few words what Spark lacks on this machine, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark isn't installed (python bootstrap.py --spark)"
    return None if shutil.which("java") else "Java isn't installed"


def ask(engine: Engine, run: Run, kpi: Kpi, parameters: Parameters, scope: Scope, by: By | None) -> Asked:
    """Return a KPI's answers from one engine."""
    began = time.perf_counter()
    rows = run(figure_sql(kpi, engine, parameters, scope, by=by))
    seconds = time.perf_counter() - began
    if isinstance(kpi, Quantile):
        return Asked({_name(part): Answer(n, float(value)) for part, n, value in rows}, seconds)
    return Asked(
        {_name(row[0]): Answer(row[1], row[2] / row[3] if row[3] else None) for row in rows}, seconds
    )


def differences(kpi: Kpi, expected: Asked, found: Asked) -> Iterator[str]:
    """Yield in words how an engine's answers differ from PostgreSQL's."""
    tolerance = QUANTILE_TOLERANCE if isinstance(kpi, Quantile) else RATIO_TOLERANCE
    if expected.parts.keys() != found.parts.keys():
        yield f"{kpi.name}: parts {sorted(found.parts)} instead of {sorted(expected.parts)}"
        return
    for part, right in expected.parts.items():
        other = found.parts[part]
        if other.n != right.n:
            yield f"{kpi.name} of {part}: {other.n} units instead of {right.n}"
        elif apart(right.value, other.value) > tolerance:
            yield f"{kpi.name} of {part}: {other.value!r} instead of {right.value!r}"


def farthest(expected: Asked, found: Asked) -> float:
    """Return the largest relative difference of two engines' values."""
    return max(
        (apart(right.value, found.parts[part].value) for part, right in expected.parts.items()), default=0.0
    )


def apart(right: float | None, other: float | None) -> float:
    """Return how far apart two values are, relatively; infinite if only one is there."""
    if right is None or other is None:
        return 0.0 if right is other else float("inf")
    return abs(right - other) / max(abs(right), 1e-300) if right != other else 0.0


@contextmanager
def on_postgresql(url: str) -> Iterator[Run]:
    """Run statements on the live tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield lambda statement: connection.execute(statement.encode()).fetchall()


@contextmanager
def on_duckdb(directory: Path) -> Iterator[Run]:
    """Run statements on Parquet files through the code that `steward kpi` uses."""
    source = open_files(directory)
    try:
        yield lambda statement: source.connection.execute(statement).fetchall()
    finally:
        source.connection.close()


@contextmanager
def on_spark(directory: Path, *, small: bool = False) -> Iterator[Run]:
    """Run statements on Parquet files in a local Spark; small data isn't worth compiling each plan for."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("steward kpis")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1" if small else "4",
        "spark.sql.codegen.wholeStage": "false" if small else "true",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN" if small else "FALLBACK",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(directory / "spark-warehouse"),
        "spark.log.level": "ERROR",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        for over in Over:
            session.read.parquet(str(directory / f"{over.value}.parquet")).createOrReplaceTempView(over.value)
        yield lambda statement: [tuple(row) for row in session.sql(statement).collect()]
    finally:
        session.stop()


def _name(part: object) -> str:
    """Return a part's name; engines give hours as aware or as naive UTC times."""
    return str(part).removesuffix("+00:00")


def compare(
    engine: Engine,
    run: Run,
    reference: Run,
    asked: Iterable[tuple[Kpi, By | None]],
    *,
    parameters: Parameters,
    scope: Scope,
) -> list[str]:
    """Return every difference of an engine from PostgreSQL."""
    found: list[str] = []
    for kpi, by in asked:
        right = ask(Engine.POSTGRESQL, reference, kpi, parameters, scope, by)
        found += differences(kpi, right, ask(engine, run, kpi, parameters, scope, by))
    return found
