"""Rehearsals: a changed folder, a short plan, simulated customers, and what became of the rollout.

Nothing here reaches a real customer: the rollout is on the lane of simulated conversations, and the
changed releases are never served. The plan is for showing: its phases last as long as it takes to see a
few hundred invented customers, so its margins are far wider than a real rollout's would be.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from steward.app.sample_customers import facts_of
from steward.base.errors import Conflict
from steward.improve.insight.contracts import Better
from steward.improve.insight.kpis import trigger_of
from steward.improve.rollout.contracts import (
    Advance,
    BreakerPlan,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    Rollout,
    RolloutKind,
    RolloutState,
    Stage,
)
from steward.improve.rollout.service import Rollouts
from steward.improve.simulation.pace import Pace
from steward.improve.simulation.personas import Habits, Population
from steward.improve.simulation.surveys import SurveyModel
from steward.improve.simulation.talking import new_client
from steward.improve.simulation.tally import Summary
from steward.improve.simulation.traffic import Load, Traffic
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.assistant.schema.base import Risk

GUARDRAILS: Final = "guardrails.yaml"
TOO_SURE: Final = 0.98
"""Evidence that a bad candidate asks for: about half of the sample's questions are handed over then."""
CLEARER_QUESTION: Final = (
    "I want to get this right. What were you trying to do, and what happened instead? A bill, a payment, "
    "a sign-in, broadband, TV or mobile: one sentence is enough."
)
MARGINS: Final = {
    "csat": 0.5,
    "escalation_rate": 0.12,
    "slow_turn_rate": 0.1,
    "unverified_rate": 0.1,
    "error_rate": 0.05,
}
"""Wide enough that 200 to 500 customers decide at 50/50; a real plan's are a tenth to a fifth of these."""
LOOKS_EVERY_S: Final = 0.5
AGREED: Final = "The rehearsal agrees with itself, so that you see where agreements stand."


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Who rehearses what: figures of the traffic, and why, as the timeline shows it.

    `at_once` bounds the conversations under way: a slow machine then gets fewer customers instead of a
    queue in which a visitor's own message would wait.
    """

    by: str
    reason: str
    pace: Pace
    seed: int = 1
    first_customer: int = 0
    at_once: int = 12
    think_s: tuple[float, float] = (0.2, 1.0)
    limit_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rollout as it ended, or stood at the time limit, and the traffic that it had."""

    rollout: Rollout
    summary: Summary


# ------------------------------------------------------------------ what is rehearsed


def make_good_folder(folder: Folder) -> Folder:
    """Return the folder with a clearer question for messages that it isn't sure about."""
    return edited(folder, ("evidence", "ask_back"), CLEARER_QUESTION)


def make_bad_folder(folder: Folder) -> Folder:
    """Return the folder so distrustful of its knowledge that it asks back or hands over most questions."""
    return edited(folder, ("evidence", "answer_from"), TOO_SURE)


