"""Rollouts over the API and in the console, with real access and rollouts that stand still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import httpx2
import pytest
from tests.integration.edge.standing_in import StandingEvaluations, StandingReleases, StandingRollouts
from tests.unit.edge.console import sample_rollouts as sample

from steward.edge.application import build_app
from steward.edge.callers import CSRF_HEADER, SESSION_COOKIE
from steward.edge.contracts import Services
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import Permission, Role
from steward.improve.rollout.shadow_results import ShadowPage, ShadowTurn, page_of
from steward.supply.releases.contracts import ReleaseId, ReleaseLine

PAGES = {
    "rolled back": sample.rolled_back(),
    "running": sample.running(),
    "promoted": sample.promoted(),
    "waiting": sample.waiting(),
    "held": sample.held(),
}
IDENTIFIER = sample.running().rollout.id
ADDRESS = f"/v1/admin/rollouts/{IDENTIFIER}"
PAGE = f"/console/rollouts/{IDENTIFIER}"


@pytest.fixture
def standing() -> StandingRollouts:
    """One rollout under way."""
    return StandingRollouts(sample.running())


@pytest.fixture
async def site(services: Services, standing: StandingRollouts) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application with rollouts, releases and evaluations."""
    lines = [
        ReleaseLine(ReleaseId(digest * 32), "northline", number, sample.START, sample.ADA, number == 6)
        for number, digest in ((7, "7c"), (6, "6b"))
    ]
    whole = replace(
        services,
        rollouts=cast(Any, standing),
        evaluations=cast(Any, StandingEvaluations()),
        releases=cast(Any, StandingReleases(*lines)),
    )
    transport = httpx2.ASGITransport(app=build_app(whole))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        yield client


async def key_of(services: Services, *scopes: Permission) -> dict[str, str]:
    """Return the header of a program with these scopes."""
    issued = await services.access.keys.issue(
        name="k", kind=KeyKind.SECRET, actor="system", scopes=set(scopes)
    )
    return {"Authorization": f"Bearer {issued.token}"}


async def sign_in(services: Services, client: httpx2.AsyncClient, role: Role) -> tuple[str, str]:
    """Sign somebody in and return their form token and how the ledger names them."""
    account = await services.access.accounts.create(
        login=f"{role}@x", name="Ada", role=role, password="a long password", actor="system"
    )
    opened = await services.access.sessions.open(account)
    client.cookies.set(SESSION_COOKIE, opened.token)
    return opened.csrf_token, account.principal.actor


