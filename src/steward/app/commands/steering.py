"""`steward rollout list|advance|pause|resume|rollback|abort|approve|verify`: what needs only the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.probes import governing_of
from steward.app.storage import open_store
from steward.base.clock import Clock, SystemClock
from steward.base.db.contracts import Database
from steward.base.errors import Conflict, NotFound
from steward.govern.ledger.service import Ledger
from steward.improve.rollout.contracts import Rollout
from steward.improve.rollout.errors import NoSuchRollout
from steward.improve.rollout.plan import as_json as plan_json
from steward.improve.rollout.recomputing import verify
from steward.improve.rollout.steering import ADMIN, Steering
from steward.supply.releases.contracts import short_id
from steward.supply.releases.traffic import TrafficControl

LOOKED_THROUGH: Final = 500


@dataclass(frozen=True, slots=True)
class Desk:
    """What these commands work with."""

    database: Database
    ledger: Ledger
    rollouts: Steering


def run_list(*, limit: int, as_json: bool, data_dir: Path | None) -> int:
    """List rollouts."""

    async def work(desk: Desk) -> int:
        found = await desk.rollouts.recent(limit=limit)
        if as_json:
            print_json([rollout_json(rollout) for rollout in found])
        elif not found:
            say("no rollout yet; `steward rollout start RELEASE --reason WHY` begins one")
        for rollout in () if as_json else found:
            print(line_of(rollout))
        return 0

    return _at_desk(data_dir, work)


def run_advance(reference: str | None, *, reason: str, as_json: bool, data_dir: Path | None) -> int:
    """Go on to the next phase."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.advance(rollout.id, by=OPERATOR, reason=reason),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_pause(reference: str | None, *, reason: str, as_json: bool, data_dir: Path | None) -> int:
    """Assign nobody new."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.pause(rollout.id, by=OPERATOR, reason=reason),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_resume(reference: str | None, *, reason: str, as_json: bool, data_dir: Path | None) -> int:
    """Go on after a pause or a hold."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.resume(rollout.id, by=OPERATOR, reason=reason),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_rollback(
    reference: str | None, *, reason: str, category: str | None, as_json: bool, data_dir: Path | None
) -> int:
    """Take the candidate away."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.roll_back(
            rollout.id, by=OPERATOR, reason=reason, category=category
        ),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_abort(reference: str | None, *, reason: str, as_json: bool, data_dir: Path | None) -> int:
    """End it."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.abort(rollout.id, by=OPERATOR, reason=reason),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_approve(
    reference: str | None, *, reason: str, deny: bool, as_json: bool, data_dir: Path | None
) -> int:
    """Agree to the phase that waits for it."""
    return _steer(
        reference,
        lambda desk, rollout: desk.rollouts.approve(
            rollout.id,
            phase=0 if rollout.phase_started_at is None else rollout.phase + 1,
            approve=not deny,
            role=ADMIN,
            by=OPERATOR,
            reason=reason,
        ),
        as_json=as_json,
        data_dir=data_dir,
    )


def run_verify(reference: str | None, *, as_json: bool, data_dir: Path | None) -> int:
    """Compute every decision again; 1 when one doesn't follow from its numbers."""

    async def work(desk: Desk) -> int:
        rollout = await find(desk.rollouts, reference, newest=True)
        async with desk.database.read() as session:
            chain = await desk.ledger.verify(session)
            entries = await verify(session, desk.ledger, rollout.id)
        whole = chain.ok and all(entry.agrees for entry in entries)
        if as_json:
            print_json(
                {
                    "rollout": rollout.id,
                    "agrees": whole,
                    "ledger": {"ok": chain.ok, "reason": chain.reason},
                    "entries": [{**asdict(entry), "agrees": entry.agrees} for entry in entries],
                }
            )
            return 0 if whole else 1
        for entry in entries:
            judged = f"{len(entry.verdicts)} verdicts" if entry.verdicts else "no verdicts"
            place = entry.position or ""
            says = "follows from its numbers" if entry.agrees else "DOESN'T FOLLOW"
            print(f"{place:>7}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.deed:<30} {judged:<13} {says}")
            for difference in entry.differences:
                print(f"         {difference}")
        if not chain.ok:
            print(f"the ledger breaks at row {chain.first_bad_position}: {chain.reason}")
        return 0 if whole else 1

    return _at_desk(data_dir, work)


async def find(rollouts: Steering, reference: str | None, *, newest: bool = False) -> Rollout:
    """Return the rollout that a person means: by id or its beginning, else the only open (or the newest) one.

    Raises:
        NoSuchRollout: nothing fits.
        Conflict: several fit.
    """
    known = await rollouts.recent(limit=LOOKED_THROUGH)
    if reference is None:
        fitting = [rollout for rollout in known if rollout.state.is_open]
        if not fitting or newest:
            fitting = list(known[:1]) if newest else []
        if not fitting:
            raise NotFound("no rollout is open; `steward rollout list` shows those that were")
    else:
        fitting = [rollout for rollout in known if str(rollout.id).startswith(reference.lower())]
        if not fitting:
            raise NoSuchRollout(reference)
    if len(fitting) > 1:
        ids = ", ".join(str(rollout.id) for rollout in fitting[:3])
        raise Conflict(f"several rollouts fit; say which: {ids}")
    return fitting[0]


def line_of(rollout: Rollout) -> str:
    """Return a rollout in one line."""
    lane = " (simulated)" if rollout.simulated else ""
    phase = rollout.current.name if rollout.phase_started_at is not None else "-"
    return (
        f"{rollout.id}  {rollout.assistant}{lane}  {rollout.kind.value:<10} "
        f"{rollout.state.value.replace('_', ' '):<11} {phase:<12} {short_id(rollout.candidate)} against "
        f"{short_id(rollout.baseline)}  {rollout.created_at:%Y-%m-%d %H:%M}"
    )


def rollout_json(rollout: Rollout) -> dict[str, Any]:
    """Return a rollout as plain values."""
    kept: dict[str, Any] = {
        name: getattr(rollout, name)
        for name in Rollout.__slots__
        if name not in ("plan", "harmed_categories")
    }
    return {
        **kept,
        "phase_name": rollout.current.name,
        "harmed_categories": list(rollout.harmed_categories),
        "plan": plan_json(rollout.plan),
    }


def _steer(
    reference: str | None,
    deed: Callable[[Desk, Rollout], Awaitable[Rollout]],
    *,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    async def work(desk: Desk) -> int:
        after = await deed(desk, await find(desk.rollouts, reference))
        print_json(rollout_json(after)) if as_json else print(line_of(after))
        return 0

    return _at_desk(data_dir, work)


def _at_desk(data_dir: Path | None, work: Callable[[Desk], Awaitable[int]]) -> int:
    """Open the store alone: taking a candidate away must not wait for a model to be loaded."""
    settings = prepared(data_dir)

    async def opened() -> int:
        clock: Clock = SystemClock()
        ledger = Ledger(clock)
        async with open_store(settings, progress=say) as store:
            rollouts = Steering(
                database=store.database,
                ledger=ledger,
                traffic=TrafficControl(clock),
                clock=clock,
                conditions=governing_of(store.database, ledger, clock),
            )
            return await work(Desk(store.database, ledger, rollouts))

    return run_async(opened)
