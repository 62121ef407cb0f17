"""`steward up`: everything in one process for a laptop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from steward.app.commands.console import prepared, run_async, say
from steward.app.commands.folder import NoFolder, report_faults
from steward.app.demo.neighbour import business_system
from steward.app.demo.offer import demo_of
from steward.app.demo.rehearsal import rehearsing
from steward.app.foundation import Foundation, open_foundation
from steward.app.kpi_faults import read_checked
from steward.app.local_access import LocalAccess, ensure_local_access
from steward.app.server import listen, serve, url_of
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.base.errors import StewardError
from steward.improve.rollout.steering import Steering
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.watching import FolderWatch, content_digest
from steward.supply.releases.errors import RolloutUnderWay
from steward.supply.releases.traffic import TrafficControl

SAMPLE = "northline"
SECRETS_EVERY_S = 1.0
log = structlog.get_logger(__name__)


def run_up(
    folder: Path | None,
    *,
    demo: bool,
    port: int | None,
    host: str | None,
    data_dir: Path | None,
    traffic: bool = True,
) -> int:
    """Start, print where, and serve until stopped."""
    settings = prepared(data_dir, serving=True, port=port, host=host)
    listener = listen(settings.host, settings.port)
    if folder is None:
        folder = settings.data_dir / SAMPLE if demo else Path()
        if demo and not folder.exists():
            initialise(folder, SAMPLE)
    if not (folder / "assistant.yaml").exists():
        raise NoFolder(folder)
    seen = content_digest(folder)
    try:
        read = read_checked(folder)
    except FolderFaults as error:
        report_faults(error)
        return 1

    async def work() -> None:
        async with AsyncExitStack() as stack:
            here, business_url = settings, None
            if demo:
                business_url = await stack.enter_async_context(business_system(settings.data_dir))
                urls = {system.name: business_url for system in read.connectors.systems}
                here = settings.model_copy(update={"system_urls": {**urls, **settings.system_urls}})
            foundation = await stack.enter_async_context(open_foundation(here, say=say))
            await take_folder(foundation, read)
            access = await ensure_local_access(foundation)
            application = await stack.enter_async_context(
                open_application(foundation, assistant=read.name, public_key=access.public_key)
            )
            if demo:
                offered = demo_of(application, access, business_url=business_url)
                application = replace(application, services=replace(application.services, demo=offered))
            await stack.enter_async_context(watching(application, folder, since=seen))
            url, answering = url_of(listener), asyncio.Event()
            if demo and traffic:
                rehearsal = rehearsing(application, url=url, key=access.key, ready=answering)
                await stack.enter_async_context(rehearsal)

            def ready() -> None:
                announce(url, access, folder, business_url, rehearses=demo and traffic)
                answering.set()

            await serve(application, listener, ready=ready)

    run_async(work)
    return 0


async def take_folder(foundation: Foundation, folder: Folder) -> str | None:
    """Freeze a folder and serve it; return its release, or None where a rollout is under way or took it back.

    Nothing changes when it's served already.
    """
    release = await foundation.releases.create(folder, created_by="system", progress=say)
    rollouts = Steering(
        database=foundation.store.database,
        ledger=foundation.ledger,
        traffic=TrafficControl(foundation.clock),
        clock=foundation.clock,
        conditions=foundation.governing,
    )
    if await rollouts.was_taken_back(folder.name, release.id):
        say(
            f"the folder is release {release.number}, which a rollout rolled back, so it isn't served; "
            f"`steward release serve {release.number}` serves it all the same"
        )
        return None
    try:
        await foundation.releases.serve(folder.name, release.id, actor="system")
    except RolloutUnderWay as error:
        say(f"the folder is frozen as release {release.number} and isn't served: {error}")
        return None
    return release.id


@asynccontextmanager
async def watching(application: Application, path: Path, *, since: str) -> AsyncIterator[None]:
    """Take changes of the folder, since a digest of it, and of the secrets while the block runs."""
    tasks = [
        asyncio.create_task(_watch_folder(application, path, since)),
        asyncio.create_task(_watch_secrets(application, application.foundation.settings)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_folder(application: Application, path: Path, since: str) -> None:
    async for _ in FolderWatch(path, since=since).changes():
        try:
            folder = await asyncio.to_thread(read_checked, path)
            if folder.name != application.services.settings.assistant:
                say(f"the assistant's name is now {folder.name}: start `steward up` again to serve it")
                continue
            release_id = await take_folder(application.foundation, folder)
            if release_id is None:
                continue
            await application.runtimes.of(release_id)
        except FolderFaults as error:
            report_faults(error)
            say("the folder has faults; the release before it goes on serving")
        except StewardError as error:
            log.warning("folder_not_taken", sentence=str(error))
        else:
            say(f"serving release {release_id[:12]}")


async def _watch_secrets(application: Application, settings: Settings) -> None:
    directory = settings.data_dir / "secrets"
    before = _stamp(directory)
    while True:
        await asyncio.sleep(SECRETS_EVERY_S)
        if (now := _stamp(directory)) != before:
            before = now
            application.runtimes.forget()
            say("secrets changed; models and systems are connected anew")


def _stamp(directory: Path) -> tuple[tuple[str, int], ...]:
    try:
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(directory)))
    except FileNotFoundError:
        return ()


def announce(
    url: str, access: LocalAccess, folder: Path, business_url: str | None, *, rehearses: bool
) -> None:
    """Print where everything is."""
    lines = [
        "",
        "Steward is ready.",
        f"  talk to it:  {url}/",
        f"  console:     {url}/console   (login {access.login}, password {access.password})",
        f"  folder:      {folder}   (changes are taken as you save them)",
    ]
    if business_url:
        lines.append(f"  the company: {business_url}/   (invented customers, payments and refunds)")
    if rehearses:
        lines.append(
            f"  rollouts:    {url}/console/rollouts   (rehearsed by simulated customers in 5 minutes)"
        )
    lines += [f"key: {access.key}", f"url: {url}", ""]
    print("\n".join(lines), flush=True)
    sys.stdout.flush()
