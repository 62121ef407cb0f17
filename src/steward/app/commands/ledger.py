"""`steward ledger verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.storage import open_store
from steward.base.clock import SystemClock
from steward.govern.ledger.service import Ledger


def run_verify(*, as_json: bool, data_dir: Path | None) -> int:
    """Recompute the chain; 1 when it breaks."""
    settings = prepared(data_dir)

    async def work() -> int:
        async with open_store(settings, progress=say) as store, store.database.read() as session:
            verdict = await Ledger(SystemClock()).verify(session)
        if as_json:
            print_json(asdict(verdict))
        elif verdict.ok:
            print(f"the ledger is whole: {verdict.rows} rows")
        else:
            print(f"the ledger breaks at row {verdict.first_bad_position}: {verdict.reason}")
        return 0 if verdict.ok else 1

    return run_async(work)
