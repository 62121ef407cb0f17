"""The shadow: a candidate answers a share of the finished turns again, with effects off and heard by nobody.

Turns are taken one at a time, after they have ended for the customer. Each is claimed in the database
before it is replayed and filled in once, so that several processes may sweep, and a killed one loses
nothing but time. Where replays can't keep up, the oldest turns are left out.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.errors import OperationalError, StewardError
from steward.improve.rollout.contracts import Rollout, RolloutKind, RolloutState
from steward.improve.rollout.queries import OPEN, rollout_of
from steward.serve.turn.replay import Compared

SWEEP_FOR_S: Final = 5.0
"""How long one sweep goes on taking turns."""
REPLAY_WITHIN_S: Final = 60.0
"""A replay that takes longer is given up and counts as failed."""
CLAIM_ENDS_AFTER_S: Final = 300.0
"""A claim without a result for so long belonged to a process that is gone: several times a replay."""
QUEUE: Final = 200
"""Turns that may wait for their replay."""
LONGEST_WAIT_S: Final = 3600.0
"""Turns that ended longer ago than this are left out."""
REST_SHARE: Final = 1.0
"""Rest after a replay, as a multiple of what it took: half of one core's time at most."""
LEAST_REST_S: Final = 0.1
"""Rest after the shortest replay: ten a second at most."""
MOST_LOAD: Final = 1.5
"""One-minute load per core from which live turns have the machine to themselves."""
SAMPLE_PARTS: Final = 10_000
"""A share is so fine: as fine as the buckets of customers."""

_WAITING = """
    select t.id from turn t
    where t.assistant = %(assistant)s and t.simulated = %(simulated)s and t.release_id = %(baseline)s
      and t.finished_at >= %(since)s and t.outcome <> 'silent'
      and (%(categories)s::text[] = '{}' or t.category = any(%(categories)s))
      and (%(channels)s::text[] = '{}' or t.channel = any(%(channels)s))
      and mod(hashtextextended(t.id::text, hashtextextended(%(rollout)s::text, 0)) & 9223372036854775807,
              %(parts)s) < %(chosen)s
      and not exists (select from shadow_turn s where s.rollout_id = %(rollout)s and s.turn_id = t.id
                      and (s.state <> 'begun' or s.begun_at >= %(ended)s))
    order by t.finished_at desc limit %(queue)s"""
# Only the stages that a replay runs as well are compared; taking in and storing belong to live turns alone.
_CLAIM = """
    insert into shadow_turn (rollout_id, turn_id, state, begun_at, category, currency, baseline_outcome,
        baseline_intent, baseline_sent, baseline_dropped, baseline_cost, baseline_ms)
    select %(rollout)s, t.id, 'begun', %(now)s, t.category, t.currency, t.outcome, t.intent, t.sentences_sent,
           t.sentences_dropped, t.cost, coalesce(t.understand_ms, 0) + coalesce(t.guard_ms, 0)
           + coalesce(t.retrieve_ms, 0) + coalesce(t.generate_ms, 0) + coalesce(t.verify_ms, 0)
           + coalesce(t.act_ms, 0)
    from turn t where t.id = %(turn)s
    on conflict (rollout_id, turn_id) do update set begun_at = excluded.begun_at
        where shadow_turn.state = 'begun' and shadow_turn.begun_at < %(ended)s
    returning begun_at"""
_COMPARED = """
    update shadow_turn
    set state = 'compared', at = %(at)s, candidate_outcome = %(outcome)s, candidate_intent = %(intent)s,
        same_sources = %(same_sources)s, same = %(same)s, candidate_sent = %(sent)s,
        candidate_dropped = %(dropped)s, candidate_cost = %(cost)s, candidate_ms = %(ms)s
    where rollout_id = %(rollout)s and turn_id = %(turn)s and state = 'begun' and begun_at = %(begun)s"""
_FAILED = """
    update shadow_turn set state = 'failed', at = %(at)s, failure = %(failure)s
    where rollout_id = %(rollout)s and turn_id = %(turn)s and state = 'begun' and begun_at = %(begun)s"""
log = structlog.get_logger(__name__)


class Replaying(Protocol):
    """Runs a past turn again with effects off."""

    async def replay(self, turn_id: UUID, *, release_id: str | None = None) -> Compared:
        """Return the turn as it was and as the release would answer it."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn that this process is to replay."""

    shadow: Rollout
    turn_id: UUID
    begun_at: datetime


