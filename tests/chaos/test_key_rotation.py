"""A rotation of the master key that is killed half way goes on, and in between everything can be read."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.key_keeping import FileKeys, KeyKeeping
from steward.govern.privacy.rotation import Rotation
from steward.govern.privacy.vault import Vault

CUSTOMERS = 60
_ROTATE = """
import asyncio, sys, time
from pathlib import Path
from steward.base.clock import SystemClock
from steward.base.db.pool import PooledDatabase
from steward.govern.privacy.key_keeping import FileKeys, KeyKeeping
from steward.govern.privacy.rotation import Rotation

def told(table, rows):
    print(table, rows, flush=True)
    if rows >= 20:
        time.sleep(60)

async def main():
    database = await PooledDatabase.open(sys.argv[1], max_size=2)
    keeping = KeyKeeping(database, FileKeys(Path(sys.argv[2])))
    await Rotation(database, keeping, clock=SystemClock(), batch=10).rotate(actor="a", after_batch=told)

asyncio.run(main())
"""


async def readable(database: Database, directory: Path, made: list[CustomerId], clock: FixedClock) -> bool:
    keeping = KeyKeeping(database, FileKeys(directory))
    vault = Vault(await keeping.open(), clock, renew=keeping.renew)
    async with database.read() as session:
        texts = [
            await vault.unmask(session, customer, "[EMAIL_1]", purpose=Purpose.OWN_WORDS, actor="system")
            for customer in made
        ]
    return texts == ["maya@example.com"] * len(made)


class TestKilledRotation:
    async def test_goes_on_where_it_was_killed(
        self, database: Database, app_url: str, fixed_clock: FixedClock, tmp_path: Path
    ) -> None:
        keeping = KeyKeeping(database, FileKeys(tmp_path))
        vault = Vault(await keeping.open(), fixed_clock)
        made: list[CustomerId] = []
        for _ in range(CUSTOMERS):
            async with database.write() as session:
                made.append(await vault.open_customer(session, reference=None, verified=False))
                await vault.mask(session, made[-1], "maya@example.com", detector=Detector())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ROTATE, app_url, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"customer_key 10\n"
        assert await process.stdout.readline() == b"customer_key 20\n"
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert await readable(database, tmp_path, made, fixed_clock)
        rotation = Rotation(database, KeyKeeping(database, FileKeys(tmp_path)), clock=fixed_clock)
        assert [state.wrapped.get("customer_key") for state in await rotation.state()] == [20, 40]
        done = await rotation.rotate(actor="a")
        assert (done.is_new, done.wrapped["customer_key"]) == (False, 40)
        assert await readable(database, tmp_path, made, fixed_clock)
        _, old = await rotation.state()
        await rotation.retire(old.id, actor="a")
        assert await readable(database, tmp_path, made, fixed_clock)