class TestCalls:
    async def test_the_whole_page_is_one_object(self, site: httpx2.AsyncClient, services: Services) -> None:
        headers = await key_of(services, Permission.ROLLOUT_READ)
        found = (await site.get(ADDRESS, headers=headers)).json()
        assert found["rollout"]["state"] == "running"
        assert {arm["arm"] for arm in found["arms"]} == {"baseline", "candidate", "holdout"}
        assert found["latest"][0]["finding"] == "unknown"
        listed = (await site.get("/v1/admin/rollouts", headers=headers)).json()
        assert [item["id"] for item in listed["rollouts"]] == [str(IDENTIFIER)]

    async def test_lanes_are_listed_apart(self, site: httpx2.AsyncClient, services: Services) -> None:
        headers = await key_of(services, Permission.ROLLOUT_READ)
        found = await site.get("/v1/admin/rollouts?simulated=true", headers=headers)
        assert found.json() == {"rollouts": []}
        assert (await site.get("/v1/admin/rollouts?simulated=no", headers=headers)).status_code == 400

    @pytest.mark.parametrize(
        ("deed", "body", "called", "values"),
        [
            ("advance", {}, "advance", {}),
            ("pause", {}, "pause", {}),
            ("resume", {}, "resume", {}),
            ("abort", {}, "abort", {}),
            ("rollback", {}, "roll_back", {"category": None}),
            ("rollback", {"category": "plans"}, "roll_back", {"category": "plans"}),
        ],
    )
    async def test_steering_tells_who_and_why(
        self,
        site: httpx2.AsyncClient,
        services: Services,
        standing: StandingRollouts,
        deed: str,
        body: dict[str, str],
        called: str,
        values: dict[str, str | None],
    ) -> None:
        headers = await key_of(services, Permission.ROLLOUT_WRITE)
        response = await site.post(f"{ADDRESS}/{deed}", headers=headers, json={"reason": " why ", **body})
        assert (response.status_code, response.json()["id"]) == (200, str(IDENTIFIER))
        name, said = standing.asked[0]
        assert name == called
        assert said.pop("by").startswith("key:")
        assert said == {"reason": "why", **values}

    async def test_a_reason_is_needed(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        headers = await key_of(services, Permission.ROLLOUT_WRITE)
        for body in ({}, {"reason": "   "}):
            response = await site.post(f"{ADDRESS}/abort", headers=headers, json=body)
            assert response.status_code == 422
            assert response.json()["errors"][0]["pointer"] == "/reason"
        assert standing.asked == []

    async def test_an_unknown_rollout_isnt_found(self, site: httpx2.AsyncClient, services: Services) -> None:
        headers = await key_of(services, Permission.ROLLOUT_READ)
        for identifier in ("01a1fe76-f836-73af-8b6a-4d9d3c95aaaa", "7"):
            response = await site.get(f"/v1/admin/rollouts/{identifier}", headers=headers)
            assert response.status_code == 404

    async def test_a_person_agrees_in_their_role(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        token, actor = await sign_in(services, site, Role.COMPLIANCE)
        response = await site.post(
            f"{ADDRESS}/approvals/2", headers={CSRF_HEADER: token}, json={"approve": True, "reason": "fine"}
        )
        assert response.status_code == 200
        wanted = {"phase": 2, "approve": True, "role": "compliance", "by": actor, "reason": "fine"}
        assert standing.asked == [("approve", wanted)]


class TestPages:
    @pytest.mark.parametrize("name", list(PAGES))
    async def test_each_state_has_its_page(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts, name: str
    ) -> None:
        page = PAGES[name]
        standing.pages = {page.rollout.id: page}
        await sign_in(services, site, Role.ADMIN)
        shown = await site.get(PAGE)
        assert shown.status_code == 200
        assert name.split()[0] in shown.text
        assert ("Only invented customers take part" in shown.text) is page.rollout.simulated
        assert " style=" not in shown.text

    async def test_the_list_says_in_a_word_what_the_evidence_says(
        self, site: httpx2.AsyncClient, services: Services
    ) -> None:
        await sign_in(services, site, Role.VIEWER)
        page = await site.get("/console/rollouts")
        assert "Release 7" in page.text
        assert "no data" in page.text
        assert "Start a rollout" not in page.text
        assert "Release 7" not in (await site.get("/console/rollouts?lane=simulated")).text

    async def test_who_may_only_look_gets_no_buttons(
        self, site: httpx2.AsyncClient, services: Services
    ) -> None:
        await sign_in(services, site, Role.VIEWER)
        assert "Steer it" not in (await site.get(PAGE)).text

    async def test_the_fragment_is_only_the_content(
        self, site: httpx2.AsyncClient, services: Services
    ) -> None:
        await sign_in(services, site, Role.VIEWER)
        fragment = (await site.get(f"{PAGE}/live")).text
        assert "<html" not in fragment
        assert "What the evidence says" in fragment

    async def test_a_button_brings_its_reason(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        token, actor = await sign_in(services, site, Role.OPERATOR)
        form = {"csrf_token": token, "reason": "odd answers", "category": "plans"}
        response = await site.post(f"{PAGE}/rollback", data=form)
        assert (response.status_code, response.headers["location"]) == (303, PAGE)
        assert standing.asked == [("roll_back", {"by": actor, "reason": "odd answers", "category": "plans"})]
        assert (await site.post(f"{PAGE}/pause", data={**form, "reason": " "})).status_code == 400

    async def test_only_the_role_asked_for_is_shown_the_decision(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        page = sample.waiting()
        standing.pages = {page.rollout.id: page}
        await sign_in(services, site, Role.COMPLIANCE)
        assert "somebody else has to decide" in (await site.get(PAGE)).text

    async def test_deciding_needs_a_yes_or_a_no(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        token, actor = await sign_in(services, site, Role.OPERATOR)
        form = {"csrf_token": token, "reason": "fine"}
        assert (await site.post(f"{PAGE}/approvals/0", data=form)).status_code == 400
        response = await site.post(f"{PAGE}/approvals/0", data={**form, "decision": "deny"})
        assert response.status_code == 303
        wanted = {"phase": 0, "approve": False, "role": "operator", "by": actor, "reason": "fine"}
        assert standing.asked == [("approve", wanted)]

    async def test_starting_leads_to_the_rollout(
        self, site: httpx2.AsyncClient, services: Services, standing: StandingRollouts
    ) -> None:
        token, actor = await sign_in(services, site, Role.OPERATOR)
        form = {
            "csrf_token": token,
            "candidate": "7",
            "kind": "experiment",
            "lane": "simulated",
            "reason": "try",
        }
        response = await site.post("/console/rollouts", data=form)
        assert response.headers["location"] == PAGE
        (_, values) = standing.asked[0]
        assert (values["candidate"], values["kind"], values["simulated"]) == ("7", "experiment", True)
        assert (values["by"], values["without_gate"]) == (actor, False)
        assert (await site.get("/console/rollouts/new")).status_code == 200

    @pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 403), (Role.ADMIN, 303)])
    async def test_only_an_admin_starts_without_the_gate(
        self,
        site: httpx2.AsyncClient,
        services: Services,
        standing: StandingRollouts,
        role: Role,
        status: int,
    ) -> None:
        token, _ = await sign_in(services, site, role)
        form = {"csrf_token": token, "candidate": "7", "kind": "rollout", "reason": "urgent"}
        response = await site.post("/console/rollouts", data={**form, "without_gate": "yes"})
        assert response.status_code == status
        assert len(standing.asked) == (status == 303)


def shadow_turn(number: int, outcome: str) -> ShadowTurn:
    """Return a turn that the baseline answered and the candidate ended as said."""
    return ShadowTurn(
        turn_id=UUID(int=number), at=sample.START, category="plans", baseline_outcome="answered",
        candidate_outcome=outcome, baseline_intent="plan_change", candidate_intent="plan_change",
        same_sources=outcome == "answered", same=outcome == "answered", baseline_dropped=0,
        candidate_dropped=0, baseline_cost=Decimal("0.001"), candidate_cost=Decimal("0.002"),
        baseline_ms=310.0, candidate_ms=420.0, currency="GBP",
    )  # fmt: skip


class StandingShadows:
    """Shows given turns of a shadow."""

    def __init__(self, *turns: ShadowTurn) -> None:
        self.turns = turns

    async def of(self, _: UUID) -> ShadowPage:
        """Return what they showed."""
        return page_of(self.turns)


class TestShadow:
    @pytest.mark.parametrize(
        ("turns", "told"),
        [
            ((), "No turn has been compared yet."),
            (
                tuple(
                    shadow_turn(number, "answered" if number % 4 else "handed_over") for number in range(40)
                ),
                "answered → handed over",
            ),
        ],
    )
    async def test_its_page_says_what_would_change(
        self, services: Services, standing: StandingRollouts, turns: tuple[ShadowTurn, ...], told: str
    ) -> None:
        whole = replace(
            services, rollouts=cast(Any, standing), shadow_results=cast(Any, StandingShadows(*turns))
        )
        transport = httpx2.ASGITransport(app=build_app(whole))
        async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
            await sign_in(services, client, Role.VIEWER)
            page = await client.get(f"{PAGE}/shadow")
        assert page.status_code == 200
        assert told in page.text
