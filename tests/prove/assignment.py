"""Customers and conversations in their arms: shares by the million, conversations that change category."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry
from tests.prove import shares
from tests.prove.arms import CANDIDATE, HOLDOUT, UNASSIGNED, Customers, Lane, Plan, Rollout, Talk, due
from tests.prove.results import Ledgered, Report, spread

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.base.ids import new_id
from steward.improve.evals.contracts import GateResult
from steward.improve.rollout import contracts
from steward.improve.rollout.service import Rollouts
from steward.improve.rollout.transitions import Cause, Transitions
from steward.serve.conversations.contracts import Customer, Done
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.traffic import TrafficControl

NAME = "assignment"
CLAIM = """
A customer's arm depends on nothing but the customer and the rollout: shares are met to 3 standard errors,
growth moves customers only from the baseline to the candidate, nobody leaves the candidate or the holdout,
and rollouts know nothing of each other. Conversations that change category while a rollout grows, pauses,
loses a category, is rolled back, promoted or followed by another are answered, on the real turn code and a
real database, by the arm and release that a second telling of the rules expects.
"""
ROUNDS: Final = 100
CONVERSATIONS: Final = 100
"""In a round; they share its rollouts."""
STEPS: Final = 8
PER_CUSTOMER: Final = 2.5
AT_ONCE: Final = 16
RACES: Final = 0.3
"""Share of changes that happen while messages are being answered."""
ASSISTANT: Final = "northline"
WHO: Final = "operator:prove"
SAID: Final[Mapping[str, tuple[str, ...]]] = {
    "billing": ("What does my bill include?", "Why is there a late payment fee on my bill?"),
    "payments_refunds": ("Which ways to pay do you accept?", "When does my refund arrive?"),
    "access": ("I don't get the two-step sign-in codes", "I want to reset my password"),
    "troubleshooting": ("My broadband is slow in the evening", "How do I set up my new hub?"),
    "account": ("How much data have I used?", "What does roaming cost in Spain?"),
    "leaving": ("Can I keep my number if I switch?", "I want to cancel my contract"),
    "offers": ("Do you have a student discount?", "What upgrade offers are there for me?"),
}
SMALL_TALK: Final = ("hi", "thanks")
CHANNELS: Final = ("web", "whatsapp")
STATES: Final = """
    select c.id, c.arm, c.assigned_at is not null, c.rollout_id::text, c.phase, c.assigned_category,
           c.moved_at is not null, c.release_id
    from conversation c where c.id = any(%s)"""
UNCONFIRMED: Final = """
    select count(*) from workflow_run r join conversation c on c.id = r.conversation_id
    where r.conversation_id = any(%s) and r.state in ('offered', 'collecting', 'confirming')
      and c.moved_at is not null and r.created_at < c.moved_at"""
COUNTED: Final = """
    select c.id, c.counted, exists (select from assignment a where a.conversation_id = c.id)
    from conversation c where c.id = any(%s) and c.rollout_id is not null"""


class NoGates:
    """Nothing was evaluated: these rollouts begin without."""

    async def gate(self, candidate_id: str, baseline_id: str) -> GateResult | None:
        """Return nothing."""
        return None


@dataclass(slots=True)
class Installation:
    """Everything that serves the sample, in this process, with releases that differ in a word."""

    application: Application
    releases: tuple[str, ...]
    rollouts: Rollouts
    transitions: Transitions

    @property
    def database(self) -> Any:
        """The store that everything is in."""
        return self.application.foundation.store.database


@dataclass(slots=True)
class Round:
    """Conversations that live through the same rollouts."""

    chance: random.Random
    lane: Lane
    customers: Customers = field(default_factory=Customers)
    talks: dict[UUID, Talk] = field(default_factory=dict)
    step: int = 0
    assigned_in: dict[UUID, int] = field(default_factory=dict)
    """The step in which a conversation was assigned; those of one step were assigned at once."""
    changes: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    races: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


async def run(
    directory: Path, *, seed: int, rounds: int = ROUNDS, conversations: int = CONVERSATIONS
) -> Report:
    """Run the campaign, from where it was interrupted."""
    kept = Ledgered.open(prepare(directory))
    buckets = await asyncio.to_thread(shares.kept, directory / "shares.json", seed)
    async with open_installation(directory) as installation:
        await require_understood(installation)
        for number in sorted(set(range(rounds)) - set(kept.all_of("number"))):
            begun = time.monotonic()
            round_ = await one_round(installation, f"{seed}:{number}", conversations=conversations)
            kept.add({"number": number, **figures_of(round_), "seconds": time.monotonic() - begun})
            print(f"  round {number + 1} of {rounds}: {kept.rounds[-1]}", flush=True)
    return report(kept, buckets, seed)


def prepare(directory: Path) -> Path:
    """Make the directory, readable by the database's own account."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    return directory


