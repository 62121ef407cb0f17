"""Opening the store: the embedded server or a given URL, its schema brought up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from steward.app.settings import Settings
from steward.base.clock import SystemClock
from steward.base.db.errors import DatabaseUnavailable
from steward.base.db.migrations.runner import upgrade
from steward.base.db.partitions import keep_months_ahead
from steward.base.db.pool import PooledDatabase
from steward.base.db.urls import place_of, require_url
from steward.base.errors import OperationalError
from steward.govern.ledger.chaining import Chainer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """An open database and the URLs it was opened with."""

    database: PooledDatabase
    app_url: str
    owner_url: str


def app_role(app_url: str, owner_url: str) -> str | None:
    """Return the role that needs rights granted: the application's, where another owns the tables.

    Raises:
        Misconfigured: one of them isn't a PostgreSQL URL.
    """
    app = require_url(app_url).get("user")
    owner = require_url(owner_url, setting="STEWARD_MIGRATION_DATABASE_URL").get("user")
    return app if app and app != owner else None


async def _leave_no_tail(database: PooledDatabase) -> None:
    """Link what this process wrote into the ledger; a database that is gone leaves that to the next."""
    try:
        await Chainer(database, SystemClock()).finish()
    except OperationalError as error:
        log.warning("ledger_not_chained", sentence=str(error))


@asynccontextmanager
async def open_store(settings: Settings, *, progress: Callable[[str], None]) -> AsyncIterator[Store]:
    """Open the store and close it at the end; the embedded server stops with its last process."""
    server = None
    if settings.database_url is None:
        from steward.base.db.embedded import start_embedded

        server = await start_embedded(settings.data_dir, progress=progress)
        app_url, owner_url = server.app_url, server.owner_url
    else:
        app_url = settings.database_url
        owner_url = settings.migration_database_url or app_url
    try:
        role = app_role(app_url, owner_url)
        try:
            await asyncio.to_thread(upgrade, owner_url, app_role=role)
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(f"{error.reason} at {place_of(owner_url)}") from error
        await keep_months_ahead(owner_url, SystemClock())
        database = await PooledDatabase.open(app_url, max_size=settings.database_connections)
        try:
            yield Store(database, app_url, owner_url)
        finally:
            await _leave_no_tail(database)
            await database.close()
    finally:
        if server is not None:
            await server.detach()
