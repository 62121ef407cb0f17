"""What the demo rehearses by itself: one change that is promoted and one that rolls itself back.

It runs once for a data directory, beside the server and after it is ready, slowly enough that a visitor's
own chat stays quick. Only simulated customers take part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from steward.app.rehearsal import Rehearsal, go_on, make_bad_folder, make_good_folder, rehearse
from steward.app.wiring import Application
from steward.improve.rollout.service import Rollouts
from steward.improve.simulation.pace import Pace
from steward.supply.assistant.folder import Folder
from steward.supply.releases.traffic import TrafficControl

BY: Final = "demo"
SETTLES_S: Final = 3.0
"""How long a visitor who waits for the first page has the machine alone."""
PACE: Final = Pace(per_second=5.0)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scene:
    """One rehearsal of the demo."""

    change: Callable[[Folder], Folder]
    reason: str
    first_customer: int


SCENES: Final = (
    Scene(
        make_good_folder,
        "Rehearsal with simulated customers: a clearer question where a message isn't clear.",
        0,
    ),
    Scene(
        make_bad_folder,
        "Rehearsal with simulated customers: answer only when the evidence is nearly perfect.",
        100_000,
    ),
)


@asynccontextmanager
async def rehearsing(
    application: Application, *, url: str, key: str, ready: asyncio.Event
) -> AsyncIterator[None]:
    """Rehearse in the background while the block runs, from when the server is ready until it stops."""
    task = asyncio.create_task(_rehearse(application, url=url, key=key, ready=ready))
    leaving = asyncio.create_task(_cancel_with(application.services.stopping, task))
    try:
        yield
    finally:
        for each in (leaving, task):
            each.cancel()
        await asyncio.gather(leaving, task, return_exceptions=True)


async def _cancel_with(stopping: asyncio.Event, task: asyncio.Task[None]) -> None:
    await stopping.wait()
    task.cancel()


async def _rehearse(application: Application, *, url: str, key: str, ready: asyncio.Event) -> None:
    await ready.wait()
    await asyncio.sleep(SETTLES_S)
    try:
        await play(application, url=url, key=key)
    except Exception:  # the isolation point of the demo's own traffic: the demo goes on without it
        log.exception("rehearsal_failed")


async def play(application: Application, *, url: str, key: str, pace: Pace = PACE) -> None:
    """Play the scenes that this data directory hasn't seen, one after the other."""
    rollouts = application.rollouts
    served = await application.foundation.releases.serving(application.assistant)
    folder = (await application.runtimes.of(served.release_id)).folder
    seen = await rollouts.recent(assistant=application.assistant, simulated=True)
    ours = sorted((each for each in seen if each.created_by == BY), key=lambda each: each.created_at)
    for number, scene in enumerate(SCENES):
        known = ours[number] if number < len(ours) else None
        if known is not None and not known.state.is_open:
            continue
        rehearsal = Rehearsal(by=BY, reason=scene.reason, pace=pace, first_customer=scene.first_customer)
        if known is not None:
            await go_on(rollouts, rehearsal, known.id, folder=folder, url=url, key=key, tell=_tell)
        else:
            await _begin(application, rollouts, scene, rehearsal, folder=folder, url=url, key=key)
        await end(application)


async def _begin(
    application: Application,
    rollouts: Rollouts,
    scene: Scene,
    rehearsal: Rehearsal,
    *,
    folder: Folder,
    url: str,
    key: str,
) -> None:
    changed = await asyncio.to_thread(scene.change, folder)
    release = await application.foundation.releases.create(changed, created_by=BY)
    await application.runtimes.of(release.id)
    await rehearse(rollouts, rehearsal, folder=folder, candidate=release.id, url=url, key=key, tell=_tell)


async def end(application: Application) -> None:
    """Let simulated conversations be answered as real ones are again."""
    foundation = application.foundation
    async with foundation.store.database.write() as session:
        await TrafficControl(foundation.clock).end_rehearsal(session, application.assistant)


def _tell(change: str) -> None:
    log.info("rehearsal", change=change)