@asynccontextmanager
async def open_installation(directory: Path, settings: Settings | None = None) -> AsyncIterator[Installation]:
    """Open the sample with three releases; the first time they are made."""
    settings = settings or Settings(data_dir=directory / "data")
    folder = directory / ASSISTANT
    async with open_foundation(settings, say=lambda _: None) as foundation:
        releases = await foundation.releases.recent(assistant=ASSISTANT)
        names = [release.id for release in releases]
        if not names:
            initialise(folder, ASSISTANT)
            desk = folder / "desk.yaml"
            for word in ("one", "two", "three"):
                desk.write_text(f"{desk.read_text(encoding='utf-8')}\n# {word}\n", encoding="utf-8")
                made = await foundation.releases.create(read_folder(folder), created_by="system")
                names.append(made.id)
            await foundation.releases.serve(ASSISTANT, names[0], actor="system")
        traffic = TrafficControl(foundation.clock)
        rollouts = Rollouts(
            database=foundation.store.database, releases=foundation.releases, conditions=foundation.governing,
            gates=NoGates(),
            ledger=foundation.ledger, traffic=traffic, clock=foundation.clock,
        )  # fmt: skip
        transitions = Transitions(ledger=foundation.ledger, traffic=traffic, clock=foundation.clock)
        async with open_application(
            foundation, assistant=ASSISTANT, registry=CollectorRegistry()
        ) as application:
            yield Installation(application, tuple(sorted(names)), rollouts, transitions)


async def require_understood(installation: Installation) -> None:
    """Make sure that every sentence is taken for what this campaign takes it for."""
    for category, texts in SAID.items():
        for text in texts:
            routed = await installation.application.turns.route(text)
            if routed.out_of_scope or routed.category != category:
                raise AssertionError(f"{text!r} is taken for {routed.category} ({routed.intent})")


# ------------------------------------------------------------------ one round


async def one_round(installation: Installation, mark: str, *, conversations: int) -> Round:
    """Let conversations live through a few changes; returns what happened."""
    chance = random.Random(f"assignment {mark}")
    round_ = Round(chance, await lane_of(installation))
    people = [f"{mark} {uuid4()}" for _ in range(max(1, round(conversations / PER_CUSTOMER)))]
    beginnings = sorted(chance.randrange(STEPS - 2) for _ in range(conversations))
    for step in range(STEPS):
        round_.step = step
        for _ in range(beginnings.count(step)):
            await begin(installation, round_, chance.choice(people))
        speaking = [talk for talk in round_.talks if chance.random() < 0.7]
        before = round_.lane.as_now()
        change = next_change(round_)
        if change is not None and chance.random() < RACES:
            round_.races += 1
            await asyncio.gather(
                apply(installation, round_, change), say_all(installation, round_, speaking, racing=before)
            )
        else:
            if change is not None:
                await apply(installation, round_, change)
            await say_all(installation, round_, speaking)
    await settle(installation, round_)
    return round_


async def lane_of(installation: Installation) -> Lane:
    """Return the lane as an earlier round left it, undivided."""
    foundation = installation.application.foundation
    async with foundation.store.database.read() as session:
        rows = await session.all(
            "select id from rollout where state in ('waiting', 'running', 'held', 'paused')"
        )
    for (rollout_id,) in rows:
        await installation.rollouts.abort(rollout_id, by=WHO, reason="an earlier round was interrupted")
    now = await foundation.releases.traffic(ASSISTANT)
    return Lane(now.release_id, None if now.holdout is None else now.holdout.release_id)


