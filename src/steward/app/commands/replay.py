"""`steward replay`: a past turn again, with effects off, beside what was said then."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.foundation import Foundation, open_foundation
from steward.app.wiring import open_application
from steward.base.errors import InvalidInput
from steward.serve.turn.replay import Told
from steward.supply.releases.contracts import short_id


class NotATurn(InvalidInput):
    """What was given isn't a turn's id."""

    def __init__(self, given: str) -> None:
        super().__init__(f"'{given}' isn't a turn's id; the console shows it at each turn.")


async def assistant_of(foundation: Foundation, turn_id: UUID) -> str:
    """Return the assistant that a turn belongs to.

    Raises:
        NotATurn: there is no such turn.
    """
    async with foundation.store.database.read() as session:
        row = await session.one("select assistant from turn where id = %s", (turn_id,))
    if row is None:
        raise NotATurn(str(turn_id))
    return str(row[0])


def run_replay(turn: str, *, release: str | None, as_json: bool, data_dir: Path | None) -> int:
    """Replay and compare; 1 when intent, outcome or sources differ."""
    settings = prepared(data_dir)
    try:
        turn_id = UUID(turn)
    except ValueError as error:
        raise NotATurn(turn) from error

    async def work() -> int:
        async with open_foundation(settings, say=say) as foundation:
            release_id = (await foundation.releases.find(release)).id if release else None
            assistant = await assistant_of(foundation, turn_id)
            async with open_application(foundation, assistant=assistant) as application:
                compared = await application.replays.replay(turn_id, release_id=release_id)
        if as_json:
            told = {**asdict(compared), "same": compared.same, "differences": compared.differences}
            print_json(told)
        else:
            print(f"then  {_shown(compared.then)}\n\nnow   {_shown(compared.now)}\n")
            print("\n".join(compared.differences) or "No difference.")
        return 0 if compared.same else 1

    return run_async(work)


def _shown(told: Told) -> str:
    cost = "cost unknown" if told.cost is None else f"{told.cost.normalize():f} {told.currency}"
    return (
        f"{told.outcome}, {told.reason}; release {short_id(told.release)}, "
        f"{told.model or 'no model'}, {told.latency_ms:.0f} ms, {cost}\n{told.text}"
    )
