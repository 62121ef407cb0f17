"""Looks at open rollouts several times a second and does what the evidence asks for.

One process leads. It takes what has become final into the sums, watches the candidate's turns, judges,
and decides under the lock of the rollout's row from numbers read under that lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.errors import StewardError
from steward.govern.ledger.service import Ledger
from steward.improve.rollout import breaker, queries
from steward.improve.rollout.collecting import Collector
from steward.improve.rollout.contracts import ALL, Look, Rollout, RolloutKind, TriggerVerdict
from steward.improve.rollout.deciding import Decision, Deed, decide, look, numbers_of
from steward.improve.rollout.gate import closed
from steward.improve.rollout.governing import Conditions
from steward.improve.rollout.leader import Leadership
from steward.improve.rollout.situation import gather, latest_turns
from steward.improve.rollout.transitions import SYSTEM, Cause, Transitions
from steward.supply.releases.traffic import TrafficControl

TICK_S: Final = 0.25
IDLE_S: Final = 1.0
"""Between looks for an open rollout while there is none."""
LEAST_PAUSE_S: Final = 0.02
QUIET_LOOK_S: Final = 2.0
"""Between two judgements while no conversation ends: time alone may hold a rollout or let it go on."""
SEARCH_EVERY_S: Final = 15.0
"""Between two searches of all that is open: for what was closed while nobody looked, or by a slow clock."""
POINT_EVERY: Final = timedelta(seconds=10)
POINT_GROWTH: Final = 1.02
CATEGORY_POINT_EVERY: Final = timedelta(minutes=1)
MOST_POINTS: Final = 400
"""Points of one line in a chart; beyond that every second one is dropped."""
THIN_EVERY: Final = 20
"""Times that points are added before they are counted."""
Result = TypeVar("Result")
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Memory:
    """What the leader knows of a rollout since it leads."""

    looked_at: float = 0.0
    searched_at: float = -inf
    stood: tuple[object, ...] = ()
    kept: int = 0
    points: dict[tuple[int, str, str], TriggerVerdict] = field(default_factory=dict)
    point_at: dict[tuple[int, str, str], datetime] = field(default_factory=dict)


class Controller:
    """The loop; built once by the composition root, run by every process that serves or works."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        traffic: TrafficControl,
        clock: Clock,
        assistant: str,
        url: str,
        conditions: Conditions,
    ) -> None:
        """Use a pool for the work and a URL of the same database for the leader's own connection."""
        self._database = database
        self._clock = clock
        self._assistant = assistant
        self._conditions = conditions
        self._transitions = Transitions(ledger=ledger, traffic=traffic, clock=clock)
        self._collector = Collector(database=database, clock=clock)
        self._leadership = Leadership(url, f"rollouts {assistant}")
        self._memories: dict[UUID, _Memory] = {}

    @property
    def leads(self) -> bool:
        """Whether this process is the one that decides now."""
        return self._leadership.leads

    async def run(self) -> None:
        """Decide while this process leads; runs until it's cancelled."""
        await self._leadership.lead(self._go_round)

    async def _go_round(self) -> None:
        """Attend to every open rollout again and again, each apart from the others."""
        self._memories.clear()
        while True:
            begun = time.monotonic()
            found = await self._safely(self._open())
            for rollout in found or ():
                await self._safely(self._attend(rollout, patiently=True))
            pause_s = IDLE_S if found == () else TICK_S
            await asyncio.sleep(max(pause_s - (time.monotonic() - begun), LEAST_PAUSE_S))

    async def _safely(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Do some work; a failure is logged and the next round tries again: a named isolation point."""
        try:
            return await work
        except StewardError as error:
            log.warning("rollout_not_looked_at", sentence=str(error))
        except Exception:  # the isolation point of a look: the next one tries again
            log.exception("rollout_not_looked_at")
        return None

    async def tick(self) -> None:
        """Look at every open rollout once, and judge it whether or not that is due."""
        for rollout in await self._open():
            await self._attend(rollout, patiently=False)

    async def _open(self) -> tuple[Rollout, ...]:
        """Return the rollouts that divide traffic, those of real customers first."""
        async with self._database.read() as session:
            rows = await session.all(queries.OPEN, {"assistant": self._assistant})
        found = tuple(
            rollout
            for rollout in sorted(map(queries.rollout_of, rows), key=lambda rollout: rollout.simulated)
            if rollout.kind is not RolloutKind.SHADOW and rollout.phase_started_at is not None
        )
        for gone in set(self._memories) - {rollout.id for rollout in found}:
            del self._memories[gone]
        return found

    async def _attend(self, rollout: Rollout, *, patiently: bool) -> None:
        """Stop what fails at once; then collect, judge and decide, when patience says that it's time."""
        memory = self._memories.setdefault(rollout.id, _Memory())
        if await self._is_broken(rollout):
            await self._act(rollout.id)
            return
        thoroughly = not patiently or time.monotonic() >= memory.searched_at + SEARCH_EVERY_S
        taken = await self._collector.collect(rollout, thoroughly=thoroughly)
        if thoroughly:
            memory.searched_at = time.monotonic()
        stands = (rollout.state, rollout.phase, rollout.harmed_categories)
        is_news = taken > 0 or stands != memory.stood
        if patiently and not is_news and time.monotonic() < memory.looked_at + QUIET_LOOK_S:
            return
        memory.looked_at, memory.stood = time.monotonic(), stands
        async with self._database.read() as session:
            situation = await gather(session, rollout, at=self._clock.now())
        seen = await asyncio.to_thread(look, situation)
        if decide(situation, seen).deed is not Deed.NOTHING:
            await self._act(rollout.id)
        await self._keep(seen, memory)

    async def _is_broken(self, rollout: Rollout) -> bool:
        async with self._database.read() as session:
            turns = await latest_turns(session, rollout)
        if any(turn.grave for turn in turns):
            return True
        return breaker.tripped([turn.failed for turn in turns], rollout.plan.breaker) is not None

    # ------------------------------------------------------------ doing

    async def _act(self, rollout_id: UUID) -> None:
        """Decide again under the row's lock, and do it."""
        async with self._database.write() as session:
            rollout = await self._transitions.lock(session, rollout_id)
            situation = await gather(session, rollout, at=self._clock.now())
            seen = look(situation)
            decision = decide(situation, seen)
            if decision.deed is Deed.NOTHING:
                return
            if decision.deed in (Deed.ENTER, Deed.PROMOTE) and await self._is_closed(session, rollout):
                return
            evidence = {**numbers_of(situation, seen), "decision": decision.deed}
            cause = Cause(SYSTEM, decision.reason, evidence, decision.event_at)
            await self._do(session, rollout, decision, cause)
        log.info("rollout_decided", rollout=str(rollout_id), deed=decision.deed.value, reason=decision.reason)

    async def _is_closed(self, session: WriteSession, rollout: Rollout) -> bool:
        """Tell whether governance keeps the next phase closed, and note once what is missing.

        The phase goes on meanwhile, and the next look tries again.
        """
        following = min(rollout.phase + 1, len(rollout.plan.phases) - 1)
        missing = await self._conditions.missing(rollout, phase=following)
        if not missing:
            return False
        reason = str(closed(rollout.candidate, rollout.plan.phases[following].name, missing))
        newest = await session.one(queries.NEWEST_EVENT, {"id": rollout.id})
        if newest is None or tuple(newest) != ("gate_closed", reason):
            await self._transitions.note(session, rollout, "gate_closed", Cause(SYSTEM, reason, {}))
        return True

    async def _do(self, session: WriteSession, rollout: Rollout, decision: Decision, cause: Cause) -> None:
        do = self._transitions
        match decision.deed:
            case Deed.ROLL_BACK:
                await do.roll_back(session, rollout, cause)
            case Deed.ROLL_BACK_CATEGORIES:
                await do.roll_back_categories(session, rollout, decision.categories, cause)
            case Deed.HOLD:
                await do.hold(session, rollout, cause)
            case Deed.RESUME:
                await do.resume(session, rollout, cause)
            case Deed.ASK:
                assert decision.phase is not None
                await do.ask_approval(session, rollout, decision.phase, cause)
            case Deed.ENTER:
                assert decision.phase is not None
                await do.enter(session, rollout, decision.phase, cause)
            case Deed.PROMOTE:
                await do.promote(session, rollout, cause)
            case Deed.CONCLUDE:
                await do.conclude(session, rollout, cause)
            case Deed.NOTHING:
                pass

    # ------------------------------------------------------------ charts

    async def _keep(self, seen: Look, memory: _Memory) -> None:
        """Store the verdicts that a chart needs: changes, and a point now and then."""
        wanted = [verdict for verdict in seen.verdicts if _is_worth_a_point(seen, verdict, memory)]
        if not wanted:
            return
        place = {"id": seen.rollout_id, "phase": seen.phase, "at": seen.at}
        async with self._database.write() as session:
            await session.execute_many(queries.PUT_LOOK, [{**place, **_numbers(item)} for item in wanted])
            memory.kept += 1
            if memory.kept % THIN_EVERY == 0:
                await session.execute(queries.THIN_LOOKS, {**place, "most": MOST_POINTS})
        for verdict in wanted:
            line = (seen.phase, verdict.kpi, verdict.category)
            memory.points[line], memory.point_at[line] = verdict, seen.at


def _is_worth_a_point(seen: Look, verdict: TriggerVerdict, memory: _Memory) -> bool:
    line = (seen.phase, verdict.kpi, verdict.category)
    before = memory.points.get(line)
    if before is None or before.finding is not verdict.finding:
        return True
    n_before, n = before.n_baseline + before.n_candidate, verdict.n_baseline + verdict.n_candidate
    if n == n_before:
        return False
    every = POINT_EVERY if verdict.category == ALL else CATEGORY_POINT_EVERY
    grown = verdict.category == ALL and n >= n_before * POINT_GROWTH
    return grown or seen.at >= memory.point_at[line] + every


def _numbers(verdict: TriggerVerdict) -> dict[str, object]:
    return {
        "kpi": verdict.kpi,
        "category": verdict.category,
        "verdict": verdict.finding.value,
        "baseline": verdict.baseline,
        "candidate": verdict.candidate,
        "harm": verdict.harm,
        "low": verdict.low,
        "high": verdict.high,
        "margin": verdict.margin,
        "n_baseline": verdict.n_baseline,
        "n_candidate": verdict.n_candidate,
        "needed": verdict.needed,
    }
