"""The gate's governance half: who is accountable, what lowers high risks, who has agreed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import pytest
from tests.conftest import NOON
from tests.integration.improve.rollout.field import BY, FULL, Field, phase, plan
from tests.integration.supply.releases.conftest import SPOKE

from steward.govern.policy.controls import BY_PROBE, Control, ControlState, Shown
from steward.improve.rollout.contracts import RolloutState, Stage
from steward.improve.rollout.errors import GateClosed
from steward.improve.rollout.governing import Governing, conditions, risk_states
from steward.supply.assistant.collecting import collect
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.assistant.schema.governance import Governance, RiskEntry, UseCase
from steward.supply.releases.approvals import Approvals, ReleaseApproval, Served
from steward.supply.releases.contracts import Release, short_id
from steward.supply.releases.errors import CannotApprove, NoSuchApproval

USE_CASE = UseCase(
    name="orders",
    title="Orders",
    categories=("orders",),
    responsible=("Care",),
    accountable="Head",
    lawful_basis="contract",
)
RISK = RiskEntry(name="leak", title="Leak", likelihood=3, impact=5, owner="Head", controls=("masking",))


def state_of(control: Control, *, live: bool = True, cases: int = 1, failing: int = 0) -> ControlState:
    names = tuple(f"case_{number}" for number in range(cases))
    return ControlState(control, Shown(live, "looked at"), names, names[:failing], NOON if cases else None)


def found(
    governance: Governance | None, *, masking: ControlState, categories: tuple[str, ...] = ("orders",)
) -> tuple[str, ...]:
    controls: Mapping[Control, ControlState] = {
        **{control: state_of(control) for control in Control},
        Control.MASKING: masking,
    }
    release = Release("0" * 64, "spoke", 1, {}, "s", NOON, BY)  # type: ignore[arg-type] # ids are texts
    return tuple(conditions(governance, release, categories, controls, ()))


class TestConditions:
    whole = Governance(use_cases=(USE_CASE,), risks=(RISK,))

    def test_nothing_is_missing_where_all_is_there(self) -> None:
        assert found(self.whole, masking=state_of(Control.MASKING)) == ()

    def test_a_folder_without_governance_has_nobody_accountable(self) -> None:
        assert "no governance.yaml" in found(None, masking=state_of(Control.MASKING))[0]

    def test_a_category_without_a_use_case(self) -> None:
        (said,) = found(self.whole, masking=state_of(Control.MASKING), categories=("orders", "delivery"))
        assert "nobody is accountable for category 'delivery'" in said

    @pytest.mark.parametrize(
        ("masking", "why"),
        [
            (state_of(Control.MASKING, live=False), "isn't at work: looked at"),
            (state_of(Control.MASKING, cases=0), "no evaluation case names control 'masking'"),
            (state_of(Control.MASKING, failing=1), "didn't pass: case_0"),
        ],
    )
    def test_a_high_risk_whose_control_does_not_work(self, masking: ControlState, why: str) -> None:
        (said,) = found(self.whole, masking=masking)
        assert "risk 'leak' is high (15 of 25) and no control that its own governance.yaml names" in said
        assert why in said

    def test_a_low_risk_needs_no_control(self) -> None:
        low = self.whole.model_copy(update={"high_risk": 16})
        assert found(low, masking=state_of(Control.MASKING, live=False)) == ()

    def test_one_working_control_is_enough(self) -> None:
        two = self.whole.model_copy(
            update={"risks": (RISK.model_copy(update={"controls": ("masking", "guard")}),)}
        )
        assert found(two, masking=state_of(Control.MASKING, live=False)) == ()

    def test_a_control_of_the_installation_is_tested_by_its_probe(self) -> None:
        assert all(state_of(control, cases=0).works for control in BY_PROBE)

    def test_an_agreement_that_is_missing(self) -> None:
        asked = self.whole.model_copy(update={"approve_release": ("operator",)})
        (said,) = found(asked, masking=state_of(Control.MASKING))
        assert "the role 'operator' hasn't agreed" in said

    def test_risks_come_with_what_lowers_them(self) -> None:
        controls = {control: state_of(control) for control in Control}
        (item,) = risk_states(self.whole, controls)
        assert (item.high, item.working) == (True, (Control.MASKING,))


class TestStricterFolder:
    """A release is held against its own folder and against that of the release that serves."""

    strict = Governance(use_cases=(USE_CASE,), risks=(RISK,), approve_release=("compliance",))
    served = Served("f" * 64, strict)
    dead = state_of(Control.MASKING, live=False)
    which = "the governance.yaml of release ffffffffffff (it serves now)"

    def said(self, own: Governance, *, masking: ControlState = dead, agreed: bool = True) -> tuple[str, ...]:
        controls = {control: state_of(control) for control in Control} | {Control.MASKING: masking}
        release = Release("0" * 64, "spoke", 1, {}, "s", NOON, BY)  # type: ignore[arg-type] # ids are texts
        role = ReleaseApproval(UUID(int=1), "compliance", BY, "r", NOON)
        return tuple(conditions(own, release, ("orders",), controls, (role,) if agreed else (), self.served))

    @pytest.mark.parametrize(
        "risks",
        [
            (),
            (RISK.model_copy(update={"likelihood": 1}),),
            (RISK.model_copy(update={"likelihood": 1, "controls": ()}),),
            (RISK.model_copy(update={"controls": ("ledger",)}),),
        ],
        ids=["dropped", "rated lower", "rated lower without controls", "under an easier control"],
    )
    def test_a_risk_counts_as_the_release_that_serves_lists_it(self, risks: tuple[RiskEntry, ...]) -> None:
        (said,) = self.said(self.strict.model_copy(update={"risks": risks}))
        assert f"risk 'leak' is high (15 of 25) and no control that {self.which} names" in said
        assert "control 'masking' isn't at work" in said

    def test_a_raised_bound_counts_from_the_next_release_on(self) -> None:
        own = self.strict.model_copy(update={"high_risk": 25, "risks": (RISK,)})
        (said,) = self.said(own)
        assert f"is high (15 of 25, from 12 on by {self.which})" in said

    def test_its_own_stricter_folder_asks_as_well(self) -> None:
        other = RISK.model_copy(update={"name": "other"})
        (first, second) = self.said(self.strict.model_copy(update={"risks": (RISK, other)}))
        assert "risk 'leak'" in first
        assert "risk 'other' is high (15 of 25) and no control that its own governance.yaml names" in second
        raised = self.strict.model_copy(update={"high_risk": 1, "approve_release": ()})
        assert len(self.said(raised)) == 1

    def test_nothing_is_missing_where_both_are_met(self) -> None:
        lower = self.strict.model_copy(update={"risks": (), "high_risk": 25, "approve_release": ()})
        assert self.said(lower, masking=state_of(Control.MASKING)) == ()

    def test_an_agreement_says_who_asks_for_it(self) -> None:
        own = self.strict.model_copy(update={"approve_release": ()})
        (said,) = self.said(own, masking=state_of(Control.MASKING), agreed=False)
        assert "the role 'compliance' hasn't agreed" in said
        assert f"as {self.which} asks" in said

    def test_a_folder_without_governance_is_refused_all_the_same(self) -> None:
        release = Release("0" * 64, "spoke", 1, {}, "s", NOON, BY)  # type: ignore[arg-type] # ids are texts
        controls = {control: state_of(control) for control in Control}
        (said,) = conditions(None, release, ("orders",), controls, (), self.served)
        assert "no governance.yaml" in said

    def test_a_list_of_risks_shows_the_strictest(self) -> None:
        own = self.strict.model_copy(update={"risks": (RISK.model_copy(update={"impact": 1}),)})
        controls = {control: state_of(control) for control in Control} | {Control.MASKING: self.dead}
        (item,) = risk_states(own, controls, self.served)
        assert (item.risk.score, item.high, item.lowered, item.elsewhere) == (15, True, False, self.which)


class TestGate:
    async def test_closes_the_first_phase(self, field: Field) -> None:
        field.conditions.lacks = ("the role 'operator' hasn't agreed",)
        sentence = r"may not enter phase 'half'\. The role 'operator' hasn't agreed"
        with pytest.raises(GateClosed, match=sentence):
            await field.start()

    async def test_closes_the_next_phase_to_a_person(self, field: Field) -> None:
        rollout = await field.start(plan(phase("pilot", Stage.PILOT, share=5.0), phase(), FULL))
        field.conditions.lacks = ("nobody is accountable",)
        with pytest.raises(GateClosed, match="may not enter phase 'half'"):
            await field.rollouts.advance(rollout.id, by=BY, reason="soon")

    async def test_closes_a_phase_that_was_paused(self, field: Field) -> None:
        rollout = await field.start()
        await field.rollouts.pause(rollout.id, by=BY, reason="a holiday")
        field.conditions.lacks = ("the role 'operator' took its agreement back",)
        with pytest.raises(GateClosed, match="took its agreement back"):
            await field.rollouts.resume(rollout.id, by=BY, reason="back again")

    async def test_started_without_it_names_what_was_missing(self, field: Field) -> None:
        field.conditions.lacks = ("nobody is accountable",)
        rollout = await field.rollouts.start(
            assistant="spoke", candidate=field.new, plan=plan(), by=BY, reason="urgent", without_gate=True
        )
        events = await field.rollouts.events(rollout.id)
        assert events[0].evidence["missing"] == ["nobody is accountable"]
        assert rollout.state is RolloutState.RUNNING


class TestGoverning:
    @pytest.fixture
    def approvals(self, field: Field) -> Approvals:
        return Approvals(field.database, clock=field.clock, ledger=field.ledger)

    @pytest.fixture
    def governing(self, field: Field, approvals: Approvals) -> Governing:
        async def shown(_: str, __: Folder) -> Shown:
            return Shown(True, "is at work")

        probes = dict.fromkeys(Control, shown)
        return Governing(database=field.database, probes=probes, approvals=approvals, clock=field.clock)

    async def test_tells_how_a_release_stands(self, field: Field, governing: Governing) -> None:
        state = await governing.state(field.new)
        assert state.release.id == field.new
        assert set(state.controls) == set(Control)
        assert state.controls[Control.LEDGER].works
        assert "no evaluation case" in str(state.controls[Control.MASKING].fault)

    async def test_asks_nothing_where_no_customer_is_reached(
        self, field: Field, governing: Governing
    ) -> None:
        rehearsal = await field.rollouts.start(
            assistant="spoke",
            candidate=field.new,
            plan=plan(),
            by=BY,
            reason="try",
            simulated=True,
            without_gate=True,
        )
        assert await governing.missing(rehearsal, phase=0) == ()

    async def test_what_was_waived_at_the_start_stays_so(self, field: Field, governing: Governing) -> None:
        gated = await field.start()
        before = await governing.missing(gated, phase=0)
        assert (
            any("hasn't agreed" in sentence or "accountable" in sentence for sentence in before) or not before
        )
        await field.rollouts.abort(gated.id, by=BY, reason="over")
        waived = await field.rollouts.start(
            assistant="spoke", candidate=field.new, plan=plan(), by=BY, reason="urgent", without_gate=True
        )
        assert await governing.missing(waived, phase=0) == ()

    async def test_agreements_are_given_once_and_taken_back(self, field: Field, approvals: Approvals) -> None:
        release = await field.releases.find(field.new)
        with pytest.raises(CannotApprove, match="only the role 'operator' or an admin"):
            await approvals.give(
                release, role="operator", own_role="editor", actor="account:1", reason="r", four_eyes=False
            )
        for _ in range(2):
            await approvals.give(
                release, role="operator", own_role="admin", actor="account:1", reason="r", four_eyes=False
            )
        assert [item.role for item in await approvals.of(release.id)] == ["operator"]
        await approvals.withdraw(release, role="operator", own_role="operator", actor="account:2")
        assert await approvals.of(release.id) == ()
        with pytest.raises(NoSuchApproval, match="hasn't agreed"):
            await approvals.withdraw(release, role="operator", own_role="admin", actor="account:2")
        async with field.database.read() as session:
            deeds = [row.deed for row in await field.ledger.recent(session, subject=f"release:{release.id}")]
        assert deeds[:2] == ["release.approval_withdrawn", "release.approved"]

    async def test_a_release_cant_let_itself_off_an_agreement(
        self, field: Field, governing: Governing, approvals: Approvals
    ) -> None:
        files = dict(collect(SPOKE)[0])
        strict = read_files(
            {**files, "governance.yaml": b"approve_release: [compliance]\nfour_eyes: true\n"}, "strict"
        )
        served = await field.releases.create(strict, created_by=BY)
        easy = read_files({**files, "governance.yaml": b"approve_release: []\n"}, "easy")
        release = await field.releases.create(easy, created_by=BY)
        await field.releases.serve("spoke", served.id, actor=BY)
        said = (await governing.state(release.id)).missing
        assert any("the role 'compliance' hasn't agreed" in sentence for sentence in said)
        state = await governing.state(release.id)
        assert state.governance is not None
        assert state.governance.four_eyes
        await approvals.give(
            release, role="compliance", own_role="compliance", actor="account:9", reason="r", four_eyes=True
        )
        assert not any("agreed" in item for item in (await governing.state(release.id)).missing)

    async def test_a_release_cant_let_itself_off_a_risk(self, field: Field, governing: Governing) -> None:
        files = dict(collect(SPOKE)[0])
        risk = "- {name: leak, title: Leak, likelihood: 3, impact: 5, owner: Head, controls: [masking]}"
        strict = read_files({**files, "governance.yaml": f"risks:\n  {risk}\n".encode()}, "strict")
        served = await field.releases.create(strict, created_by=BY)
        easy = read_files({**files, "governance.yaml": b"risks: []\nhigh_risk: 25\n"}, "easy")
        release = await field.releases.create(easy, created_by=BY)
        assert not any("risk" in item for item in (await governing.state(release.id)).missing)
        await field.releases.serve("spoke", served.id, actor=BY)
        state = await governing.state(release.id)
        (said,) = (item for item in state.missing if "risk" in item)
        assert "risk 'leak' is high (15 of 25)" in said
        assert f"release {short_id(served.id)} (it serves now)" in said
        assert state.governance is not None
        assert state.governance.high_risk == 12
        await field.releases.serve("spoke", release.id, actor=BY)
        assert not any("risk" in item for item in (await governing.state(release.id)).missing)

    async def test_four_eyes(self, field: Field, approvals: Approvals) -> None:
        release = await field.releases.find(field.new)
        with pytest.raises(CannotApprove, match="who made the release"):
            await approvals.give(
                release, role="admin", own_role="admin", actor=release.created_by, reason="r", four_eyes=True
            )
        await approvals.give(
            release, role="admin", own_role="admin", actor="account:7", reason="r", four_eyes=True
        )
        with pytest.raises(CannotApprove, match="the same person agreed as 'admin'"):
            await approvals.give(
                release, role="operator", own_role="admin", actor="account:7", reason="r", four_eyes=True
            )
