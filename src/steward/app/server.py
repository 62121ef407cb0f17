"""The HTTP server: pages, API, and the background work that belongs to a process that serves."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from steward.app.setting_changes import note_settings
from steward.app.wiring import Application
from steward.base.db.partitions import keep_months_ahead
from steward.base.errors import Misconfigured, StewardError
from steward.edge.application import build_app

SWEEP_EVERY_S = 1.0
ROLL_UP_EVERY_S = 30.0
DAILY_S = 24 * 3600
MINUTE_S = 60.0
GRACE_S = 5
log = structlog.get_logger(__name__)


class PortTaken(Misconfigured):
    """Another program listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is taken; choose another with --port or STEWARD_PORT.")


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket before anything else is started, so that a taken port is told at once.

    Raises:
        PortTaken: it is.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(host, port) from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address that a browser on this machine can open."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - only shown
    return f"http://{shown}:{port}"


def build(application: Application) -> FastAPI:
    """Return the web application of everything that edge shows."""
    return build_app(application.services)


async def serve(application: Application, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; open streams are told to end.

    `ready` is called once requests are answered and signals are minded.
    """
    config = uvicorn.Config(
        build(application),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        # Whoever may say where a caller is decides what limits by address are worth.
        forwarded_allow_ips=list(application.foundation.settings.trusted_proxies),
        lifespan="off",
        loop="uvloop",
        http="httptools",
        backlog=2048,
    )
    server = Server(config, stopping=application.services.stopping, ready=ready)
    settle_memory()
    async with working(application):
        await server.serve(sockets=[listener])


def settle_memory() -> None:
    """Leave what was loaded out of garbage collection, and hand the interpreter over more often.

    A full collection over a release's objects would stop the loop for tens of milliseconds; an
    embedding that has finished would wait up to 5 ms, the default, for a busy loop to let it go on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(0.0005)


class Server(uvicorn.Server):
    """uvicorn, telling open streams to end as soon as a signal comes.

    uvicorn would raise the signal again when it has ended, and the process would die before database
    and neighbours are left in order; so the signal is noted here and isn't passed on.
    """

    def __init__(self, config: uvicorn.Config, *, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop; a second signal doesn't wait for open requests."""
        self._stopping.set()
        self.force_exit = self.should_exit
        self.should_exit = True


@asynccontextmanager
async def working(application: Application) -> AsyncIterator[None]:
    """Do the background work while the block runs."""
    improvement, foundation = application.improvement, application.foundation
    await note_settings(foundation.store.database, foundation.ledger, foundation.settings)
    tasks = [
        asyncio.create_task(improvement.controller.run()),
        asyncio.create_task(application.foundation.chainer.run()),
        asyncio.create_task(repeatedly("shadow_turns", improvement.shadowing.sweep, SWEEP_EVERY_S)),
        asyncio.create_task(repeatedly("roll_up_hours", improvement.roll_ups.refresh, ROLL_UP_EVERY_S)),
        asyncio.create_task(repeatedly("recover_turns", application.turns.recover, SWEEP_EVERY_S)),
        asyncio.create_task(repeatedly("reconcile_runs", application.reconciler.sweep, SWEEP_EVERY_S)),
        asyncio.create_task(repeatedly("sweep_limits", application.services.access.limits.sweep, DAILY_S)),
        asyncio.create_task(repeatedly("make_partitions", lambda: months_ahead(application), DAILY_S)),
        asyncio.create_task(repeatedly("close_silent", application.idle.sweep, MINUTE_S)),
        asyncio.create_task(repeatedly("retention", application.retention.expiring.sweep, MINUTE_S)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def months_ahead(application: Application) -> None:
    """Keep partitions for the coming months."""
    foundation = application.foundation
    await keep_months_ahead(foundation.store.owner_url, foundation.clock)


async def repeatedly(name: str, work: Callable[[], Awaitable[object]], every_s: float) -> None:
    """Do some work again and again; a failure is logged and tried again, a named isolation point."""
    while True:
        try:
            await work()
        except StewardError as error:
            log.warning("background_work_failed", work=name, sentence=str(error))
        except Exception:  # the isolation point of work in the background: it comes again
            log.exception("background_work_failed", work=name)
        await asyncio.sleep(every_s)
