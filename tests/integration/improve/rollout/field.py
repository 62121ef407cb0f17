"""Two releases, a rollout between them, and customers put down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from tests.integration.supply.releases.conftest import SPOKE, HashingEmbedder

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.ledger.service import Ledger
from steward.improve.evals.contracts import GateResult
from steward.improve.rollout.contracts import (
    Advance,
    BreakerPlan,
    Plan,
    PlannedPhase,
    PlannedTrigger,
    Rollout,
    Stage,
)
from steward.improve.rollout.controller import Controller
from steward.improve.rollout.service import Rollouts
from steward.supply.assistant.collecting import collect
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.releases.assignment import Arm, Seeker, Traffic, assign
from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.service import Releases
from steward.supply.releases.traffic import TrafficControl

BY = "account:0190"
ROLLOUT = b"""
phases:
  - name: staff
    stage: internal
    share_percent: 100
    minimum_conversations: 2
    minimum_hours: 1
    advance: approval
  - name: pilot
    stage: pilot
    share_percent: 10
    risks: [low]
    minimum_conversations: 20
    minimum_hours: 1
    advance: no_harm
    approval: operator
  - {name: half, stage: ramp, share_percent: 50, minimum_conversations: 50, minimum_hours: 1, advance: safe}
  - {name: full, stage: full, share_percent: 100, approval: admin}
triggers:
  - {kpi: escalation_rate, margin: 0.05}
  - {kpi: csat, margin: 0.5}
