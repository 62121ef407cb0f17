"""Results of a comparison, from stored sums and from the customers' own conversations."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.improve.insight.contracts import Sums
from steward.improve.rollout import plan
from steward.improve.rollout.contracts import Advance, BreakerPlan, Plan, PlannedPhase, PlannedTrigger, Stage
from steward.improve.rollout.errors import NoSuchRollout
from steward.improve.rollout.results import Results

PHASES = tuple(
    PlannedPhase(name, Stage.RAMP, share, ("billing", "internet"), (), 100, 1.0, Advance.SAFE, None)
    for name, share in (("five", 5.0), ("half", 50.0))
)
PLAN = Plan(
    phases=PHASES,
    triggers=(PlannedTrigger("escalation_rate", 0.03, higher_is_better=False),),
    alpha=0.05, holdout_share=0.0, slow_ms=3000.0, stale_hours=24.0, idle_minutes=30.0,
    survey_hours=72.0, recontact_hours=168.0, breaker=BreakerPlan(8, 40, 0.4),
)  # fmt: skip


class Store:
    """Rollouts and conversations put down by hand."""

    def __init__(self, database: PooledDatabase, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.rollout = uuid4()

    async def begin(self) -> None:
        """Put down two releases and a running experiment."""
        now = self.clock.now()
        async with self.database.write() as session:
            for number, name in enumerate(("old", "new"), start=1):
                await session.execute(
                    """insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at,
                           created_by) values (%s, 'northline', %s, '{}', '', 's', %s, 'test')""",
                    (name, number, now),
                )
            await session.execute(
                """insert into rollout (id, assistant, kind, candidate_release, baseline_release,
                       baseline_kind, plan, state, phase, created_by, created_at)
                   values (%s, 'northline', 'experiment', 'new', 'old', 'release', %s, 'running', 1, 'test',
                           %s)""",
                (self.rollout, json.dumps(plan.as_json(PLAN)), now),
            )

    async def sums(self, phase: int, arm: str, sums: Sums, *, category: str) -> None:
        """Put down running sums of the trigger."""
        async with self.database.write() as session:
            await session.execute(
                """insert into rollout_sum (rollout_id, phase, kpi, category, arm, n, y, d, yy, dd, yd,
                       last_at) values (%s, %s, 'escalation_rate', %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                (self.rollout, phase, category, arm, sums.n, sums.y, sums.d, sums.yy, sums.dd, sums.yd,
                 self.clock.now()),
            )  # fmt: skip

    async def customer(
        self, arm: str, *, category: str = "billing", costs: tuple[str, ...] = ("0.01",), taken: bool = True
    ) -> UUID:
        """Put down an assigned customer with a closed conversation of one turn for each cost."""
        now, customer, conversation = self.clock.now(), uuid4(), uuid4()
        async with self.database.write() as session:
            await session.execute("insert into customer values (%s, null, false, %s)", (customer, now))
            await session.execute(
                """insert into conversation (id, customer_id, assistant, release_id, arm, channel, verified,
                       state, category, next_seq, opened_at, last_at, closed_at, rollout_id, phase)
                   values (%s, %s, 'northline', 'old', %s, 'web', false, 'closed', %s, 3, %s, %s, %s, %s,
                           1)""",
                (conversation, customer, arm, category, now, now, now, self.rollout),
            )
            await session.execute(
                """insert into assignment (rollout_id, phase, customer_id, conversation_id, arm, category, at,
                       closed_taken) values (%s, 1, %s, %s, %s, %s, %s, %s)""",
                (self.rollout, customer, conversation, arm, category, now, now if taken else None),
            )
            for cost in costs:
                await session.execute(
                    """insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel,
                           simulated, outcome, reason, category, currency, cost, total_ms, started_at,
                           finished_at, rollout_id)
                       values (%s, %s, %s, 'old', 'northline', %s, 'web', false, 'answered', 'answered', %s,
                               'EUR', %s, 500, %s, %s, %s)""",
                    (uuid4(), conversation, uuid4(), arm, category, cost, now, now, self.rollout),
                )
        return conversation


@pytest.fixture
async def store(database: PooledDatabase, fixed_clock: FixedClock) -> Store:
    """A running experiment without customers."""
    made = Store(database, fixed_clock)
    await made.begin()
    return made


@pytest.fixture
def results(database: PooledDatabase, fixed_clock: FixedClock) -> Results:
    """The service."""
    return Results(database=database, clock=fixed_clock)


def events(hits: int, n: int) -> Sums:
    return Sums(n, hits, n, hits, n, hits)


class TestOf:
    async def test_an_unknown_rollout(self, results: Results) -> None:
        with pytest.raises(NoSuchRollout, match="no rollout"):
            await results.of(uuid4())

    async def test_before_anybody_was_assigned(self, store: Store, results: Results) -> None:
        page = await results.of(store.rollout)
        assert (page.kpis, page.cost, page.customers_per_day) == ((), None, 0.0)

    async def test_triggers_stand_on_the_sums_of_each_phase(self, store: Store, results: Results) -> None:
        await store.sums(0, "baseline", events(190, 1900), category="billing")
        await store.sums(0, "candidate", events(10, 100), category="billing")
        for category, hits in (("billing", 250), ("internet", 200)):
            await store.sums(1, "baseline", events(200, 500), category=category)
            await store.sums(1, "candidate", events(hits, 500), category=category)
        (found,) = (await results.of(store.rollout)).kpis
        assert (found.kpi, found.margin, found.better) == ("escalation_rate", 0.03, None)
        assert [item.phase for item in found.phases] == [0, 1]
        assert [item.effect for item in found.phases] == pytest.approx([0.0, 0.05])
        assert [item.category for item in found.categories] == ["billing", "internet"]
        assert found.categories[1].effect == pytest.approx(0.0)
        assert found.overall.effect is not None
        assert 0.0 < found.overall.effect < 0.05
        assert found.to_know is not None
        assert found.to_know.days is None

    async def test_everything_else_is_read_from_ended_conversations(
        self, store: Store, results: Results
    ) -> None:
        for _ in range(60):
            await store.customer("baseline", costs=("0.01", "0.02"))
            await store.customer("candidate", costs=("0.01",))
        await store.customer("candidate", costs=("9",), taken=False)
        await store.customer("holdout", costs=("9",))
        page = await results.of(store.rollout)
        by_name = {item.kpi: item for item in page.kpis}
        cost = by_name["cost_per_conversation"]
        assert cost.margin is None
        assert (cost.overall.baseline.n, cost.overall.candidate.n) == (60, 60)
        assert cost.overall.effect == pytest.approx(-0.02)
        assert cost.overall.relative == pytest.approx(-2 / 3)
        assert by_name["cost_per_turn"].overall.baseline.value == pytest.approx(0.015)
        assert by_name["containment_rate"].overall.candidate.value == 1.0

    async def test_what_it_costs_in_a_month_at_present_traffic(self, store: Store, results: Results) -> None:
        await store.customer("baseline", costs=("0.03",))
        await store.customer("baseline", costs=("0.05",))
        await store.customer("candidate", costs=("0.01",))
        await store.customer("candidate", costs=("0.02",), category="internet")
        store.clock.advance(timedelta(days=2))
        page = await results.of(store.rollout)
        assert page.customers_per_day == pytest.approx(2.0)
        assert page.cost is not None
        assert page.cost.currency == "EUR"
        assert page.cost.conversations_per_month == pytest.approx(60.0)
        assert page.cost.per_month == pytest.approx(60 * (0.015 - 0.04))
