"""`steward kpi`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.storage import open_store
from steward.base.clock import SystemClock
from steward.base.errors import InvalidInput
from steward.improve.insight.contracts import By, Figure, Kpi, Parameters, Scope
from steward.improve.insight.files import open_files
from steward.improve.insight.kpis import ALL, kpi
from steward.improve.insight.live import ALL_PARTS, Live, Slice
from steward.improve.insight.rollups import RollUps

POSTGRESQL = "postgresql"
DAYS = 28


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as it was typed."""

    name: str | None
    source: str
    since: str | None
    by: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One KPI of one part."""

    kpi: Kpi
    part: str
    figure: Figure


def run_kpi(asked: Question, *, as_json: bool, data_dir: Path | None) -> int:
    """Print figures from the live roll-ups or from files."""
    if asked.by is not None and asked.name is None:
        raise InvalidInput("--by needs a KPI: steward kpi NAME --by day")
    kpis = ALL if asked.name is None else (kpi(asked.name),)
    by = By(asked.by) if asked.by else None
    since = moment_of(asked.since) if asked.since else None
    if asked.source == POSTGRESQL:
        lines = _live(kpis, asked, since or SystemClock().now() - timedelta(days=DAYS), by, data_dir)
    else:
        lines = _of_files(kpis, asked, since, by)
    if as_json:
        print_json([_fields(line) for line in lines])
    else:
        _print_table(lines, split=by is not None)
    return 0


def moment_of(text: str) -> datetime:
    """Read a day or a moment; UTC unless it says else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"--since takes a day like 2026-03-01 or a moment, not '{text}'") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _live(
    kpis: Iterable[Kpi], asked: Question, since: datetime, by: By | None, data_dir: Path | None
) -> list[Line]:
    settings = prepared(data_dir)

    async def work() -> list[Line]:
        async with open_store(settings, progress=say) as store:
            clock = SystemClock()
            roll_ups = RollUps(database=store.database, clock=clock)
            await roll_ups.refresh()
            live = Live(database=store.database, clock=clock, roll_ups=roll_ups)
            traffic = Slice(since=since, simulated=asked.simulated)
            return [
                Line(item, str(part.part), part.figure)
                for item in kpis
                for part in await live.read(item, traffic, by=by)
            ]

    return run_async(work)


def _of_files(kpis: Sequence[Kpi], asked: Question, since: datetime | None, by: By | None) -> list[Line]:
    source = open_files(Path(asked.source))
    scope = Scope(at=SystemClock().now(), since=since, simulated=asked.simulated)
    lines = []
    for item in kpis:
        if asked.name is None and source.lacks(item):
            continue
        found = source.figures(item, Parameters(), scope, by=by)
        lines += [Line(item, part, figure) for part, figure in found.items()]
    return lines


def _print_table(lines: Sequence[Line], *, split: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if not lines:
        print("no conversations in this period")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part" if split else "KPI", no_wrap=True)
    for heading in ("value", "95 % interval", "n", "not final"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        figure = line.figure
        table.add_row(
            (line.part or "none") if split else line.kpi.name,
            _shown(figure.value, line.kpi.unit),
            ""
            if figure.low is None
            else f"{_number(figure.low, line.kpi.unit)} … {_number(figure.high, line.kpi.unit)}",
            f"{figure.n:,}",
            f"{figure.immature:,}" if figure.immature else "",
        )
    Console().print(table)
    if len(lines) == 1 or split:
        print(lines[0].kpi.meaning)


def _shown(value: float | None, unit: str) -> str:
    number = _number(value, unit)
    return number if value is None or unit in ("share", "money", "of 5") else f"{number} {unit}"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "share":
        return f"{value:.1%}"
    return f"{value:.5f}" if unit == "money" else f"{value:,.2f}"


def _fields(line: Line) -> dict[str, Any]:
    figure = line.figure
    return {
        "kpi": line.kpi.name,
        "part": None if line.part == ALL_PARTS else line.part,
        "unit": line.kpi.unit,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "interval": figure.method.value,
        "n": figure.n,
        "immature": figure.immature,
        "so_far": figure.so_far,
    }
