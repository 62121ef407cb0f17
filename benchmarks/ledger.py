"""Appends to the ledger per second, and how long an entry waits to be linked.

Each append is a transaction of its own that waits for the disk. Beside it stands the way without a chainer:
each writer takes a lock, reads the head and writes its row, and holds the lock until it has committed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.machine import commit_ms, describe, fsync_setting
from steward.base.clock import SystemClock
from steward.base.db.embedded import APP_ROLE, EmbeddedServer, start_embedded
from steward.base.db.migrations import upgrade
from steward.base.db.pool import PooledDatabase
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.contracts import Entry, Signature
from steward.govern.ledger.service import Ledger

WRITERS = (1, 4, 16)
SAMPLE_EVERY_S = 0.05
_AGE = """
select extract(epoch from clock_timestamp() - min(e.at))::float8
from ledger_tail t join ledger_entry e on e.id = t.entry
"""
_LOCKED_TABLE = """
create table ledger_by_lock (position bigint primary key, at timestamptz not null, said jsonb not null,
    previous bytea not null, digest bytea not null unique)
"""
_LOCKED_HEAD = "select position, digest from ledger_by_lock order by position desc limit 1"
_LOCKED_INSERT = "insert into ledger_by_lock values (%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how fast, and the age of the oldest entry that waited, as sampled."""

    way: str
    writers: int
    seconds: float
    appends: int
    per_second: float
    tail_p50_ms: float | None = None
    tail_p95_ms: float | None = None
    tail_max_ms: float | None = None
    whole: bool | None = None


class Key:
    """Signs with a key in memory, as the installation does."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    async def public_key(self) -> bytes:
        """Return the public key."""
        return self._key.public_key().public_bytes_raw()

    async def sign(self, message: bytes) -> Signature:
        """Sign."""
        return Signature(await self.public_key(), self._key.sign(message))


KEY = Key()


async def write(url: str, way: str, writers: int, seconds: float) -> tuple[int, float]:
    """Append with so many writers for some seconds, and return how many it were and how long it took."""
    database = await PooledDatabase.open(url, min_size=writers, max_size=writers)
    ledger = Ledger(SystemClock())
    one = by_lock if way == "lock" else by_insert
    began = time.time()
    until = began + seconds
    writing = (writer(database, ledger, one, number, until) for number in range(writers))
    counts = await asyncio.gather(*writing)
    took = time.time() - began
    await database.close()
    return sum(counts), took


async def writer(database: PooledDatabase, ledger: Ledger, one: Any, number: int, until: float) -> int:
    """Append one entry after the other."""
    count = 0
    while time.time() < until:
        entry = Entry("system", "action.done", f"action:{number}-{count}", {"tool": "refund", "try": count})
        await one(database, ledger, entry)
        count += 1
    return count


async def by_insert(database: PooledDatabase, ledger: Ledger, entry: Entry) -> None:
    """Append as Steward does."""
    async with database.write() as session:
        await ledger.append(session, entry)


async def by_lock(database: PooledDatabase, _: Ledger, entry: Entry) -> None:
    """Append to a chain whose writers wait for each other."""
    async with database.write() as session:
        await session.one("select pg_advisory_xact_lock(77)")
        position, previous = await session.one(_LOCKED_HEAD) or (0, bytes(32))
        said = json.dumps(asdict(entry))
        digest = hashlib.sha256(f"{position + 1}{said}".encode() + bytes(previous)).digest()
        await session.execute(_LOCKED_INSERT, [position + 1, datetime.now(UTC), said, previous, digest])


def write_here(url: str, way: str, writers: int, seconds: float, results: Any) -> None:
    """Be the process that writes."""
    results.put(uvloop.run(write(url, way, writers, seconds)))


async def measure(server: EmbeddedServer, way: str, writers: int, seconds: float) -> Measured:
    """Run the writers, with a chainer in this process, and sample the tail."""
    database = await PooledDatabase.open(server.app_url)
    chaining = asyncio.create_task(Chainer(database, SystemClock(), signer=KEY).run())
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    process = context.Process(target=write_here, args=(server.app_url, way, writers, seconds, results))
    process.start()
    ages: list[float] = []
    async with database.read() as session:
        while process.is_alive() and results.empty():
            row = await session.one(_AGE)
            if row and row[0] is not None:
                ages.append(max(0.0, row[0]) * 1000)
            await asyncio.sleep(SAMPLE_EVERY_S)
    appends, took = await asyncio.to_thread(results.get)
    await asyncio.to_thread(process.join)
    chaining.cancel()
    await asyncio.gather(chaining, return_exceptions=True)
    await Chainer(database, SystemClock(), signer=KEY).finish()
    whole = None
    if way != "lock":
        async with database.read() as session:
            whole = (await Ledger(SystemClock()).verify(session)).ok
    await database.close()
    ages = sorted(ages) or [0.0]
    chained = way != "lock"
    return Measured(
        way=way,
        writers=writers,
        seconds=round(took, 2),
        appends=appends,
        per_second=round(appends / took, 1),
        tail_p50_ms=round(statistics.median(ages), 1) if chained else None,
        tail_p95_ms=round(ages[int(len(ages) * 0.95)], 1) if chained else None,
        tail_max_ms=round(ages[-1], 1) if chained else None,
        whole=whole,
    )


async def run(directory: Path, *, seconds: float) -> dict[str, Any]:
    """Measure everything on a server of its own."""
    server = await start_embedded(directory, progress=lambda _: None)
    try:
        upgrade(server.owner_url, app_role=APP_ROLE)
        with psycopg.connect(server.owner_url) as owner:
            owner.execute(_LOCKED_TABLE)
            owner.execute("grant select, insert on ledger_by_lock to public")
        found = [
            await measure(server, way, writers, seconds) for writers in WRITERS for way in ("lock", "batches")
        ]
        return {
            "machine": describe(),
            "fsync": fsync_setting(server.owner_url),
            "commit_ms": commit_ms(server.owner_url),
            "seconds_each": seconds,
            "measured": [asdict(one) for one in found],
        }
    finally:
        await server.detach()


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--data", type=Path, help="not needed: the entries are made here")
    parser.add_argument("--quick", action="store_true", help="3 s for each instead of 15")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = uvloop.run(run(Path(directory), seconds=3.0 if given.quick else 15.0))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"machine {found['machine']}, fsync {found['fsync']}, one commit {found['commit_ms']} ms")
    print("way      writers  appends/s  tail p50/p95/max ms")
    for one in found["measured"]:
        ages = [one["tail_p50_ms"], one["tail_p95_ms"], one["tail_max_ms"]]
        tail = "" if ages[0] is None else " / ".join(f"{age:.0f}" for age in ages)
        print(f"{one['way']:<8} {one['writers']:>7} {one['per_second']:>10.0f}  {tail}")


if __name__ == "__main__":
    main()
