"""`steward rollout drill`: a rehearsed roll-back against the assistant that runs here."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2 as httpx

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.rollout import event_in_words, rollouts_of
from steward.app.commands.simulate import NoKey
from steward.app.commands.steering import rollout_json
from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.app.local_access import local_key
from steward.app.rehearsal import Rehearsal, make_bad_folder, rehearse
from steward.base.errors import InvalidInput, Unavailable
from steward.improve.rollout.contracts import RolloutState
from steward.improve.simulation.pace import Pace
from steward.supply.assistant.folder import Folder
from steward.supply.releases.traffic import TrafficControl

REASON = "drill: a candidate that asks back or hands over most questions must be rolled back by itself"


class NobodyServes(InvalidInput):
    """No assistant, or several, could be drilled."""

    def __init__(self, served: list[str]) -> None:
        if served:
            names = ", ".join(served)
            super().__init__(f"Several assistants are served here ({names}); a drill needs one.")
        else:
            super().__init__("Nothing is served here yet: `steward up` or `steward release create --serve`.")


class NotRunning(Unavailable):
    """The assistant doesn't answer."""

    def __init__(self, url: str) -> None:
        super().__init__(f"No assistant answers at {url}: start `steward up` or give its address with --url.")


@dataclass(frozen=True, slots=True)
class Drill:
    """What the command line asked for."""

    url: str | None
    key: str | None
    per_second: float
    limit_s: float
    seed: int


def run_drill(drill: Drill, *, as_json: bool, data_dir: Path | None) -> int:
    """Rehearse, then tell what happened with times; 1 when the candidate wasn't rolled back."""
    if drill.per_second <= 0:
        raise InvalidInput("--per-second has to be more than 0.")
    settings = prepared(data_dir)
    key = drill.key or local_key(settings.data_dir)
    if key is None:
        raise NoKey(settings.data_dir)
    url = drill.url or f"http://{settings.host}:{settings.port}"

    async def work() -> int:
        await _require_running(url)
        async with open_foundation(settings, say=say) as foundation:
            return await _drill(foundation, drill, url=url, key=key, as_json=as_json)

    return run_async(work)


async def _drill(foundation: Foundation, drill: Drill, *, url: str, key: str, as_json: bool) -> int:
    rollouts = rollouts_of(foundation, open_evals(foundation))
    folder = await _served_folder(foundation)
    bad = await asyncio.to_thread(make_bad_folder, folder)
    release = await foundation.releases.create(bad, created_by=OPERATOR, progress=say)
    rehearsal = Rehearsal(
        by=OPERATOR,
        reason=REASON,
        pace=Pace(per_second=drill.per_second),
        seed=drill.seed,
        limit_s=drill.limit_s,
    )
    rehearsed = await rehearse(
        rollouts, rehearsal, folder=folder, candidate=release.id, url=url, key=key, tell=say
    )
    rollout = rehearsed.rollout
    if rollout.state.is_open:
        rollout = await rollouts.abort(rollout.id, by=OPERATOR, reason="the drill's time is up")
    async with foundation.store.database.write() as session:
        await TrafficControl(foundation.clock).end_rehearsal(session, folder.name)
    events = await rollouts.events(rollout.id)
    undone = rollout.state is RolloutState.ROLLED_BACK
    if as_json:
        print_json(
            {
                "rolled_back": undone,
                "rollout": rollout_json(rollout),
                "events": [asdict(event) for event in events],
                "traffic": rehearsed.summary.as_json(),
            }
        )
        return 0 if undone else 1
    for event in events:
        print(event_in_words(event))
    print(
        f"\n{rehearsed.summary.conversations} simulated conversations; the candidate "
        f"{'was rolled back by itself' if undone else 'was NOT rolled back'}. Nobody real took part."
    )
    return 0 if undone else 1


async def _served_folder(foundation: Foundation) -> Folder:
    """Return the folder of the release that the one assistant here serves."""
    async with foundation.store.database.read() as session:
        rows = await session.all("select assistant, release_id from serving where not simulated order by 1")
    if len(rows) != 1:
        raise NobodyServes([row[0] for row in rows])
    return (await foundation.releases.load(rows[0][1])).folder


async def _require_running(url: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=5.0) as client:
            answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        raise NotRunning(url) from error
    if answer.is_server_error:
        raise NotRunning(url)
