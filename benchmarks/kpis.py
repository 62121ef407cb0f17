"""How long live KPIs take, and how roll-ups compare with reading every row.

    python -m benchmarks.kpis [--conversations 200000] [--quick] [--json]

Generates conversations of about five turns each in a database of its own in memory, rolls them up, and
asks for every KPI over four weeks: whole, by hour, by day, by category, by release and by arm.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks.kpi_traffic import ASSISTANT, END, Size, load
from benchmarks.machine import describe
from steward.base.clock import FixedClock
from steward.base.db.embedded import APP_ROLE, EmbeddedServer, start_embedded
from steward.base.db.migrations import upgrade
from steward.base.db.pool import PooledDatabase
from steward.improve.insight.contracts import By, Figure
from steward.improve.insight.kpis import ALL, kpi
from steward.improve.insight.live import Live, Slice
from steward.improve.insight.rollups import RollUps

CONVERSATIONS = 200_000
TURNS_EACH = 5.02
QUICK = 4_000
REPEATS = 5
PERIOD = Slice(since=END - timedelta(days=60), assistant=ASSISTANT)


@dataclass(frozen=True, slots=True)
class Timed:
    """The median time of one question in ms."""

    kpi: str
    by: str
    ms: float


@asynccontextmanager
async def generated(directory: Path, conversations: int, *, seed: int) -> AsyncIterator[EmbeddedServer]:
    """Start a database with generated traffic in it, loaded unless it was."""
    server = await start_embedded(directory, progress=lambda _: None, sync=False)
    try:
        upgrade(server.owner_url, app_role=APP_ROLE)
        with psycopg.connect(server.admin_url) as connection:
            row = connection.execute("select count(*) from release").fetchone()
        if row == (0,):
            load(server.admin_url, Size(conversations, TURNS_EACH), seed=seed)
        yield server
    finally:
        await server.detach()


@asynccontextmanager
async def readers(url: str) -> AsyncIterator[tuple[RollUps, Live]]:
    """Open the job and the reader of live figures at the moment at which the traffic ends."""
    database = await PooledDatabase.open(url, min_size=1, max_size=2)
    clock = FixedClock(END)
    roll_ups = RollUps(database=database, clock=clock)
    try:
        yield roll_ups, Live(database=database, clock=clock, roll_ups=roll_ups)
    finally:
        await database.close()


async def time_live(live: Live, *, repeats: int = REPEATS) -> list[Timed]:
    """Ask for every KPI in every way, and return the medians, the slowest first."""
    times = []
    for asked in ALL:
        for by in (None, *By):
            taken = []
            for _ in range(repeats):
                began = time.perf_counter()
                await live.read(asked, PERIOD, by=by)
                taken.append((time.perf_counter() - began) * 1000)
            times.append(Timed(asked.name, by.value if by else "", statistics.median(taken)))
    return sorted(times, key=lambda timed: -timed.ms)


async def whole_figures(live: Live) -> dict[str, Figure]:
    """Return every KPI over the whole period, from the roll-ups as they are."""
    found = {}
    for asked in ALL:
        parts = await live.read(kpi(asked.name), PERIOD)
        found[asked.name] = parts[0].figure
    return found


def scratch_directory() -> Path:
    """Make a directory for the database: in memory where there is some, so that the disk isn't measured."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="steward-kpis-", dir=memory if memory.is_dir() else None))


async def measure(conversations: int, *, seed: int) -> dict[str, object]:
    """Run the benchmark and return what it shows."""
    directory = scratch_directory()
    try:
        async with (
            generated(directory, conversations, seed=seed) as server,
            readers(server.app_url) as (roll_ups, live),
        ):
            began = time.perf_counter()
            hours = (await roll_ups.refresh()).hours
            rolled_s = time.perf_counter() - began
            with psycopg.connect(server.app_url) as connection:
                row = connection.execute(
                    "select (select count(*) from turn), (select count(*) from kpi_hour), "
                    "pg_total_relation_size('kpi_hour')"
                ).fetchone()
            assert row is not None
            times = await time_live(live)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return {
        "machine": describe(),
        "conversations": conversations,
        "turns": row[0],
        "hours": hours,
        "roll_up_s": round(rolled_s, 1),
        "roll_up_rows": row[1],
        "roll_up_mib": round(row[2] / 2**20),
        "slowest_kpi_ms": round(times[0].ms, 1),
        "slowest_kpi": f"{times[0].kpi} by {times[0].by or 'nothing'}",
        "median_ms": round(statistics.median(timed.ms for timed in times), 1),
        "times": [asdict(timed) for timed in times],
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kpis", description=__doc__)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} conversations")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = asyncio.run(measure(QUICK if given.quick else given.conversations, seed=given.seed))
    if given.json:
        print(json.dumps(found))
        return
    times = found.pop("times")
    for name, value in found.items():
        print(f"{name:16} {value}")
    assert isinstance(times, list)
    print("\nslowest (median of five, ms)")
    for timed in times[:8]:
        print(f"{timed['ms']:8.1f}  {timed['kpi']} {'by ' + timed['by'] if timed['by'] else ''}")


if __name__ == "__main__":
    main()
