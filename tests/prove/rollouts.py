"""Rollouts end to end: a bad candidate is stopped by itself, whatever happens to those who decide."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.prove.client import Client
from tests.prove.crowd import Crowd
from tests.prove.processes import Process, free_port, kill_database, model_process
from tests.prove.results import Ledgered, Report, spread
from tests.prove.watching import Watch, answers, leader_of, leads, until
from tests.prove.world import ASSISTANT, World, open_world

from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.app.rehearsal import demonstration_plan, make_bad_folder, make_good_folder
from steward.app.settings import Settings
from steward.base.ids import first_id_at
from steward.improve.rollout.contracts import (
    BreakerPlan,
    Plan,
    PlannedTrigger,
    Rollout,
    RolloutEvent,
    RolloutState,
)
from steward.improve.rollout.recomputing import verify
from steward.improve.rollout.service import Rollouts
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.releases.traffic import TrafficControl

NAME = "rollouts"
CLAIM = """
Two Stewards answer simulated customers; a candidate half of whose turns fail verification gets 5 % of them.
It is stopped by itself, within 2 s of the event that decided; from that commit on no turn starts on it, on
either replica; turns in flight are listed; every message of every conversation gets its answer; the ledger
explains the decision and computes it again. The same with the deciding process killed in the middle, with
the database killed, with a candidate whose turns don't fail but hand over, and with a measure that stops
arriving, which holds the rollout and never promotes it.
"""
PLAIN = "bad candidate"
HANDS_OVER = "candidate that hands over"
LEADER_KILLED = "bad candidate, leader killed"
DATABASE_KILLED = "bad candidate, database killed"
METRIC_STOPS = "measure stops arriving"
SCENES: Final = (
    PLAIN, LEADER_KILLED, DATABASE_KILLED, METRIC_STOPS, PLAIN, LEADER_KILLED, DATABASE_KILLED, HANDS_OVER,
)  # fmt: skip
ROUNDS: Final = len(SCENES)
SHARE_PERCENT: Final = 5.0
PER_SECOND: Final = 4.0
LIMIT_S: Final = 900.0
AFTER_S: Final = 5.0
"""Traffic goes on for so long after the end, so that a turn on the candidate would be seen."""
DECIDED_WITHIN_S: Final = 2.0
SETTLED_WITHIN_S: Final = 60.0
SURVEYS_BEFORE_S: Final = 60.0
HELD_WITHIN_S: Final = 240.0
QUIET_AFTER_HOLD_S: Final = 20.0
WHO: Final = "operator:prove"
LIE: Final = {"misbehave": "invent_number"}

FAILED_TURNS = """
    select count(*) >= {failed}
           or exists (select from rollout where id = '{rollout}' and ended_at is not null)
    from turn where rollout_id = '{rollout}' and arm = 'candidate'
    and coalesce(route, '') = 'verification failed'"""
STARTED_AFTER = """
    select id::text from turn where rollout_id = '{rollout}' and release_id = '{candidate}'
    and (id >= '{bound}'::uuid or started_at > '{seen}')"""
FINISHED_AFTER = """
    select id::text from turn where rollout_id = '{rollout}' and release_id = '{candidate}'
    and finished_at > '{committed}'"""
TURNS = """
    select count(*) filter (where arm = 'candidate'), count(*) filter (where arm = 'candidate'
               and coalesce(route, '') = 'verification failed'),
           count(*) filter (where arm = 'candidate' and outcome in ('handed_over', 'asked')), count(*)
    from turn where rollout_id = '{rollout}'"""
UNANSWERED = """
    select count(*) from message m join conversation c on c.id = m.conversation_id
    where m.role = 'customer' and (m.pending or not exists (select from turn t where t.message_id = m.id))"""


@dataclass(slots=True)
class Scene:
    """One rollout, from its start to its end and a little beyond."""

    kind: str
    rollout: Rollout
    crowd: Crowd
    seen_at: float | None = None
    """When the end was first seen committed, in Unix seconds."""
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def wrong(self, what: str) -> None:
        """Note something that should not have happened."""
        self.problems.append(f"{self.kind} ({self.rollout.id}): {what}")


@dataclass(slots=True)
class Stage:
    """Everything that scenes share."""

    world: World
    second: Process
    liar: Process
    foundation: Foundation
    rollouts: Rollouts
    folder: Folder

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of both replicas."""
        return self.world.steward.url, self.second.url


