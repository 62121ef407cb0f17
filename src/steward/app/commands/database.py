"""`steward db upgrade`."""

from __future__ import annotations

from pathlib import Path

from steward.app.commands.console import prepared, run_async, say
from steward.app.storage import open_store


def run_upgrade(*, data_dir: Path | None) -> int:
    """Bring the schema to this version; opening the store does it."""
    settings = prepared(data_dir)

    async def work() -> None:
        async with open_store(settings, progress=say):
            print("the schema is up to date")

    run_async(work)
    return 0