def edited(folder: Folder, path: Sequence[str], value: object) -> Folder:
    """Return the folder with one value of guardrails.yaml changed, comments and order kept.

    Raises:
        FolderFaults: the value isn't allowed there.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree: Any = yaml.load(folder.files[GUARDRAILS].decode())
    place = tree
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    written = io.StringIO()
    yaml.dump(tree, written)
    return read_files({**folder.files, GUARDRAILS: written.getvalue().encode()}, f"{folder.name} (changed)")


def demonstration_plan(folder: Folder) -> Plan:
    """Return a plan that a few minutes of simulated traffic can decide.

    A quarter of the customers on low-risk matters, then half of all customers, then everybody; from
    the first step to the second somebody has to agree. Only for rehearsals.
    """
    return Plan(
        phases=(
            _phase(folder, "pilot", Stage.PILOT, 25.0, 15, Advance.NO_HARM, risks=(Risk.LOW, Risk.MEDIUM)),
            _phase(folder, "ramp", Stage.RAMP, 50.0, 60, Advance.SAFE, approval="operator"),
            _phase(folder, "full", Stage.FULL, 100.0, 1, Advance.NO_HARM),
        ),
        triggers=tuple(_trigger(name, margin) for name, margin in MARGINS.items()),
        alpha=0.05,
        holdout_share=0.0,
        slow_ms=float(folder.rollout.slow_seconds) * 1000,
        stale_hours=0.1,
        idle_minutes=0.25,
        survey_hours=3 / 3600,
        recontact_hours=1 / 60,
        breaker=BreakerPlan(consecutive_failures=8, window_turns=40, failure_share=0.5),
    )


def _trigger(name: str, margin: float) -> PlannedTrigger:
    kpi = trigger_of(name)
    return PlannedTrigger(kpi.name, margin, kpi.better is Better.HIGHER, kpi.rare, kpi.matures.value)


def _phase(
    folder: Folder,
    name: str,
    stage: Stage,
    share_percent: float,
    minimum: int,
    advance: Advance,
    *,
    risks: tuple[Risk, ...] = tuple(Risk),
    approval: str | None = None,
) -> PlannedPhase:
    matters = {
        intent.category for intent in folder.intents.intents if not intent.reply and not intent.hand_over
    }
    taking_part = sorted(
        item.name for item in folder.intents.categories if item.risk in risks and item.name in matters
    )
    return PlannedPhase(
        name=name,
        stage=stage,
        share_percent=share_percent,
        categories=tuple(taking_part),
        channels=(),
        minimum_conversations=minimum,
        minimum_hours=0.0,
        advance=advance,
        approval=approval,
    )


# ------------------------------------------------------------------ driving it


async def rehearse(
    rollouts: Rollouts,
    rehearsal: Rehearsal,
    *,
    folder: Folder,
    candidate: str,
    plan: Plan | None = None,
    url: str,
    key: str,
    tell: Callable[[str], None] = lambda _: None,
) -> Rehearsed:
    """Start a rehearsed rollout of a candidate and let simulated customers decide it.

    Args:
        rollouts: the service; a process that serves has to be running, for it decides.
        rehearsal: who, why, and how much traffic.
        folder: the served folder: where the customers' matters come from.
        candidate: the release to try: id, beginning of it, or number.
        plan: by default the demonstration's.
        url: where the assistant answers.
        key: a key that may simulate traffic.
        tell: told each change in a sentence.

    Raises:
        AlreadyUnderWay: another rehearsal is open.
    """
    rollout = await rollouts.start(
        assistant=folder.name,
        candidate=candidate,
        kind=RolloutKind.ROLLOUT,
        simulated=True,
        plan=plan or demonstration_plan(folder),
        by=rehearsal.by,
        reason=rehearsal.reason,
        without_gate=True,
    )
    return await go_on(rollouts, rehearsal, rollout.id, folder=folder, url=url, key=key, tell=tell)


async def go_on(
    rollouts: Rollouts,
    rehearsal: Rehearsal,
    rollout_id: UUID,
    *,
    folder: Folder,
    url: str,
    key: str,
    tell: Callable[[str], None] = lambda _: None,
) -> Rehearsed:
    """Drive simulated traffic until a rehearsed rollout has ended, or the time is up."""
    stop = asyncio.Event()
    begun = time.perf_counter()
    async with new_client(url, key, connections=rehearsal.at_once) as client:
        traffic = Traffic(client, population_of(folder, rehearsal), survey=SurveyModel(answer_share=0.6))
        load = Load(
            rehearsal.pace,
            duration_s=rehearsal.limit_s,
            at_once=rehearsal.at_once,
            think_s=rehearsal.think_s,
            first_customer=rehearsal.first_customer,
        )
        talking = asyncio.create_task(traffic.run(load, stop=stop))
        try:
            rollout = await _watch(rollouts, rollout_id, rehearsal, tell=tell, until=talking)
            stop.set()
            tally = await talking
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
    return Rehearsed(rollout, tally.summary(seconds=time.perf_counter() - begun, seed=rehearsal.seed))


def population_of(folder: Folder, rehearsal: Rehearsal) -> Population:
    """Return customers most of whom come once, for verdicts read a customer's first conversation."""
    habits = Habits(conversations=1.25)
    return Population(folder, seed=rehearsal.seed, habits=habits, facts=facts_of(folder))


async def _watch(
    rollouts: Rollouts,
    rollout_id: UUID,
    rehearsal: Rehearsal,
    *,
    tell: Callable[[str], None],
    until: asyncio.Task[Any],
) -> Rollout:
    """Follow a rollout and give the agreements that its phases need."""
    told: tuple[RolloutState, int] | None = None
    while True:
        rollout = await rollouts.get(rollout_id)
        if (rollout.state, rollout.phase) != told:
            told = (rollout.state, rollout.phase)
            tell(f"{rollout.state.value}, phase '{rollout.current.name}'")
        if not rollout.state.is_open or until.done():
            return rollout
        if rollout.state is RolloutState.WAITING:
            await _agree(rollouts, rollout, rehearsal)
        await asyncio.sleep(LOOKS_EVERY_S)


async def _agree(rollouts: Rollouts, rollout: Rollout, rehearsal: Rehearsal) -> None:
    phase = 0 if rollout.phase_started_at is None else rollout.phase + 1
    role = rollout.plan.phases[phase].approval
    if role is None:
        return
    # Somebody at the console may have decided since it was read.
    with suppress(Conflict):
        await rollouts.approve(
            rollout.id, phase=phase, approve=True, role=role, by=rehearsal.by, reason=AGREED
        )