async def run(directory: Path, *, seed: int, rounds: int = ROUNDS, scenes: Sequence[str] = SCENES) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=1) as world:
        await campaign(world, kept, seed=seed, rounds=rounds, scenes=scenes)
    return report(kept, seed)


async def campaign(
    world: World,
    kept: Ledgered,
    *,
    seed: int,
    rounds: int,
    scenes: Sequence[str] = SCENES,
    per_second: float = PER_SECOND,
    share_percent: float = SHARE_PERCENT,
) -> None:
    """Play the scenes in turn."""
    async with open_stage(world) as stage:
        for number in range(len(kept.rounds), rounds):
            chance = random.Random(f"{seed}:{number}")
            kind = scenes[number % len(scenes)]
            begun = time.monotonic()
            scene = await play(
                stage, kind, chance, per_second=per_second, first_customer=number * 100_000,
                share_percent=share_percent,
            )  # fmt: skip
            seconds = round(time.monotonic() - begun, 1)
            kept.add({"kind": kind, **scene.figures, "seconds": seconds, "problems": scene.problems})
            print(f"  round {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)


@asynccontextmanager
async def open_stage(world: World) -> AsyncIterator[Stage]:
    """Start the second replica and a model that invents numbers, and open the store beside them."""
    second, liar = world.second(), model_process(world.directory, port=free_port())
    second.log, liar.log = world.directory / "second.log", world.directory / "liar.log"
    async with open_foundation(Settings(data_dir=world.data), say=lambda _: None) as foundation:
        try:
            for process in (liar, second):
                process.start()
            for process in (liar, second):
                await process.ready()
            await Client(liar.url).call("POST", "/simulate", LIE)
            await world.pace(token_ms=1.0)
            served = await foundation.releases.serving(ASSISTANT)
            folder = (await foundation.releases.load(served.release_id)).folder
            rollouts = Rollouts(
                database=foundation.store.database, releases=foundation.releases,
                conditions=foundation.governing, gates=open_evals(foundation), ledger=foundation.ledger,
                traffic=TrafficControl(foundation.clock), clock=foundation.clock,
            )  # fmt: skip
            yield Stage(world, second, liar, foundation, rollouts, folder)
        finally:
            for process in (second, liar):
                process.stop()


# ------------------------------------------------------------------ one scene


async def play(
    stage: Stage,
    kind: str,
    chance: random.Random,
    *,
    per_second: float,
    first_customer: int,
    share_percent: float,
) -> Scene:
    """Start a rollout, let it be decided, and look at what became of it."""
    candidate = await release_of(stage, kind, mark=f"{first_customer} {chance.random()}")
    rollout = await stage.rollouts.start(
        assistant=ASSISTANT, candidate=candidate, simulated=True,
        plan=plan_of(stage.folder, kind, share_percent=share_percent), by=WHO,
        reason=f"prove: {kind}", without_gate=True,
    )  # fmt: skip
    crowd = Crowd(
        stage.urls, str(stage.world.access()["key"]), stage.folder, chance.randrange(2**31), per_second,
        first_customer, answer_share=0.95 if kind == METRIC_STOPS else 0.6,
    )  # fmt: skip
    scene = Scene(kind, rollout, crowd)
    watch = Watch(stage.world.database_url(), rollout.id)
    watch.start()
    talking = asyncio.create_task(crowd.run(limit_s=LIMIT_S))
    try:
        if kind == METRIC_STOPS:
            await lose_a_measure(stage, scene, talking)
        else:
            await meanwhile(stage, scene, chance)
            await until(lambda: watch.ended_at is not None or talking.done(), within_s=LIMIT_S)
            await asyncio.sleep(AFTER_S)
    finally:
        crowd.stop.set()
        await talking
        watch.stop()
    scene.seen_at = watch.ended_at
    await settled(stage, scene)
    await look(stage, scene)
    if kind == METRIC_STOPS:
        await stage.rollouts.abort(rollout.id, by=WHO, reason="the scene is over")
    return scene


async def release_of(stage: Stage, kind: str, *, mark: str) -> str:
    """Make a candidate of its own: a lying model, distrust of all knowledge, or another question."""
    if kind == METRIC_STOPS:
        folder = make_good_folder(stage.folder)
    elif kind == HANDS_OVER:
        folder = make_bad_folder(stage.folder)
    else:
        about = stage.folder.files["assistant.yaml"].decode()
        honest, lying = stage.world.model.url, stage.liar.url
        if honest not in about:
            raise AssertionError("the sample's model isn't where this campaign looks for it")
        changed = about.replace(honest, lying).encode()
        folder = read_files({**stage.folder.files, "assistant.yaml": changed}, "lying")
    desk = folder.files["desk.yaml"] + f"\n# {mark}\n".encode()
    folder = read_files({**folder.files, "desk.yaml": desk}, "marked")
    made = await stage.foundation.releases.create(folder, created_by=WHO)
    return made.id


def plan_of(folder: Folder, kind: str, *, share_percent: float) -> Plan:
    """Return a plan whose first phase gives the candidate a share, half where a measure is to be missed."""
    plan = demonstration_plan(folder)
    first, *others = plan.phases
    everything = others[0].categories
    if kind == METRIC_STOPS:
        half = replace(first, share_percent=50.0, categories=everything, minimum_conversations=60)
        surveyed = (PlannedTrigger("csat", 0.3, higher_is_better=True, matures="survey"),)
        return replace(
            plan, phases=(half, *others), triggers=surveyed, stale_hours=15 / 3600, idle_minutes=0.1,
            breaker=BreakerPlan(8, 40, 0.9),
        )  # fmt: skip
    small = replace(first, share_percent=share_percent, categories=everything, minimum_conversations=10_000)
    return replace(plan, phases=(small, *others), breaker=BreakerPlan(8, 40, 0.4), stale_hours=1.0)


async def meanwhile(stage: Stage, scene: Scene, chance: random.Random) -> None:
    """Let something happen once some of the candidate's turns have failed, before they are too many."""
    if scene.kind not in (LEADER_KILLED, DATABASE_KILLED):
        return
    failed = chance.randrange(2, 15)
    query = FAILED_TURNS.format(rollout=scene.rollout.id, failed=failed)
    await until(lambda: bool(stage.world.rows(query)[0][0]), within_s=LIMIT_S, every_s=0.2)
    scene.figures["failed_before"] = failed
    begun = time.monotonic()
    if scene.kind == DATABASE_KILLED:
        await asyncio.to_thread(kill_database, stage.world.data)
        await until(lambda: answers(stage.world), within_s=SETTLED_WITHIN_S, every_s=0.1)
        scene.figures["away_s"] = round(time.monotonic() - begun, 2)
        return
    leader = leader_of((stage.world.steward, stage.second))
    other = stage.second if leader is stage.world.steward else stage.world.steward
    led = leads(other)
    await asyncio.to_thread(leader.kill)
    await until(lambda: leads(other) > led, within_s=SETTLED_WITHIN_S, every_s=0.02)
    scene.figures["away_s"] = round(time.monotonic() - begun, 2)
    leader.start()
    await leader.ready()


async def lose_a_measure(stage: Stage, scene: Scene, talking: asyncio.Task[None]) -> None:
    """Let customers answer surveys, then none any more while they go on coming; then again."""
    await asyncio.sleep(SURVEYS_BEFORE_S)
    scene.crowd.stop.set()
    await talking
    silent = replace_crowd(scene.crowd, first_customer=scene.crowd.first_customer + 20_000, answer_share=0.0)
    going = asyncio.create_task(silent.run(limit_s=LIMIT_S))
    begun, states = time.monotonic(), set[str]()
    try:
        while time.monotonic() - begun < HELD_WITHIN_S:
            state = (await stage.rollouts.get(scene.rollout.id)).state
            states.add(state.value)
            if state is RolloutState.HELD and "held_after_s" not in scene.figures:
                scene.figures["held_after_s"] = round(time.monotonic() - begun, 1)
                break
            await asyncio.sleep(0.2)
        until_s = time.monotonic() + QUIET_AFTER_HOLD_S
        while time.monotonic() < until_s:
            states.add((await stage.rollouts.get(scene.rollout.id)).state.value)
            await asyncio.sleep(0.2)
    finally:
        silent.stop.set()
        await going
    for name in ("started", "finished", "turned_away"):
        setattr(scene.crowd.tally, name, getattr(scene.crowd.tally, name) + getattr(silent.tally, name))
    scene.crowd.tally.endings.update(silent.tally.endings)
    scene.crowd.real.extend(silent.real)
    if "held_after_s" not in scene.figures:
        scene.wrong(f"wasn't held within {HELD_WITHIN_S:g} s without surveys")
    if "promoted" in states:
        scene.wrong("was promoted without its measure")


def replace_crowd(crowd: Crowd, *, first_customer: int, answer_share: float) -> Crowd:
    """Return another crowd at the same door."""
    return Crowd(
        crowd.urls, crowd.key, crowd.folder, crowd.seed, crowd.per_second, first_customer, answer_share
    )


# ------------------------------------------------------------------ looking back


async def settled(stage: Stage, scene: Scene) -> None:
    """Wait until every message has its turn."""
    if not await until(
        lambda: not stage.world.rows(UNANSWERED)[0][0], within_s=SETTLED_WITHIN_S, every_s=0.2
    ):
        scene.wrong(f"{stage.world.rows(UNANSWERED)[0][0]} messages have no turn")


async def look(stage: Stage, scene: Scene) -> None:
    """Compare what is stored with what must hold."""
    rollout = await stage.rollouts.get(scene.rollout.id)
    events = await stage.rollouts.events(rollout.id)
    about = {"rollout": rollout.id, "candidate": rollout.candidate}
    mine, failed, handed, turns = stage.world.rows(TURNS.format(**about))[0]
    scene.figures |= {
        "state": rollout.state.value,
        "turns": turns,
        "candidate_turns": mine,
        "candidate_failed": failed,
        "candidate_handed_over": handed,
        "conversations": scene.crowd.tally.started,
        "real": len(scene.crowd.real),
    }
    look_at_customers(scene)
    if scene.kind != METRIC_STOPS:
        look_at_roll_back(stage, scene, rollout, events)
    async with stage.foundation.store.database.read() as session:
        again = await verify(session, stage.foundation.ledger, rollout.id)
    for entry in again:
        for difference in entry.differences:
            scene.wrong(f"ledger position {entry.position}: {difference}")
    scene.figures["entries"] = len(again)
    scene.figures["recomputed"] = sum(bool(entry.verdicts) for entry in again)


def look_at_customers(scene: Scene) -> None:
    """Every conversation goes to its end, and real customers hear nothing of it."""
    tally = scene.crowd.tally
    broken = tally.endings["failed"] + tally.turned_away
    if broken or tally.finished != tally.started:
        scene.wrong(f"{tally.started} conversations began, {tally.finished} ended well, {broken} broke")
    candidates = [one for one in scene.crowd.real if one.get("release") == scene.rollout.candidate]
    unanswered = [one for one in scene.crowd.real if one["status"] != 200]
    if candidates:
        scene.wrong(f"{len(candidates)} real customers were answered by the candidate")
    if unanswered:
        scene.wrong(f"{len(unanswered)} real customers were not answered")


def look_at_roll_back(stage: Stage, scene: Scene, rollout: Rollout, events: Sequence[RolloutEvent]) -> None:
    """It was rolled back by itself, in time, and nothing started on the candidate afterwards."""
    if rollout.state is not RolloutState.ROLLED_BACK or scene.seen_at is None:
        scene.wrong(f"wasn't rolled back: it is {rollout.state.value}")
        return
    last = events[-1]
    if last.kind != "rolled_back" or last.actor != "system" or not last.reason or not last.ledger_entry:
        scene.wrong(f"ended by {last.kind} of {last.actor}: {last.reason!r}")
    decided_at = datetime.fromisoformat(str(last.evidence["event_at"])).timestamp()
    within_s = scene.seen_at - decided_at
    scene.figures |= {
        "reason": last.reason,
        "within_ms": round(within_s * 1000),
        "commit_ms": round((scene.seen_at - last.at.timestamp()) * 1000),
        "in_flight": len(in_flight_of(last)),
    }
    if within_s > DECIDED_WITHIN_S:
        scene.wrong(f"{within_s:.2f} s passed between the event that decided and the commit")
    seen = datetime.fromtimestamp(scene.seen_at, UTC)
    about = {"rollout": rollout.id, "candidate": rollout.candidate}
    bounds = {"bound": first_id_at(seen), "seen": seen.isoformat(), "committed": last.at.isoformat()}
    started = [row[0] for row in stage.world.rows(STARTED_AFTER.format(**about, **bounds))]
    if started:
        scene.wrong(f"turns started on the candidate after the commit: {started}")
    finished = {row[0] for row in stage.world.rows(FINISHED_AFTER.format(**about, **bounds))}
    unlisted = sorted(finished - in_flight_of(last))
    scene.figures["finished_after"] = len(finished)
    if unlisted:
        scene.wrong(f"turns finished on the candidate after the commit and weren't listed: {unlisted}")


def in_flight_of(event: RolloutEvent) -> set[str]:
    """Return the turns that were under way, as the event tells."""
    listed = event.evidence.get("in_flight", [])
    assert isinstance(listed, list)
    return {str(turn) for turn in listed}


# ------------------------------------------------------------------ what it showed


def report(kept: Ledgered, seed: int) -> Report:
    """Put the figures together, a block for each kind of scene."""
    figures: list[tuple[str, str]] = []
    for kind in dict.fromkeys(kept.all_of("kind")):
        rounds = [item for item in kept.rounds if item["kind"] == kind]
        figures.append((f"**{kind}**", f"{len(rounds)} rollouts"))
        figures += block(rounds)
    return Report(
        name=NAME,
        title="Rollouts end to end",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=figures,
        problems=kept.problems,
        notes=(
            "The commit is timed by a connection of its own that reads the rollout's row every 10 ms; the "
            "event that decided is the one the ledger's entry names.",
            "Requests go to both replicas in turn, so the messages of one conversation reach both.",
        ),
    )


def block(rounds: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the rows of one kind of scene."""

    def of(name: str) -> list[Any]:
        return [item[name] for item in rounds if item.get(name) is not None]

    def total(name: str) -> str:
        return f"{sum(of(name)):,}"

    rows = [
        ("conversations, all of which ended well" if not any(of("problems")) else "conversations",
         total("conversations")),
        ("turns, of them on the candidate", f"{total('turns')}, {total('candidate_turns')}"),
        ("… that failed verification", total("candidate_failed")),
        ("… that asked back or handed over", total("candidate_handed_over")),
        ("ended as", ", ".join(sorted(set(of("state"))))),
        ("from the event that decided to the commit seen", spread(of("within_ms"), unit="ms", digits=0)),
        ("turns in flight at the commit, listed", total("in_flight")),
        ("… that finished on the candidate", total("finished_after")),
        ("until another decided, or the database was back", spread(of("away_s"), unit="s", digits=2)),
        ("held after surveys stopped", spread(of("held_after_s"), unit="s")),
        ("ledger entries, computed again", f"{total('entries')}, {total('recomputed')}"),
        ("answers to real customers meanwhile, none by the candidate", total("real")),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value not in ("none", "0")]
