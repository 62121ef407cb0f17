"""The same KPIs on PostgreSQL, DuckDB and Spark, from the roll-ups too, and how long live ones take."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import psycopg
from benchmarks.kpi_engines import (
    Answer,
    Asked,
    Run,
    apart,
    ask,
    differences,
    farthest,
    missing_for_spark,
    on_duckdb,
    on_postgresql,
    on_spark,
)
from benchmarks.kpi_traffic import END, export_parquet
from benchmarks.kpis import CONVERSATIONS, generated, readers, time_live, whole_figures
from tests.prove.results import Ledgered, Report

from steward.improve.insight.contracts import Figure, Over, Parameters, Quantile, Ratio, Scope
from steward.improve.insight.kpis import ALL, kpi
from steward.improve.insight.transpile import Engine

NAME = "kpis"
SKETCH_TOLERANCE = 0.01
LIVE_MS = 300.0
SCOPE = Scope(at=END)


async def run(directory: Path, *, seed: int, rounds: int = CONVERSATIONS) -> Report:
    """Compare all KPIs of `rounds` generated conversations; every engine's answers are kept as they come."""
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    kept = Ledgered.open(directory)
    if missing := missing_for_spark():
        raise SystemExit(f"the campaign '{NAME}' needs Spark: {missing}")
    store, files = directory / "store", directory / "files"
    async with generated(store, rounds, seed=seed) as server:
        if not (files / f"{Over.TURNS.value}.parquet").exists():
            export_parquet(server.app_url, files)
        with on_postgresql(server.app_url) as ask_postgresql:
            _ask_all(kept, Engine.POSTGRESQL, ask_postgresql)
        with on_duckdb(files) as ask_duckdb:
            _ask_all(kept, Engine.DUCKDB, ask_duckdb)
        with on_spark(files) as ask_spark:
            _ask_all(kept, Engine.SPARK, ask_spark)
        async with readers(server.app_url) as (roll_ups, live):
            if not kept.all_of("slowest"):
                await roll_ups.refresh()
                figures = await whole_figures(live)
                times = await time_live(live)
                slowest = f"{times[0].kpi} {'by ' + times[0].by if times[0].by else ''}".strip()
                kept.add(
                    {
                        "problems": _of_roll_ups(_answers(kept, Engine.POSTGRESQL), figures),
                        "sketch": _sketch_error(_answers(kept, Engine.POSTGRESQL), figures),
                        "rolled": _rolled_error(_answers(kept, Engine.POSTGRESQL), figures),
                        "slowest": slowest,
                        "slowest_ms": times[0].ms,
                        "median_ms": times[len(times) // 2].ms,
                        "turns": _turns(server.app_url),
                    }
                )
    report = _report(kept, rounds, seed)
    if not report.problems:
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(files, ignore_errors=True)
    return report


def _ask_all(kept: Ledgered, engine: Engine, run: Run) -> None:
    done = {item["kpi"] for item in kept.rounds if item.get("engine") == engine.value}
    expected = _answers(kept, Engine.POSTGRESQL)
    for item in ALL:
        if item.name in done:
            continue
        found = ask(engine, run, item, Parameters(), SCOPE, None)
        round_: dict[str, Any] = {
            "engine": engine.value,
            "kpi": item.name,
            "parts": {part: [answer.n, answer.value] for part, answer in found.parts.items()},
            "seconds": found.seconds,
        }
        if engine is not Engine.POSTGRESQL:
            right = expected[item.name]
            round_["problems"] = [f"{engine.value}: {text}" for text in differences(item, right, found)]
            round_["farthest"] = farthest(right, found)
        kept.add(round_)


def _answers(kept: Ledgered, engine: Engine) -> dict[str, Asked]:
    return {
        item["kpi"]: Asked({part: Answer(*answer) for part, answer in item["parts"].items()}, item["seconds"])
        for item in kept.rounds
        if item.get("engine") == engine.value
    }


def _of_roll_ups(expected: dict[str, Asked], figures: dict[str, Figure]) -> list[str]:
    problems = []
    for name, figure in figures.items():
        right, item = expected[name].parts["all"], kpi(name)
        tolerance = SKETCH_TOLERANCE if isinstance(item, Quantile) else 1e-9
        if apart(right.value, figure.value) > tolerance:
            problems.append(f"roll-up: {name} is {figure.value!r} instead of {right.value!r}")
        split = isinstance(item, Ratio) and item.over is Over.TURNS
        if not split and figure.n != right.n:
            problems.append(f"roll-up: {name} stands on {figure.n} instead of {right.n}")
    return problems


def _sketch_error(expected: dict[str, Asked], figures: dict[str, Figure]) -> float:
    return max(
        apart(expected[item.name].parts["all"].value, figures[item.name].value)
        for item in ALL
        if isinstance(item, Quantile)
    )


def _rolled_error(expected: dict[str, Asked], figures: dict[str, Figure]) -> float:
    return max(
        apart(expected[item.name].parts["all"].value, figures[item.name].value)
        for item in ALL
        if isinstance(item, Ratio)
    )


def _turns(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from turn").fetchone()
    assert row is not None
    return int(row[0])


def _report(kept: Ledgered, conversations: int, seed: int) -> Report:
    rolled = next(item for item in kept.rounds if "slowest" in item)
    quantiles = {item.name for item in ALL if isinstance(item, Quantile)}

    def worst(engine: Engine, *, of_quantiles: bool) -> str:
        values = [
            item["farthest"]
            for item in kept.rounds
            if item.get("engine") == engine.value and (item["kpi"] in quantiles) is of_quantiles
        ]
        return f"{max(values):.1e}"

    problems = list(kept.problems)
    if rolled["slowest_ms"] >= LIVE_MS:
        problems.append(f"the slowest live KPI took {rolled['slowest_ms']:.0f} ms: {rolled['slowest']}")
    figures = [
        ("conversations, turns", f"{conversations:,}, {rolled['turns']:,}"),
        ("KPIs compared", f"{len(ALL)}, of which {len(quantiles)} quantiles"),
    ]
    for engine in (Engine.DUCKDB, Engine.SPARK):
        figures += [
            (f"{engine.value}: largest difference of a ratio", worst(engine, of_quantiles=False)),
            (f"{engine.value}: largest difference of a quantile", worst(engine, of_quantiles=True)),
        ]
    figures += [
        ("roll-ups: largest difference of a ratio", f"{rolled['rolled']:.1e}"),
        ("roll-ups: largest difference of a quantile", f"{rolled['sketch']:.2%}"),
        ("slowest live KPI", f"{rolled['slowest_ms']:.0f} ms ({rolled['slowest']})"),
        ("live KPI, median", f"{rolled['median_ms']:.0f} ms"),
    ]
    return Report(
        name="kpis",
        title="The same figures everywhere",
        claim="""One definition of each KPI gives the same figure on PostgreSQL, on DuckDB over Parquet files
        and on Spark: counts exactly, ratios to 1e-9, quantiles to 1e-6, relatively. Hourly roll-ups give the
        same ratios, and quantiles within 1 %. The slowest live KPI takes less than 300 ms on a million
        turns.""",
        command=f"python -m tests.prove {NAME}",
        seed=seed,
        figures=figures,
        problems=problems,
        notes=(
            "Conversations are generated into the real tables by COPY; DuckDB and Spark read the views' rows "
            "from Parquet files.",
            "Differences are relative to PostgreSQL's answer from every row; at 0, all digits agree.",
            "Live KPIs are read from roll-ups over four weeks: whole and by hour, day, category, channel, "
            "release and arm; each is the median of five readings.",
        ),
    )
