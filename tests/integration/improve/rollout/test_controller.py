"""What the controller decides on a real database, and that every decision can be computed again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.improve.rollout.field import BY, FULL, Field, phase, plan, trigger

from steward.base.ids import new_id
from steward.improve.rollout.collecting import Collector
from steward.improve.rollout.contracts import Advance, Finding, Rollout, RolloutState, Stage
from steward.improve.rollout.errors import WrongState
from steward.improve.rollout.recomputing import recompute, verify
from steward.supply.releases.assignment import Arm

ANSWERED = ("answered", "answered")
FAILED = ("failed", "internal_error")
NOT_VERIFIED = ("handed_over", "nothing_verified")

# Two conversations of each arm, chosen with a chance of one in fifty.
REVIEW_TWO_OF_EACH_ARM = """
with reader as (
    insert into account (id, login, name, role, created_at)
    values (gen_random_uuid(), 'reader', 'Reader', 'reviewer', %(at)s) returning id),
chosen as (
    select conversation_id, arm, row_number() over (partition by arm order by conversation_id) as place
    from assignment where rollout_id = %(rollout)s),
said as (
    insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel, simulated,
                      outcome, reason, currency, total_ms, started_at, finished_at, rollout_id)
    select gen_random_uuid(), conversation_id, gen_random_uuid(), 'r', 'spoke', arm, 'web', false, 'answered',
           'answered', 'EUR', 500, %(at)s, %(at)s, %(rollout)s from chosen where place <= 2
    returning id, conversation_id)
