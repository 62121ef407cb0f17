"""`steward serve` and `steward worker`: what production runs, many of each."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from steward.app.commands.console import prepared, run_async, say
from steward.app.foundation import open_foundation
from steward.app.server import listen, serve, url_of, working
from steward.app.wiring import open_application


def run_serve(assistant: str, *, port: int | None, host: str | None, data_dir: Path | None) -> int:
    """Serve an assistant until stopped."""
    settings = prepared(data_dir, serving=True, port=port, host=host)
    listener = listen(settings.host, settings.port)

    async def work() -> None:
        async with (
            open_foundation(settings, say=say) as foundation,
            open_application(foundation, assistant=assistant) as application,
        ):
            where = f"serving {assistant} on {url_of(listener)}"
            await serve(application, listener, ready=lambda: print(where, flush=True))

    run_async(work)
    return 0


def run_worker(assistant: str, *, data_dir: Path | None) -> int:
    """Do background work until stopped."""
    settings = prepared(data_dir, serving=True)

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with (
            open_foundation(settings, say=say) as foundation,
            open_application(foundation, assistant=assistant) as application,
            working(application),
        ):
            print(f"working for {assistant}", flush=True)
            await stop.wait()

    run_async(work)
    return 0