def load_per_core() -> float:
    """Return the machine's load of the last minute per core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


class Shadowing:
    """Replays finished turns on the candidates of open shadows; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        replays: Replaying,
        load: Callable[[], float] = load_per_core,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._replays = replays
        self._load = load
        self._rest = rest
        self._sweeping = asyncio.Lock()

    async def sweep(self) -> int:
        """Replay waiting turns for a few seconds; return how many were stored.

        Stops at once while the machine is busy. Call it again and again.
        """
        async with self._sweeping:
            until, done = time.monotonic() + SWEEP_FOR_S, 0
            for shadow in await self._open():
                for turn_id in await self._waiting(shadow):
                    if time.monotonic() >= until or self._load() > MOST_LOAD:
                        return done
                    done += await self.run_once(shadow, turn_id)
            return done

    async def run_once(self, shadow: Rollout, turn_id: UUID) -> bool:
        """Claim one turn, replay it, store what came out and rest; tells whether this process did."""
        claim = await self._claim(shadow, turn_id)
        if claim is None:
            return False
        begun = time.monotonic()
        stored = await self._compare(claim)
        await self._rest(max(LEAST_REST_S, (time.monotonic() - begun) * REST_SHARE))
        return stored

    async def _open(self) -> tuple[Rollout, ...]:
        async with self._database.read() as session:
            found = [rollout_of(row) for row in await session.all(OPEN, {"assistant": None})]
        return tuple(
            rollout
            for rollout in found
            if rollout.kind is RolloutKind.SHADOW and rollout.state is RolloutState.RUNNING
        )

    async def _waiting(self, shadow: Rollout) -> Sequence[UUID]:
        """Return the latest turns that are to be replayed, oldest first."""
        now, phase = self._clock.now(), shadow.current
        began = shadow.phase_started_at or shadow.created_at
        async with self._database.read() as session:
            rows = await session.all(
                _WAITING,
                {
                    "rollout": shadow.id,
                    "assistant": shadow.assistant,
                    "simulated": shadow.simulated,
                    "baseline": shadow.baseline,
                    "categories": list(phase.categories),
                    "channels": list(phase.channels),
                    "since": max(began, now - timedelta(seconds=LONGEST_WAIT_S)),
                    "ended": now - timedelta(seconds=CLAIM_ENDS_AFTER_S),
                    "parts": SAMPLE_PARTS,
                    "chosen": round(phase.share_percent / 100 * SAMPLE_PARTS),
                    "queue": QUEUE,
                },
            )
        return [row[0] for row in reversed(rows)]

    async def _claim(self, shadow: Rollout, turn_id: UUID) -> Claim | None:
        now = self._clock.now()
        async with self._database.write() as session:
            row = await session.one(
                _CLAIM,
                {
                    "rollout": shadow.id,
                    "turn": turn_id,
                    "now": now,
                    "ended": now - timedelta(seconds=CLAIM_ENDS_AFTER_S),
                },
            )
        return None if row is None else Claim(shadow, turn_id, row[0])

    async def _compare(self, claim: Claim) -> bool:
        """Replay and store. The named isolation point of a replay: one that breaks is a result as well."""
        try:
            async with asyncio.timeout(REPLAY_WITHIN_S):
                compared = await self._replays.replay(claim.turn_id, release_id=claim.shadow.candidate)
        except OperationalError:
            raise  # the store or a model isn't there: the claim ends, and the turn is taken again
        except Exception as error:
            if not isinstance(error, StewardError | TimeoutError):
                log.exception("shadow_replay_failed", turn=str(claim.turn_id))
            return await self._store(claim, _FAILED, {"failure": type(error).__name__})
        now = compared.now
        figures = {
            "outcome": now.outcome,
            "intent": now.intent,
            "same_sources": set(compared.then.cited) == set(now.cited),
            "same": compared.same,
            "sent": now.sent,
            "dropped": now.dropped,
            "cost": now.cost,
            "ms": now.latency_ms,
        }
        return await self._store(claim, _COMPARED, figures)

    async def _store(self, claim: Claim, statement: str, values: Mapping[str, object]) -> bool:
        own = {
            "rollout": claim.shadow.id,
            "turn": claim.turn_id,
            "begun": claim.begun_at,
            "at": self._clock.now(),
        }
        async with self._database.write() as session:
            return await session.execute(statement, {**own, **values}) == 1
