"""The one row per assistant and lane that says who is answered by what, and how it changes.

A turn reads its generation with its conversation. While traffic is divided, turns take an advisory
lock in shared mode before they read and whoever changes the row takes it alone: when the change has
committed, every turn that began before is stored, and none begins by the old row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.supply.releases.assignment import Baseline, Holdout, Split, Traffic
from steward.supply.releases.contracts import SERVING_CHANNEL, ReleaseId
from steward.supply.releases.errors import NothingServed

WAIT_FOR_TURNS_MS: Final = 500
"""How long a change waits for turns that are being taken in, which takes some 10 ms each; a process
that is stopped in the middle of one must not hold a roll-back up."""

_ENTER = "select pg_advisory_xact_lock_shared(hashtextextended(%(lane)s, 0))"
_ALONE = "select lock_traffic(%(lane)s, %(wait_ms)s)"
_CURRENT = """
    select release_id, generation, split, holdout, baseline, simulated from serving
    where assistant = %(assistant)s and simulated <= %(simulated)s order by simulated desc limit 1"""
_HOLD = f"{_CURRENT} for update"
_CHANGE = """
    insert into serving (assistant, simulated, release_id, split, holdout, baseline, generation, changed_at)
    values (%(assistant)s, %(simulated)s, %(release)s, %(split)s, %(holdout)s, %(baseline)s,
            nextval('traffic_generation'), %(at)s)
    on conflict (assistant, simulated) do update
        set release_id = excluded.release_id, split = excluded.split, holdout = excluded.holdout,
            baseline = excluded.baseline,
            generation = excluded.generation, changed_at = excluded.changed_at
    returning generation"""
# By the holder, which has an index of its own: this is asked while nobody's message is taken in.
_IN_FLIGHT = """
    select turn_id from conversation
    where turn_holder is not null and rollout_id = %(rollout)s and release_id = %(candidate)s
    order by turn_id"""
log = structlog.get_logger(__name__)


def lane_of(assistant: str, *, simulated: bool) -> str:
    """Return the name that the lock of a lane is made from."""
    return f"traffic {assistant} {'simulated' if simulated else 'real'}"


class TrafficControl:
    """Reads and changes traffic in the caller's sessions; built once by the composition root."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def enter(self, session: WriteSession, assistant: str, *, simulated: bool) -> None:
        """Hold changes of a lane up until this transaction ends. Read the traffic after this, not before."""
        await session.one(_ENTER, {"lane": lane_of(assistant, simulated=simulated)})

    async def current(self, session: ReadSession, assistant: str, *, simulated: bool) -> Traffic:
        """Return a lane's traffic; that of rehearsals is the real one, undivided, until it has its own.

        Raises:
            NothingServed: the assistant serves nothing yet.
        """
        return await _read(session, _CURRENT, assistant, simulated=simulated)

    async def hold(self, session: WriteSession, assistant: str, *, simulated: bool) -> Traffic:
        """Return a lane's traffic, and keep others from changing it until this transaction ends.

        Who changes traffic reads it by this: two changes at once would undo each other. Turns don't wait.

        Raises:
            NothingServed: the assistant serves nothing yet.
        """
        return await _read(session, _HOLD, assistant, simulated=simulated)

    async def change(self, session: WriteSession, traffic: Traffic) -> Traffic:
        """Make this the lane's traffic at the caller's commit; return it with its generation."""
        await self._alone(session, lane_of(traffic.assistant, simulated=traffic.simulated))
        row = await session.one(
            _CHANGE,
            {
                "assistant": traffic.assistant,
                "simulated": traffic.simulated,
                "release": traffic.release_id,
                "split": _text(None if traffic.split is None else traffic.split.as_json()),
                "holdout": _text(None if traffic.holdout is None else traffic.holdout.as_json()),
                "baseline": _text(traffic.baseline.as_json()),
                "at": self._clock.now(),
            },
        )
        assert row is not None
        await session.notify(SERVING_CHANNEL, traffic.assistant)
        return replace(traffic, generation=row[0])

    async def end_rehearsal(self, session: WriteSession, assistant: str) -> None:
        """Let simulated traffic be answered as real traffic is again."""
        await self._alone(session, lane_of(assistant, simulated=True))
        await session.execute("delete from serving where assistant = %s and simulated", (assistant,))
        await session.notify(SERVING_CHANNEL, assistant)

    async def in_flight(
        self, session: ReadSession, rollout_id: UUID, candidate: ReleaseId
    ) -> tuple[UUID, ...]:
        """Return the turns that are under way on a rollout's candidate."""
        rows = await session.all(_IN_FLIGHT, {"rollout": rollout_id, "candidate": candidate})
        return tuple(row[0] for row in rows)

    async def _alone(self, session: WriteSession, lane: str) -> None:
        """Wait, a bounded time, until no turn is being taken in by the old row, and keep others out."""
        row = await session.one(_ALONE, {"lane": lane, "wait_ms": WAIT_FOR_TURNS_MS})
        if row is not None and not row[0]:
            log.warning("traffic_changed_without_waiting", lane=lane, waited_ms=WAIT_FOR_TURNS_MS)


async def _read(session: ReadSession, statement: str, assistant: str, *, simulated: bool) -> Traffic:
    row = await session.one(statement, {"assistant": assistant, "simulated": simulated})
    if row is None:
        raise NothingServed(assistant)
    release_id, generation, split, holdout, baseline, own = row
    if own != simulated:
        return Traffic(assistant, simulated, ReleaseId(release_id), generation)
    return Traffic(
        assistant,
        simulated,
        ReleaseId(release_id),
        generation,
        None if split is None else Split.from_json(split),
        None if holdout is None else Holdout.from_json(holdout),
        Baseline() if baseline is None else Baseline.from_json(baseline),
    )


def _text(kept: Mapping[str, Any] | None) -> str | None:
    return None if kept is None else json.dumps(kept, sort_keys=True)