maturity: {idle_minutes: 30, survey_hours: 1, recontact_hours: 24}
stale_hours: 24
holdout_share: 0.02
"""


def trigger(kpi: str = "escalation_rate", margin: float = 0.05) -> PlannedTrigger:
    """A trigger as a plan has it."""
    return PlannedTrigger(kpi, margin, kpi == "csat", matures="survey" if kpi == "csat" else "closed")


def phase(
    name: str = "half",
    stage: Stage = Stage.RAMP,
    *,
    share: float = 50.0,
    categories: tuple[str, ...] = ("delivery", "orders"),
    minimum: int = 50,
    hours: float = 0.0,
    advance: Advance = Advance.SAFE,
    approval: str | None = None,
) -> PlannedPhase:
    """A phase that compares half with half unless told otherwise."""
    return PlannedPhase(name, stage, share, categories, (), minimum, hours, advance, approval)


FULL = phase("full", Stage.FULL, share=100.0)


def plan(
    *phases: PlannedPhase,
    triggers: tuple[PlannedTrigger, ...] = (trigger(),),
    holdout_share: float = 0.0,
) -> Plan:
    """A plan whose measures are final as soon as a conversation is closed."""
    return Plan(
        phases=phases or (phase(), FULL),
        triggers=triggers,
        alpha=0.05,
        holdout_share=holdout_share,
        slow_ms=3000.0,
        stale_hours=24.0,
        idle_minutes=30.0,
        survey_hours=0.0,
        recontact_hours=0.0,
        breaker=BreakerPlan(consecutive_failures=8, window_turns=40, failure_share=0.4),
    )


class KnownGates:
    """Answers of the gate by candidate."""

    def __init__(self) -> None:
        self.answers: dict[str, GateResult] = {}

    async def gate(self, candidate_id: str, baseline_id: str) -> GateResult | None:
        return self.answers.get(candidate_id)


class KnownConditions:
    """What governance lacks; nothing until a test says so."""

    def __init__(self) -> None:
        self.lacks: tuple[str, ...] = ()

    async def missing(self, rollout: Rollout, *, phase: int) -> tuple[str, ...]:
        return self.lacks


class Field:
    """Everything that a rollout's tests need, on one database."""

    def __init__(self, database: PooledDatabase, clock: FixedClock, url: str) -> None:
        self.database = database
        self.clock = clock
        self.url = url
        self.ledger = Ledger(clock)
        self.releases = Releases(
            database,
            embedder=HashingEmbedder(),
            clock=clock,
            knowledge=Knowledge(database, clock),
            ledger=self.ledger,
        )
        self.traffic = TrafficControl(clock)
        self.gates = KnownGates()
        self.conditions = KnownConditions()
        self.rollouts = Rollouts(
            database=database,
            releases=self.releases,
            gates=self.gates,
            conditions=self.conditions,
            ledger=self.ledger,
            traffic=self.traffic,
            clock=clock,
        )
        self.controller = self.another_controller()
        self.old = ReleaseId("")
        self.new = ReleaseId("")
        self.number = 0

    def another_controller(self) -> Controller:
        """Return what another process would run."""
        return Controller(
            database=self.database,
            ledger=self.ledger,
            traffic=self.traffic,
            clock=self.clock,
            assistant="spoke",
            conditions=self.conditions,
            url=self.url,
        )

    def folder(self, *, survey: bytes = b"How was it?") -> Folder:
        """Return the small assistant with two categories, a rollout.yaml and a question of its own."""
        files = dict(collect(SPOKE)[0])
        files["desk.yaml"] = files["desk.yaml"].replace(b"How was it?", survey)
        intents = files["intents.yaml"].replace(
            b"name: delivery_time\n    category: orders", b"name: delivery_time\n    category: delivery"
        )
        files["intents.yaml"] = intents.replace(
            b"categories:\n",
            b"categories:\n  - name: delivery\n    title: Delivery\n    risk: low\n    owner: Shop\n"
            b"    queue: shop\n",
        )
        files["rollout.yaml"] = ROLLOUT
        return read_files(files, "spoke")

    async def lay_out(self) -> None:
        """Create a baseline, which is served, and a candidate."""
        old = await self.releases.create(self.folder(), created_by=BY)
        new = await self.releases.create(self.folder(survey=b"How did we do?"), created_by=BY)
        await self.releases.serve("spoke", old.id, actor=BY)
        self.old, self.new = old.id, new.id
        self.gates.answers[new.id] = self.gate()

    def gate(self, *, passed: bool = True, reasons: tuple[str, ...] = ()) -> GateResult:
        """Return the gate's answer about the two releases."""
        return GateResult(
            self.new, self.old, passed, reasons, (), 1.0, 1.0, 5.0, 5.0, None, None, self.clock.now()
        )

    async def start(self, wanted: Plan | None = None, *, simulated: bool = False) -> Rollout:
        """Start a rollout of the candidate."""
        return await self.rollouts.start(
            assistant="spoke",
            candidate=self.new,
            plan=wanted or plan(),
            simulated=simulated,
            by=BY,
            reason="a better way to ask",
        )

    async def now_serving(self, *, simulated: bool = False) -> Traffic:
        """Return the lane's traffic."""
        return await self.releases.traffic("spoke", simulated=simulated)

    async def let(self, **span: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**span))

    # ------------------------------------------------------------ customers

    async def customers(
        self,
        rollout: Rollout,
        arm: Arm,
        *,
        count: int,
        escalated: int = 0,
        category: str = "orders",
        csat: Sequence[int | None] = (),
        closed: bool = True,
        phase: int | None = None,
    ) -> list[UUID]:
        """Put down customers of an arm whose first conversation is over, with one turn each."""
        now = self.clock.now()
        phase = rollout.phase if phase is None else phase
        release = self.new if arm is Arm.CANDIDATE else self.old
        people = [(new_id(self.clock), new_id(self.clock)) for _ in range(count)]
        async with self.database.write() as session:
            await session.copy_in(
                "customer",
                ("id", "verified", "created_at"),
                [(customer, False, now) for customer, _ in people],
            )
            await session.copy_in(
                "conversation",
                ("id", "customer_id", "assistant", "release_id", "arm", "channel", "verified", "simulated",
                 "state", "category", "next_seq", "opened_at", "last_at", "closed_at", "rollout_id", "phase",
                 "assigned_at", "assigned_category", "counted"),
                [
                    (conversation, customer, "spoke", release, arm.value, "web", False, rollout.simulated,
                     "closed" if closed else "open", category, 3, now, now, now if closed else None,
                     rollout.id, phase, now, category, True)
                    for customer, conversation in people
                ],
            )  # fmt: skip
            await session.copy_in(
                "assignment",
                ("rollout_id", "phase", "customer_id", "conversation_id", "arm", "category", "at"),
                [(rollout.id, phase, *pair, arm.value, category, now) for pair in people],
            )
            await session.copy_in(
                "handover",
                ("id", "conversation_id", "queue", "reason", "asked_at"),
                [(new_id(self.clock), one, "shop", "override_word", now) for _, one in people[:escalated]],
            )
            await session.copy_in(
                "feedback",
                ("id", "conversation_id", "csat", "at"),
                [
                    (new_id(self.clock), one, mark, now)
                    for (_, one), mark in zip(people, csat, strict=False)
                    if mark is not None
                ],
            )
        return [conversation for _, conversation in people]

    async def turns(
        self,
        rollout: Rollout,
        conversation: UUID,
        *outcomes: tuple[str, str],
        release: str | None = None,
        route: str | None = None,
    ) -> None:
        """Put down turns of a conversation, as (outcome, reason)."""
        async with self.database.write() as session:
            for outcome, reason in outcomes:
                now = self.clock.now()
                await session.execute(
                    """insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel,
                           simulated, outcome, reason, route, currency, total_ms, started_at, finished_at,
                           rollout_id)
                       values (%s, %s, %s, %s, 'spoke', 'candidate', 'web', false, %s, %s, %s, 'EUR', 500, %s,
                               %s, %s)""",
                    (new_id(self.clock), conversation, new_id(self.clock), release or self.new, outcome,
                     reason, route, now, now, rollout.id),
                )  # fmt: skip

    async def value(self, sql: str, *parameters: object) -> object:
        """Return the first value of a query."""
        async with self.database.read() as session:
            row = await session.one(sql, parameters)
        return None if row is None else row[0]


def arm_of(traffic: Traffic, customer: UUID, category: str, *, staff: bool = False) -> Arm | None:
    """Return the arm that a customer would come into now."""
    assigned = assign(traffic, Seeker(customer, category, "web", staff))
    return None if assigned is None else assigned.arm
