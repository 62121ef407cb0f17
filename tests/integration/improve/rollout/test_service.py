"""Starting and steering rollouts: what is refused, what happens to traffic, what is written down."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.integration.improve.rollout.field import BY, FULL, Field, arm_of, phase, plan

from steward.base.errors import Conflict
from steward.base.ids import new_id
from steward.improve.rollout.contracts import Advance, Rollout, RolloutKind, RolloutState, Stage
from steward.improve.rollout.errors import (
    AlreadyUnderWay,
    BadPlan,
    GateClosed,
    NoSuchCategory,
    NoSuchRollout,
    NotComparable,
    NothingAsked,
    NotThatRole,
    WrongState,
)
from steward.improve.rollout.gate import masks
from steward.improve.rollout.plan import as_json, from_json, plan_of
from steward.supply.assistant.reading import read_files
from steward.supply.releases.assignment import Arm, Baseline, BaselineKind
from steward.supply.releases.errors import RolloutUnderWay

SLOWLY = phase("ten", Stage.PILOT, share=10.0, minimum=20, advance=Advance.NO_HARM)


class TestStart:
    async def test_divides_traffic_by_the_first_phase(self, field: Field) -> None:
        rollout = await field.start()
        traffic = await field.now_serving()
        assert (rollout.state, rollout.phase, rollout.baseline) == (RolloutState.RUNNING, 0, field.old)
        assert traffic.split is not None
        assert traffic.split.candidate_buckets == 5000
        assert traffic.split.categories == {"delivery", "orders"}
        events = await field.rollouts.events(rollout.id)
        assert [event.kind for event in events] == ["started", "phase_started"]
        assert all(event.ledger_entry for event in events)

    async def test_the_plan_of_the_folder_with_its_first_agreement(self, field: Field) -> None:
        rollout = await field.rollouts.start(assistant="spoke", candidate="2", by=BY, reason="why not")
        assert [item.name for item in rollout.plan.phases] == ["staff", "pilot", "half", "full"]
        assert rollout.plan.phases[1].categories == ("delivery",)
        assert [item.matures for item in rollout.plan.triggers] == ["closed", "survey"]
        traffic = await field.now_serving()
        assert traffic.split is not None
        assert traffic.split.staff_only
        assert traffic.holdout is not None
        assert (traffic.holdout.buckets, traffic.holdout.release_id) == (200, field.old)

    async def test_its_baseline_stays_served_while_an_agreement_is_waited_for(self, field: Field) -> None:
        rollout = await field.start(plan(phase(approval="operator"), FULL))
        with pytest.raises(RolloutUnderWay, match="is under way"):
            await field.releases.serve("spoke", field.new, actor=BY)
        assert (await field.now_serving()).release_id == rollout.baseline

    async def test_serving_another_release_at_the_same_moment_loses_neither(self, field: Field) -> None:
        third = await field.releases.create(field.folder(survey=b"And now?"), created_by=BY)
        served, started = await asyncio.gather(
            field.releases.serve("spoke", third.id, actor=BY), field.start(), return_exceptions=True
        )
        traffic = await field.now_serving()
        if isinstance(served, RolloutUnderWay):
            assert isinstance(started, Rollout)
            assert traffic.split is not None
            assert traffic.release_id == started.baseline == field.old
        else:
            assert isinstance(started, Conflict | Rollout)
            assert traffic.release_id == third.id
            assert (traffic.split is None) == isinstance(started, Conflict)

    async def test_an_agreement_to_the_first_phase_is_waited_for(self, field: Field) -> None:
        rollout = await field.start(plan(phase(approval="operator"), FULL))
        assert rollout.state is RolloutState.WAITING
        assert (await field.now_serving()).split is None
        with pytest.raises(NotThatRole, match="phase 'half' needs the agreement of the role 'operator'"):
            await field.rollouts.approve(
                rollout.id, phase=0, approve=True, role="compliance", by=BY, reason="fine"
            )
        begun = await field.rollouts.approve(
            rollout.id, phase=0, approve=True, role="operator", by=BY, reason="fine"
        )
        assert begun.state is RolloutState.RUNNING
        assert (await field.now_serving()).split is not None

    async def test_denied_before_the_first_phase_it_ends(self, field: Field) -> None:
        rollout = await field.start(plan(phase(approval="operator"), FULL))
        ended = await field.rollouts.approve(
            rollout.id, phase=0, approve=False, role="admin", by=BY, reason="not in December"
        )
        assert (ended.state, ended.end_reason) == (RolloutState.ABORTED, "not in December")

    async def test_without_an_evaluation(self, field: Field) -> None:
        field.gates.answers.clear()
        with pytest.raises(GateClosed, match=r"hasn't been evaluated .* run `steward eval compare"):
            await field.start()

    async def test_a_failed_evaluation(self, field: Field) -> None:
        field.gates.answers[field.new] = field.gate(passed=False, reasons=("Case 'refund' got worse.",))
        with pytest.raises(GateClosed, match="Case 'refund' got worse"):
            await field.start()

    async def test_without_the_gate_the_ledger_says_so(self, field: Field) -> None:
        field.gates.answers.clear()
        rollout = await field.rollouts.start(
            assistant="spoke", candidate=field.new, plan=plan(), by=BY, reason="urgent", without_gate=True
        )
        (started, _) = await field.rollouts.events(rollout.id)
        assert started.evidence["without_gate"] is True

    async def test_a_second_one_is_refused_with_the_name_of_the_first(self, field: Field) -> None:
        first = await field.start()
        with pytest.raises(AlreadyUnderWay, match=f"is running \\({first.id}\\)"):
            await field.start()

    async def test_of_two_at_once_one_begins(self, field: Field) -> None:
        found = await asyncio.gather(field.start(), field.start(), return_exceptions=True)
        assert sorted(type(one).__name__ for one in found) == ["AlreadyUnderWay", "Rollout"]

    async def test_a_rehearsal_beside_it_changes_nothing_real(self, field: Field) -> None:
        await field.start()
        real = await field.now_serving()
        await field.start(plan(phase(share=25.0), FULL), simulated=True)
        assert await field.now_serving() == real
        rehearsed = (await field.now_serving(simulated=True)).split
        assert rehearsed is not None
        assert rehearsed.candidate_buckets == 2500

    async def test_the_served_release_against_itself(self, field: Field) -> None:
        with pytest.raises(NotComparable, match="is the one being served"):
            await field.rollouts.start(
                assistant="spoke", candidate=field.old, plan=plan(), by=BY, reason="why not"
            )

    async def test_another_baseline_than_the_served_one(self, field: Field) -> None:
        third = await field.releases.create(field.folder(survey=b"Well?"), created_by=BY)
        with pytest.raises(Conflict, match=r"serves release .* so that is the baseline"):
            await field.rollouts.start(
                assistant="spoke",
                candidate=field.new,
                baseline=third.id,
                plan=plan(),
                by=BY,
                reason="why not",
            )

    async def test_other_masking_rules(self, field: Field) -> None:
        files = dict(field.folder().files)
        files["guardrails.yaml"] = files["guardrails.yaml"].replace(b"masking:", b"masking:\n  mask: []", 1)
        unchanged = read_files(files, "spoke")
        files["guardrails.yaml"] = files["guardrails.yaml"].replace(
            b"mask: []", b"mask: [{name: frame, pattern: 'FR-[0-9]{5}'}]"
        )
        assert masks(unchanged) == masks(field.folder())
        changed = await field.releases.create(read_files(files, "spoke"), created_by=BY)
        with pytest.raises(NotComparable, match=r"`masking` in guardrails.yaml differs"):
            await field.rollouts.start(
                assistant="spoke", candidate=changed.id, plan=plan(), by=BY, reason="why not"
            )

    async def test_a_shadow_leaves_traffic_alone(self, field: Field) -> None:
        before = await field.now_serving()
        shadow = await field.rollouts.start(
            assistant="spoke", candidate=field.new, kind=RolloutKind.SHADOW, by=BY, reason="look first"
        )
        assert shadow.state is RolloutState.RUNNING
        assert await field.now_serving() == before
        await field.start()
        concluded = await field.rollouts.advance(shadow.id, by=BY, reason="seen enough")
        assert concluded.state is RolloutState.CONCLUDED
        assert (await field.now_serving()).split is not None

    async def test_a_release_is_no_baseline_where_the_desk_answers(self, field: Field) -> None:
        async with field.database.write() as session:
            served = await field.traffic.current(session, "spoke", simulated=False)
            await field.traffic.change(session, replace(served, baseline=Baseline(BaselineKind.HUMAN)))
        with pytest.raises(Conflict, match="'spoke' is answered by now is human, not release"):
            await field.start()

    async def test_an_experiment_compares_half_with_half(self, field: Field) -> None:
        rollout = await field.rollouts.start(
            assistant="spoke", candidate=field.new, kind=RolloutKind.EXPERIMENT, by=BY, reason="which is it?"
        )
        (only,) = rollout.plan.phases
        assert (only.share_percent, only.categories) == (50.0, ("delivery", "orders"))
        ended = await field.rollouts.advance(rollout.id, by=BY, reason="seen enough")
        assert ended.state is RolloutState.CONCLUDED
        traffic = await field.now_serving()
        assert (traffic.split, traffic.release_id) == (None, field.old)


class TestPlans:
    def test_a_plan_survives_json(self, field: Field) -> None:
        written = plan_of(field.folder())
        assert from_json(as_json(written)) == written

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (b"kpi: csat", b"kpi: csta", "there is no KPI 'csta': did you mean 'csat'"),
            (b"kpi: csat", b"kpi: turn_ms_p95", "a quantile has no variance"),
            (b"risks: [low]", b"risks: [high]", "no category of intents.yaml takes part in phase 'pilot'"),
            (b"share_percent: 50", b"share_percent: 100", "so there are no two groups to compare"),
            (b"approval: operator", b"approval: boss", "agreement of 'boss', and nobody could give it"),
            (b"share_percent: 50", b"channels: [web], share_percent: 50", "leaves out a channel"),
            (b"share_percent: 50", b"categories: [orders], share_percent: 50", "leaves out a category"),
        ],
    )
    def test_what_cannot_be_followed(self, field: Field, old: bytes, new: bytes, said: str) -> None:
        files = dict(field.folder().files)
        files["rollout.yaml"] = files["rollout.yaml"].replace(old, new)
        with pytest.raises(BadPlan, match=said):
            plan_of(read_files(files, "spoke"))

    async def test_everybody_without_a_safe_phase_before(self, field: Field) -> None:
        with pytest.raises(BadPlan, match="so it must have `advance: safe`"):
            await field.start(plan(phase(advance=Advance.NO_HARM), FULL))


class TestHoldout:
    async def test_stays_after_a_roll_back_and_keeps_its_salt(self, field: Field) -> None:
        first = await field.start(plan(holdout_share=0.1))
        kept = (await field.now_serving()).holdout
        assert kept is not None
        assert kept.salt != str(first.id)
        await field.rollouts.roll_back(first.id, by=BY, reason="no")
        assert (await field.now_serving()).holdout == kept
        await field.start(plan(holdout_share=0.3))
        assert (await field.now_serving()).holdout == kept

    async def test_is_never_divided(self, field: Field) -> None:
        await field.start(plan(holdout_share=0.5))
        traffic = await field.now_serving()
        arms = [arm_of(traffic, new_id(field.clock), "orders") for _ in range(400)]
        assert 150 < arms.count(Arm.HOLDOUT) < 250
        assert {Arm.BASELINE, Arm.CANDIDATE} < set(arms)


class TestPause:
    async def test_nobody_new_is_assigned_until_it_goes_on(self, field: Field) -> None:
        rollout = await field.start()
        paused = await field.rollouts.pause(rollout.id, by=BY, reason="a holiday")
        assert (paused.state, paused.hold_reason) == (RolloutState.PAUSED, "a holiday")
        traffic = await field.now_serving()
        assert traffic.split is not None
        assert traffic.split.candidate_buckets == 5000
        assert {arm_of(traffic, new_id(field.clock), "orders") for _ in range(50)} == {None}
        with pytest.raises(WrongState, match="is paused, so it can't be paused"):
            await field.rollouts.pause(rollout.id, by=BY, reason="again")
        await field.rollouts.resume(rollout.id, by=BY, reason="back")
        traffic = await field.now_serving()
        assert {arm_of(traffic, new_id(field.clock), "orders") for _ in range(50)} == set(Arm) - {Arm.HOLDOUT}

    async def test_one_that_has_not_begun(self, field: Field) -> None:
        rollout = await field.start(plan(phase(approval="operator"), FULL))
        with pytest.raises(WrongState, match="is waiting to begin, so it can't be paused"):
            await field.rollouts.pause(rollout.id, by=BY, reason="a holiday")


class TestAdvance:
    async def test_goes_on_without_the_minimums(self, field: Field) -> None:
        rollout = await field.start(plan(SLOWLY, phase(), FULL))
        assert (await field.rollouts.advance(rollout.id, by=BY, reason="enough")).phase == 1

    async def test_promotes_nothing_that_is_not_known_to_be_safe(self, field: Field) -> None:
        rollout = await field.start()
        with pytest.raises(WrongState, match="known to be safe, and escalation_rate isn't yet"):
            await field.rollouts.advance(rollout.id, by=BY, reason="enough")

    async def test_asks_for_the_agreement_first(self, field: Field) -> None:
        rollout = await field.start(plan(SLOWLY, phase(approval="operator"), FULL))
        assert (await field.rollouts.advance(rollout.id, by=BY, reason="x")).state is RolloutState.WAITING
        agreed = await field.rollouts.approve(
            rollout.id, phase=1, approve=True, role="operator", by=BY, reason="fine"
        )
        assert (agreed.state, agreed.phase) == (RolloutState.RUNNING, 0)
        assert (await field.rollouts.advance(rollout.id, by=BY, reason="now")).phase == 1

    async def test_denied_it_pauses_and_asks_again_later(self, field: Field) -> None:
        rollout = await field.start(plan(SLOWLY, phase(approval="operator"), FULL))
        await field.rollouts.advance(rollout.id, by=BY, reason="enough")
        denied = await field.rollouts.approve(
            rollout.id, phase=1, approve=False, role="operator", by=BY, reason="not yet"
        )
        assert (denied.state, denied.hold_reason) == (RolloutState.PAUSED, "not yet")
        await field.rollouts.resume(rollout.id, by=BY, reason="now then")
        asked = await field.rollouts.advance(rollout.id, by=BY, reason="enough")
        assert asked.state is RolloutState.WAITING
        (approval,) = (await field.rollouts.page(rollout.id)).approvals
        assert (approval.state, approval.decided_by) == ("waiting", None)

    async def test_nothing_asked_nothing_agreed(self, field: Field) -> None:
        rollout = await field.start()
        with pytest.raises(NothingAsked, match=f"no agreement is asked for: rollout {rollout.id} is running"):
            await field.rollouts.approve(rollout.id, phase=1, approve=True, role="admin", by=BY, reason="x")


class TestRollBack:
    async def test_by_hand_ends_it(self, field: Field) -> None:
        rollout = await field.start()
        ended = await field.rollouts.roll_back(rollout.id, by=BY, reason="customers call")
        assert (ended.state, ended.end_reason) == (RolloutState.ROLLED_BACK, "customers call")
        assert (await field.now_serving()).split is None
        for deed in (field.rollouts.pause, field.rollouts.roll_back, field.rollouts.abort):
            with pytest.raises(WrongState, match="is rolled back, so it can't be"):
                await deed(rollout.id, by=BY, reason="again")

    async def test_a_release_that_was_taken_back_is_known_until_it_is_tried_again(self, field: Field) -> None:
        rollout = await field.start()
        assert not await field.rollouts.was_taken_back("spoke", field.new)
        await field.rollouts.roll_back(rollout.id, by=BY, reason="customers call")
        assert await field.rollouts.was_taken_back("spoke", field.new)
        assert not await field.rollouts.was_taken_back("spoke", field.old)
        await field.let(minutes=1)
        await field.start()
        assert not await field.rollouts.was_taken_back("spoke", field.new)

    async def test_a_release_that_was_taken_back_may_be_served_by_hand(self, field: Field) -> None:
        rollout = await field.start()
        await field.rollouts.roll_back(rollout.id, by=BY, reason="customers call")
        await field.releases.serve("spoke", field.new, actor=BY)
        assert not await field.rollouts.was_taken_back("spoke", field.new)

    async def test_in_one_category_the_others_go_on(self, field: Field) -> None:
        rollout = await field.start()
        left = await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="orders")
        assert (left.state, left.harmed_categories) == (RolloutState.RUNNING, ("orders",))
        traffic = await field.now_serving()
        assert arm_of(traffic, new_id(field.clock), "orders") is None
        with pytest.raises(WrongState, match="it doesn't take part"):
            await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="orders")
        ended = await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="delivery")
        assert ended.state is RolloutState.ROLLED_BACK

    async def test_in_a_category_that_it_does_not_have(self, field: Field) -> None:
        rollout = await field.start()
        with pytest.raises(NoSuchCategory, match="has no category 'nope'; it has delivery, orders"):
            await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="nope")

    async def test_the_category_stays_out_in_the_next_phase(self, field: Field) -> None:
        rollout = await field.start(plan(SLOWLY, phase(), FULL))
        await field.rollouts.roll_back(rollout.id, by=BY, reason="calls", category="orders")
        await field.rollouts.advance(rollout.id, by=BY, reason="on")
        split = (await field.now_serving()).split
        assert split is not None
        assert split.categories == {"delivery"}


class TestLooking:
    async def test_an_unknown_rollout(self, field: Field) -> None:
        with pytest.raises(NoSuchRollout, match="there is no rollout"):
            await field.rollouts.get(new_id(field.clock))

    async def test_the_page_answers_everything(self, field: Field) -> None:
        rollout = await field.start(replace(plan(), holdout_share=0.1))
        await field.customers(rollout, Arm.BASELINE, count=40, escalated=4)
        (first, *_) = await field.customers(rollout, Arm.CANDIDATE, count=40, escalated=4)
        await field.turns(rollout, first, ("answered", "answered"))
        await field.controller.tick()
        page = await field.rollouts.page(rollout.id)
        assert (page.candidate_number, page.baseline_number, page.gate_passed) == (2, 1, True)
        assert page.changes != ()
        assert [(arm.arm, arm.customers, arm.ended) for arm in page.arms] == [
            (Arm.BASELINE, 40, 40),
            (Arm.CANDIDATE, 40, 40),
        ]
        assert page.arms[1].turns == 1
        assert page.arms[1].sums["escalation_rate"].y == 4
        assert page.customers_met == 40
        assert [verdict.kpi for verdict in page.latest] == ["escalation_rate"] * 3
        assert [point.verdict.n_candidate for point in page.points if point.verdict.category == ""] == [40]
        missing = await field.rollouts.missing(rollout.id)
        assert missing[0] == "10 more ended conversations on the baseline"

    async def test_lists_by_lane(self, field: Field) -> None:
        real = await field.start()
        rehearsed = await field.start(simulated=True)
        assert [one.id for one in await field.rollouts.recent(simulated=False)] == [real.id]
        assert [one.id for one in await field.rollouts.recent(simulated=True)] == [rehearsed.id]
        assert len(await field.rollouts.recent(assistant="spoke")) == 2