async def begin(installation: Installation, round_: Round, customer: str) -> None:
    """Open a conversation of a customer, maybe not the first."""
    channel = round_.chance.choice(CHANNELS)
    started = await installation.application.conversations.start(
        assistant=ASSISTANT, channel=channel, customer=Customer(customer, False, {}), locale=None
    )
    round_.talks[started.conversation.id] = Talk(customer, channel, round_.lane.release)


def next_change(round_: Round) -> str | None:
    """Choose what happens to the rollout before the next messages, if anything does."""
    chance, rollout = round_.chance, round_.lane.open
    if rollout is None:
        return "started" if chance.random() < 0.85 else None
    if chance.random() < 0.35:
        return None
    if rollout.state == "paused":
        return chance.choices(("resumed", "rolled_back", "aborted"), (6, 2, 1))[0]
    grown = ("grown", 5) if rollout.phase + 1 < len(rollout.phases) else ("promoted", 3)
    changes = (grown, ("paused", 2), ("category_rolled_back", 3), ("rolled_back", 2), ("aborted", 1))
    return chance.choices([name for name, _ in changes], [weight for _, weight in changes])[0]


async def apply(installation: Installation, round_: Round, change: str) -> None:
    """Make it happen in the product, and in the other telling of the rules."""
    round_.changes[change] += 1
    lane, rollouts = round_.lane, installation.rollouts
    if change == "started":
        await start(installation, round_)
        return
    rollout = lane.open
    assert rollout is not None
    rollout_id = UUID(rollout.id)
    match change:
        case "grown" | "promoted":
            await go_on(installation, rollout, promote=change == "promoted")
            if change == "promoted":
                rollout.state, lane.release = "promoted", rollout.candidate
            else:
                rollout.phase += 1
        case "paused":
            await rollouts.pause(rollout_id, by=WHO, reason="to look at it")
            rollout.state = "paused"
        case "resumed":
            await rollouts.resume(rollout_id, by=WHO, reason="looked at")
            rollout.state = "running"
        case "category_rolled_back":
            category = round_.chance.choice(sorted(rollout.taking_part))
            last = len(rollout.taking_part) == 1
            await rollouts.roll_back(rollout_id, by=WHO, reason="harm", category=category)
            rollout.harmed.add(category)
            rollout.state = "rolled_back" if last else rollout.state
        case "rolled_back":
            await rollouts.roll_back(rollout_id, by=WHO, reason="harm")
            rollout.state = "rolled_back"
        case "aborted":
            await rollouts.abort(rollout_id, by=WHO, reason="changed my mind")
            rollout.state = "aborted"