insert into review (id, turn_id, conversation_id, reviewer, grounded, weight, at)
select gen_random_uuid(), said.id, said.conversation_id, reader.id, true, 50, %(at)s from said, reader"""


async def both_arms(field: Field, rollout: Rollout, count: int, *, worse_by: int = 0, **more: Any) -> None:
    """Put down as many customers in each arm, of whom a tenth (and some more) escalate."""
    await field.customers(rollout, Arm.BASELINE, count=count, escalated=count // 10, **more)
    await field.customers(rollout, Arm.CANDIDATE, count=count, escalated=count // 10 + worse_by, **more)


async def after_a_tick(field: Field, rollout: Rollout) -> Rollout:
    """Let the controller look once and return the rollout as it then stands."""
    await field.controller.tick()
    return await field.rollouts.get(rollout.id)


async def kinds(field: Field, rollout: Rollout) -> list[str]:
    """Return the kinds of what happened, the oldest first."""
    return [event.kind for event in await field.rollouts.events(rollout.id)]


@pytest.fixture(autouse=True)
async def checked_again(field: Field) -> object:
    """After each test every decision in the ledger must follow from its own numbers, and the chain hold."""
    yield
    async with field.database.read() as session:
        assert (await field.ledger.verify(session)).ok
        rollouts = await session.all("select id from rollout")
        for (rollout_id,) in rollouts:
            for entry in await verify(session, field.ledger, rollout_id):
                assert entry.differences == ()


class TestHarm:
    async def test_harm_beyond_the_margin_rolls_back(self, field: Field) -> None:
        rollout = await field.start()
        before = await field.now_serving()
        await both_arms(field, rollout, 300, worse_by=120)
        ended = await after_a_tick(field, rollout)
        assert ended.state is RolloutState.ROLLED_BACK
        assert "escalation_rate is worse by at least" in (ended.end_reason or "")
        after = await field.now_serving()
        assert (after.split, after.release_id) == (None, field.old)
        assert after.generation > before.generation
        (*_, event) = await field.rollouts.events(rollout.id)
        assert event.evidence["generation_before"] == before.generation
        assert event.evidence["generation_after"] == after.generation
        assert event.evidence["decided_within_ms"] == 0
        assert event.evidence["in_flight"] == []

    async def test_turns_under_way_are_listed(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 300, worse_by=120)
        (busy,) = await field.customers(rollout, Arm.CANDIDATE, count=1, closed=False)
        turn = new_id(field.clock)
        async with field.database.write() as session:
            sql = "update conversation set turn_id = %s, turn_holder = 1 where id = %s"
            await session.execute(sql, (turn, busy))
        await after_a_tick(field, rollout)
        (*_, event) = await field.rollouts.events(rollout.id)
        assert event.evidence["in_flight"] == [str(turn)]

    async def test_no_harm_goes_on(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 60)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING
        assert await kinds(field, rollout) == ["started", "phase_started"]

    async def test_harm_in_one_category_takes_that_category_out(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 2000, category="orders")
        await both_arms(field, rollout, 200, worse_by=90, category="delivery")
        left = await after_a_tick(field, rollout)
        assert (left.state, left.harmed_categories) == (RolloutState.RUNNING, ("delivery",))
        split = (await field.now_serving()).split
        assert split is not None
        assert split.categories == {"orders"}
        assert (await after_a_tick(field, rollout)).harmed_categories == ("delivery",)
        assert (await kinds(field, rollout)).count("category_rolled_back") == 1

    async def test_a_category_that_was_taken_out_keeps_it_from_everybody(self, field: Field) -> None:
        rollout = await field.start()
        await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="delivery")
        await both_arms(field, rollout, 3000)
        held = await after_a_tick(field, rollout)
        assert held.state is RolloutState.HELD
        assert held.hold_reason == (
            "everybody would get a release that was rolled back in delivery. "
            "Abort, mend it there and start again"
        )
        traffic = await field.now_serving()
        assert traffic.split is not None
        assert (traffic.release_id, traffic.split.categories) == (field.old, frozenset({"orders"}))
        await field.rollouts.resume(rollout.id, by=BY, reason="let me see")
        with pytest.raises(WrongState, match="rolled back in delivery"):
            await field.rollouts.advance(rollout.id, by=BY, reason="all the same")
        assert (await after_a_tick(field, rollout)).state is RolloutState.HELD

    async def test_harm_that_shows_late_in_an_earlier_phase_counts(self, field: Field) -> None:
        first = phase("ten", Stage.PILOT, share=10.0, minimum=20, advance=Advance.NO_HARM)
        rollout = await field.start(plan(first, phase(minimum=5000), FULL))
        await both_arms(field, rollout, 30)
        second = await after_a_tick(field, rollout)
        assert second.phase == 1
        await both_arms(field, rollout, 400, worse_by=200, phase=0)
        assert (await after_a_tick(field, rollout)).state is RolloutState.ROLLED_BACK


class TestBreaker:
    async def test_failures_in_a_row_stop_the_candidate(self, field: Field) -> None:
        rollout = await field.start()
        (conversation,) = await field.customers(rollout, Arm.CANDIDATE, count=1, closed=False)
        await field.turns(rollout, conversation, ANSWERED, *[FAILED, NOT_VERIFIED] * 3, FAILED)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING
        await field.turns(rollout, conversation, NOT_VERIFIED)
        ended = await after_a_tick(field, rollout)
        assert ended.state is RolloutState.ROLLED_BACK
        assert ended.end_reason == "breaker: 8 turns in a row failed; 8 are too many"

    @pytest.mark.parametrize("reason", ["guard_fault", "ledger_fault"])
    async def test_one_fault_of_guard_or_ledger_stops_it(self, field: Field, reason: str) -> None:
        rollout = await field.start()
        (conversation,) = await field.customers(rollout, Arm.CANDIDATE, count=1, closed=False)
        await field.turns(rollout, conversation, ANSWERED, ("failed", reason))
        ended = await after_a_tick(field, rollout)
        assert ended.state is RolloutState.ROLLED_BACK
        assert ended.end_reason == "breaker: the guard or the ledger failed in a turn of the candidate"

    async def test_humans_and_the_baseline_do_not_count(self, field: Field) -> None:
        rollout = await field.start()
        (conversation,) = await field.customers(rollout, Arm.CANDIDATE, count=1, closed=False)
        await field.turns(rollout, conversation, *[("silent", "human_speaks")] * 30)
        await field.turns(rollout, conversation, *[FAILED] * 30, release=field.old)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING

    async def test_a_pause_does_not_switch_it_off(self, field: Field) -> None:
        rollout = await field.start()
        (conversation,) = await field.customers(rollout, Arm.CANDIDATE, count=1, closed=False)
        await field.rollouts.pause(rollout.id, by=BY, reason="looking")
        await field.turns(rollout, conversation, *[FAILED] * 8)
        assert (await after_a_tick(field, rollout)).state is RolloutState.ROLLED_BACK


class TestWayOn:
    async def test_safe_by_every_trigger_is_promoted(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 3000)
        ended = await after_a_tick(field, rollout)
        assert ended.state is RolloutState.PROMOTED
        traffic = await field.now_serving()
        assert (traffic.split, traffic.release_id) == (None, field.new)

    async def test_minimum_time_is_waited_for(self, field: Field) -> None:
        rollout = await field.start(plan(phase(hours=2.0), FULL))
        await both_arms(field, rollout, 3000)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING
        await field.let(hours=2)
        assert (await after_a_tick(field, rollout)).state is RolloutState.PROMOTED

    async def test_minimum_conversations_are_waited_for_in_both_arms(self, field: Field) -> None:
        first = phase("ten", Stage.PILOT, share=10.0, minimum=20, advance=Advance.NO_HARM)
        rollout = await field.start(plan(first, phase(), FULL))
        await field.customers(rollout, Arm.CANDIDATE, count=30)
        await field.customers(rollout, Arm.BASELINE, count=19)
        assert (await after_a_tick(field, rollout)).phase == 0
        await field.customers(rollout, Arm.BASELINE, count=1)
        entered = await after_a_tick(field, rollout)
        assert (entered.phase, entered.phase_started_at) == (1, field.clock.now())
        split = (await field.now_serving()).split
        assert split is not None
        assert (split.phase, split.candidate_buckets) == (1, 5000)

    async def test_staff_come_first_and_are_not_compared(self, field: Field) -> None:
        staff = phase("staff", Stage.INTERNAL, share=100.0, minimum=2, advance=Advance.NO_HARM)
        rollout = await field.start(plan(staff, phase(), FULL))
        split = (await field.now_serving()).split
        assert split is not None
        assert split.staff_only
        await field.customers(rollout, Arm.CANDIDATE, count=2, escalated=2)
        assert (await after_a_tick(field, rollout)).phase == 1

    async def test_agreement_is_asked_for_and_waited_for(self, field: Field) -> None:
        first = phase("ten", Stage.PILOT, share=10.0, minimum=20, advance=Advance.NO_HARM)
        rollout = await field.start(plan(first, phase(approval="compliance"), FULL))
        await both_arms(field, rollout, 30)
        waiting = await after_a_tick(field, rollout)
        assert (waiting.state, waiting.phase) == (RolloutState.WAITING, 0)
        split = (await field.now_serving()).split
        assert split is not None
        assert split.candidate_buckets == 1000
        assert (await after_a_tick(field, rollout)).state is RolloutState.WAITING
        assert (await kinds(field, rollout)).count("approval_asked") == 1
        await field.rollouts.approve(
            rollout.id, phase=1, approve=True, role="compliance", by=BY, reason="read the figures"
        )
        assert (await after_a_tick(field, rollout)).phase == 1

    async def test_harm_while_waiting_rolls_back(self, field: Field) -> None:
        rollout = await field.start(plan(phase(), phase("full", Stage.FULL, share=100.0, approval="admin")))
        await both_arms(field, rollout, 3000)
        assert (await after_a_tick(field, rollout)).state is RolloutState.WAITING
        await both_arms(field, rollout, 2000, worse_by=800)
        assert (await after_a_tick(field, rollout)).state is RolloutState.ROLLED_BACK


class TestHold:
    async def test_groups_of_the_wrong_size_hold_and_never_promote(self, field: Field) -> None:
        rollout = await field.start()
        await field.customers(rollout, Arm.BASELINE, count=3000, escalated=300)
        await field.customers(rollout, Arm.CANDIDATE, count=2000, escalated=200)
        held = await after_a_tick(field, rollout)
        assert held.state is RolloutState.HELD
        assert (held.hold_reason or "").startswith("The groups' sizes don't come from chance")
        assert (await field.now_serving()).split is not None
        await field.rollouts.resume(rollout.id, by=BY, reason="let me see")
        assert (await after_a_tick(field, rollout)).state is RolloutState.HELD

    async def test_a_measure_that_stops_arriving_holds_until_it_is_back(self, field: Field) -> None:
        watched = (trigger(), trigger("csat", 0.5))
        rollout = await field.start(plan(triggers=watched))
        marks = [4, 5, 3, 4] * 25
        await both_arms(field, rollout, 100, csat=marks)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING
        await field.let(hours=25)
        await both_arms(field, rollout, 30)
        held = await after_a_tick(field, rollout)
        assert held.state is RolloutState.HELD
        assert held.hold_reason == "No data: csat stopped arriving while conversations go on"
        (*_, latest) = [
            point for point in await field.rollouts.looks(rollout.id, category="")
            if point.verdict.kpi == "csat"
        ]  # fmt: skip
        assert latest.verdict.finding is Finding.NO_DATA
        await both_arms(field, rollout, 5, csat=marks)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING

    async def test_a_few_weighted_reviews_are_not_one_for_each_conversation(self, field: Field) -> None:
        rollout = await field.start(plan(triggers=(trigger(), trigger("hallucination_rate", 0.05))))
        await both_arms(field, rollout, 100)
        async with field.database.write() as session:
            await session.execute(REVIEW_TWO_OF_EACH_ARM, {"rollout": rollout.id, "at": field.clock.now()})
        await after_a_tick(field, rollout)
        assert await field.value("select sum(d) from rollout_sum where kpi = 'hallucination_rate'") == 200
        await field.let(hours=25)
        await both_arms(field, rollout, 30)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING

    async def test_a_quiet_weekend_is_not_a_stuck_measure(self, field: Field) -> None:
        rollout = await field.start(plan(triggers=(trigger(), trigger("csat", 0.5))))
        await both_arms(field, rollout, 100, csat=[4, 5] * 50)
        await after_a_tick(field, rollout)
        await field.let(hours=60)
        await both_arms(field, rollout, 5)
        assert (await after_a_tick(field, rollout)).state is RolloutState.RUNNING


class TestCollecting:
    async def test_a_conversation_counts_when_it_has_ended_or_lain_idle(self, field: Field) -> None:
        rollout = await field.start()
        await field.customers(rollout, Arm.BASELINE, count=3)
        await field.customers(rollout, Arm.CANDIDATE, count=4, closed=False)
        await field.controller.tick()
        assert await field.value("select sum(n) from rollout_sum where kpi = 'ended'") == 3
        await field.let(minutes=31)
        await field.controller.tick()
        assert await field.value("select sum(n) from rollout_sum where kpi = 'ended'") == 7

    async def test_both_ways_of_looking_find_the_same(self, field: Field) -> None:
        rollout = await field.start()
        await field.customers(rollout, Arm.BASELINE, count=5)
        await field.customers(rollout, Arm.CANDIDATE, count=7, closed=False)
        collector = Collector(database=field.database, clock=field.clock)
        assert await collector.collect(rollout, thoroughly=False) == 5
        await field.let(minutes=31)
        await field.customers(rollout, Arm.BASELINE, count=1)
        assert await collector.collect(rollout, thoroughly=False) == 8
        assert await collector.collect(rollout) == 0

    async def test_a_survey_counts_when_it_cannot_be_answered_any_longer(self, field: Field) -> None:
        rollout = await field.start(replace(plan(triggers=(trigger("csat", 0.5),)), survey_hours=72.0))
        await both_arms(field, rollout, 10, csat=[5, 4])
        await field.controller.tick()
        assert await field.value("select count(*) from rollout_sum where kpi = 'csat'") == 0
        await field.let(hours=72)
        await field.controller.tick()
        assert await field.value("select sum(d) from rollout_sum where kpi = 'csat'") == 4

    async def test_two_controllers_take_each_conversation_once(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 1200)
        other = field.another_controller()
        await asyncio.gather(*(one.tick() for one in [field.controller, other] * 3))
        for kpi in ("ended", "escalation_rate"):
            assert await field.value("select sum(n) from rollout_sum where kpi = %s", kpi) == 2400
        assert await field.value("select sum(y) from rollout_sum where kpi = 'escalation_rate'") == 240

    async def test_two_controllers_decide_once(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 300, worse_by=120)
        other = field.another_controller()
        await asyncio.gather(*(one.tick() for one in [field.controller, other] * 3))
        assert (await kinds(field, rollout)).count("rolled_back") == 1


class TestRecomputing:
    async def test_changed_numbers_no_longer_give_the_decision(self, field: Field) -> None:
        rollout = await field.start()
        await both_arms(field, rollout, 300, worse_by=120)
        await after_a_tick(field, rollout)
        async with field.database.read() as session:
            rows = await field.ledger.recent(session, subject=f"rollout:{rollout.id}")
        (decided,) = [row for row in rows if row.deed == "rollout.rolled_back"]
        assert recompute(decided).agrees
        forged = str(decided.details["evidence"]).replace('"y":"150.0"', '"y":"40.0"')
        details = {**decided.details, "evidence": forged}
        altered = recompute(replace(decided, details=details))
        assert not altered.agrees
        assert any("the numbers give nothing" in said for said in altered.differences)