async def start(installation: Installation, round_: Round) -> None:
    """Begin a rollout of another release with phases that grow in share and categories."""
    chance, lane = round_.chance, round_.lane
    candidate = chance.choice([name for name in installation.releases if name != lane.release])
    names = chance.sample(sorted(SAID), chance.randrange(3, len(SAID) + 1))
    few = names[: len(names) * 2 // 3]
    channels = frozenset(chance.sample(CHANNELS, 1)) if chance.random() < 0.2 else frozenset[str]()
    plans = (
        Plan(chance.choice((5.0, 25.0, 40.0)), frozenset(few), channels),
        Plan(chance.choice((40.0, 50.0)), frozenset(names), channels),
        Plan(chance.choice((50.0, 90.0)), frozenset(names), channels),
    )
    started = await installation.rollouts.start(
        assistant=ASSISTANT, candidate=candidate, plan=plan_of(plans), by=WHO, reason="prove",
        without_gate=True,
    )  # fmt: skip
    lane.holdout_release = lane.holdout_release or lane.release
    lane.rollouts[str(started.id)] = Rollout(str(started.id), candidate, plans)


def plan_of(plans: Sequence[Plan]) -> contracts.Plan:
    """Return the product's plan of phases; nothing in it decides by itself."""
    phases = [
        contracts.PlannedPhase(
            f"phase{number}", contracts.Stage.RAMP, plan.share_percent, tuple(sorted(plan.categories)),
            tuple(sorted(plan.channels)), 10**6, 10**6, contracts.Advance.SAFE, None,
        )
        for number, plan in enumerate(plans)
    ]  # fmt: skip
    full = contracts.PlannedPhase(
        "full", contracts.Stage.FULL, 100.0, phases[-1].categories, (), 1, 1.0, contracts.Advance.SAFE, None
    )
    return contracts.Plan(
        phases=(*phases, full),
        triggers=(contracts.PlannedTrigger("escalation_rate", 0.05, higher_is_better=False),),
        alpha=0.05, holdout_share=0.1, slow_ms=3000.0, stale_hours=24.0, idle_minutes=30.0,
        survey_hours=72.0, recontact_hours=168.0, breaker=contracts.BreakerPlan(1000, 1000, 1.0),
    )  # fmt: skip


async def go_on(installation: Installation, rollout: Rollout, *, promote: bool) -> None:
    """Enter the next phase, or promote, as the controller does when the evidence is there."""
    transitions, cause = installation.transitions, Cause(WHO, "prove", {})
    async with installation.database.write() as session:
        locked = await transitions.lock(session, UUID(rollout.id))
        if promote:
            await transitions.promote(session, locked, cause)
        else:
            await transitions.enter(session, locked, rollout.phase + 1, cause)


# ------------------------------------------------------------------ messages


async def say_all(
    installation: Installation, round_: Round, speaking: Sequence[UUID], *, racing: Lane | None = None
) -> None:
    """Let conversations speak at once, each once, and compare every one with what was due.

    With `racing`, traffic as it was before a change that happens meanwhile, either is due.
    """
    chance, slots = round_.chance, asyncio.Semaphore(AT_ONCE)
    planned: dict[UUID, tuple[str | None, str]] = {}
    for conversation in speaking:
        category = None if chance.random() < 0.35 else chance.choice(sorted(SAID))
        planned[conversation] = category, chance.choice(SMALL_TALK if category is None else SAID[category])

    async def say(conversation: UUID) -> Done | None:
        async with slots:
            done: Done | None = None
            async for event in installation.application.turns.message(
                conversation,
                planned[conversation][1],
                key=str(new_id(installation.application.foundation.clock)),
            ):
                done = event if isinstance(event, Done) else done
            return done

    told = dict(zip(speaking, await asyncio.gather(*map(say, speaking)), strict=True))
    round_.messages += len(speaking)
    async with installation.database.read() as session:
        rows = {row[0]: row[1:] for row in await session.all(STATES, (list(speaking),))}
    for conversation in speaking:
        before = round_.talks[conversation]
        lanes = [round_.lane] if racing is None else [racing, round_.lane]
        allowed = [
            item for lane in lanes for item in due(before, lane, planned[conversation][0], round_.customers)
        ]
        after = stored(before, rows[conversation], planned[conversation][0])
        compare(round_, conversation, before, after, allowed, told[conversation], racing=racing is not None)


def stored(before: Talk, row: Sequence[Any], category: str | None) -> Talk:
    """Return a conversation as the product has it now."""
    arm, assigned, rollout, phase, assigned_category, moved, release = row
    return Talk(
        customer=before.customer,
        channel=before.channel,
        release=release,
        had_matter=before.had_matter or category is not None,
        arm=arm if assigned else UNASSIGNED,
        rollout=rollout,
        phase=phase,
        category=assigned_category,
        moved=moved,
    )


def compare(
    round_: Round,
    conversation: UUID,
    before: Talk,
    after: Talk,
    allowed: Sequence[Talk],
    done: Done | None,
    *,
    racing: bool,
) -> None:
    """Note what differs from what was due, and learn where a customer was put."""
    chosen = next((item for item in allowed if item == after), None)
    if chosen is None:
        round_.problems.append(f"{conversation}: was {before}, became {after}, due was {list(allowed)}")
        chosen = after
    if done is None:
        round_.problems.append(f"{conversation}: a message was never answered")
    elif done.release != chosen.release and not racing:
        round_.problems.append(f"{conversation}: answered by {done.release[:12]}, due was {chosen}")
    if chosen.arm != before.arm:
        round_.customers.learn(chosen, round_.lane)
        round_.assigned_in[conversation] = round_.step
        round_.moved["assigned " + chosen.arm] += 1
    if chosen.moved and not before.moved:
        round_.moved["left the candidate"] += 1
    round_.talks[conversation] = chosen


async def settle(installation: Installation, round_: Round) -> None:
    """Look at what only the whole store shows."""
    mine = (list(round_.talks),)
    async with installation.database.read() as session:
        unconfirmed = await session.one(UNCONFIRMED, mine)
        counted = {row[0]: row[1:] for row in await session.all(COUNTED, mine)}
    if unconfirmed is not None and unconfirmed[0]:
        round_.problems.append(f"{unconfirmed[0]} unconfirmed runs went on after their candidate")
    units: dict[tuple[str, str | None, int | None], list[UUID]] = {}
    for conversation, (counts, is_unit) in counted.items():
        talk = round_.talks[conversation]
        units.setdefault((talk.customer, talk.rollout, talk.phase), []).append(conversation)
        if counts != is_unit:
            round_.problems.append(f"{conversation}: counts {counts}, and is a unit {is_unit}")
    for unit, conversations in units.items():
        first = min(round_.assigned_in[conversation] for conversation in conversations)
        counting = [round_.assigned_in[item] for item in conversations if counted[item][0]]
        if counting != [first]:
            round_.problems.append(f"{unit}: assigned in step {first}, counted in {counting}")


# ------------------------------------------------------------------ what it showed


def figures_of(round_: Round) -> dict[str, Any]:
    """Return a round's figures."""
    talks = round_.talks.values()
    return {
        "conversations": len(round_.talks),
        "messages": round_.messages,
        "changes": dict(round_.changes),
        "races": round_.races,
        "events": dict(round_.moved),
        "on_candidate": sum(talk.arm == CANDIDATE for talk in talks),
        "held_out": sum(talk.arm == HOLDOUT for talk in talks),
        "problems": round_.problems,
    }


def report(kept: Ledgered, buckets: shares.Shares, seed: int) -> Report:
    """Put the figures together."""
    changes: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for item in kept.rounds:
        changes.update(item["changes"])
        events.update(item["events"])
    figures = [("customers put into buckets", f"{buckets.customers:,}")]
    figures += [
        (f"… {name}", f"{buckets.seen[name]:.3f} %, {error:+.2f} standard errors")
        for name, error in buckets.errors.items()
    ]
    figures += [
        ("… who left the holdout, or came into it, while the share grew", str(buckets.left)),
        ("… who left the candidate while the share grew", str(buckets.moved_back)),
        (f"lowest p of {buckets.pairs} chi-square tests of independence", f"{buckets.lowest_p:.3f}"),
        ("generated conversations", f"{sum(kept.all_of('conversations')):,}"),
        ("… their messages", f"{sum(kept.all_of('messages')):,}"),
        ("changes of rollouts between messages", f"{sum(changes.values()):,}"),
        *((f"… {name.replace('_', ' ')}", str(changes[name])) for name in sorted(changes)),
        ("… of them while messages were being answered", str(sum(kept.all_of("races")))),
        *((f"conversations {name}", str(events[name])) for name in sorted(events)),
        ("conversations not answered as due", str(len(kept.problems))),
        ("seconds for a round", spread(kept.all_of("seconds"), unit="s")),
    ]
    return Report(
        name=NAME,
        title="Customers and conversations in their arms",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=figures,
        problems=[*buckets.problems, *kept.problems],
        notes=(
            "The second telling of the rules (tests/prove/arms.py) reads none of the product's code and "
            "computes no bucket: it learns each customer's from where the customer was seen.",
        ),
    )
