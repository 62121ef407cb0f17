"""Logging in, limits, headers and files, on a real database."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from steward.edge.application import build_app
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import Permission, Role
from steward.serve.conversations.service import Started

PASSWORD = "a long password"
SOME_ID = "01a1fe76-f836-73af-8b6a-4d9d3c95a300"


class TestLogin:
    async def test_the_right_password_opens_a_session(
        self, client: httpx2.AsyncClient, services: Services
    ) -> None:
        await services.access.accounts.create(
            login="sam", name="Sam", role=Role.COMPLIANCE, password=PASSWORD, actor="system"
        )
        response = await client.post(
            "/console/login", data={"login": "sam", "password": PASSWORD, "next": "/console/ledger"}
        )
        assert (response.status_code, response.headers["location"]) == (303, "/console/ledger")
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        page = await client.get("/console/ledger")
        assert page.status_code == 200
        assert "account.created" in page.text
        verdict = await client.get("/console/ledger/verify")
        assert "rows are intact" in verdict.text

    async def test_signing_out_ends_it(self, client: httpx2.AsyncClient, services: Services) -> None:
        account = await services.access.accounts.create(
            login="sam", name="Sam", role=Role.COMPLIANCE, password=PASSWORD, actor="system"
        )
        opened = await services.access.sessions.open(account)
        client.cookies.set(SESSION_COOKIE, opened.token)
        assert (await client.post("/console/logout", data={"csrf_token": "x"})).status_code == 403
        response = await client.post("/console/logout", data={"csrf_token": opened.csrf_token})
        assert response.status_code == 303
        client.cookies.set(SESSION_COOKIE, opened.token)
        assert (await client.get("/console/ledger")).status_code == 303

    async def test_a_wrong_password_is_told_and_limited(self, client: httpx2.AsyncClient) -> None:
        answers = [
            (await client.post("/console/login", data={"login": "nobody", "password": "x"})).status_code
            for _ in range(4)
        ]
        assert answers == [401, 401, 401, 429]

    async def test_a_login_leads_nowhere_else(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/console/login", params={"next": "https://evil.example"})
        assert 'name="next" value="/console"' in page.text


class TestPages:
    async def test_a_page_forbids_inline_code_and_framing(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/console/login")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"

    async def test_every_file_of_a_page_is_there_and_whole(self, client: httpx2.AsyncClient) -> None:
        page = (await client.get("/console/login")).text
        addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert len(addresses) >= 4
        for address in addresses:
            response = await client.get(address)
            assert response.status_code == 200, address
            if "?v=" in address:
                assert "immutable" in response.headers["cache-control"]

    async def test_without_a_demo_the_front_door_is_the_console(self, client: httpx2.AsyncClient) -> None:
        response = await client.get("/")
        assert (response.status_code, response.headers["location"]) == (303, "/console")
        assert (await client.get("/demo/turns/01a1fe76-f836-73af-8b6a-4d9d3c95a300")).status_code == 404

    async def test_the_widget_is_revalidated_by_its_digest(self, client: httpx2.AsyncClient) -> None:
        first = await client.get("/widget.js")
        again = await client.get("/widget.js", headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)
        assert first.headers["cross-origin-resource-policy"] == "cross-origin"


class TestApi:
    async def test_an_unknown_address_is_a_problem(self, client: httpx2.AsyncClient) -> None:
        response = await client.get("/v2/nothing")
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")

    async def test_another_method_is_a_problem(self, client: httpx2.AsyncClient) -> None:
        assert (await client.delete("/v1/route")).status_code == 405

    async def test_not_ready_is_503(self, client: httpx2.AsyncClient) -> None:
        response = await client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (503, "not ready")
        assert (await client.get("/healthz")).json()["status"] == "ok"

    async def test_a_public_key_is_limited_by_address(
        self, client: httpx2.AsyncClient, services: Services
    ) -> None:
        issued = await services.access.keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system")
        headers = {"Authorization": f"Bearer {issued.token}"}
        answers = [await client.post("/v1/conversations", headers=headers, content=b"[") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [400] * 5 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0

    async def test_a_bug_is_a_500_with_a_reference_only(
        self, client: httpx2.AsyncClient, services: Services
    ) -> None:
        issued = await services.access.keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system")
        response = await client.post(
            "/v1/conversations", headers={"Authorization": f"Bearer {issued.token}"}, json={}
        )
        problem = response.json()
        assert response.status_code == 500
        assert problem["reference"] in problem["detail"]
        assert "NoneType" not in response.text

    @pytest.mark.parametrize(
        ("scopes", "simulated", "status"),
        [
            ({Permission.CONVERSATION_USE}, True, 403),
            ({Permission.CONVERSATION_USE, Permission.TRAFFIC_SIMULATE}, True, 201),
            ({Permission.CONVERSATION_USE}, False, 201),
            ({Permission.CONVERSATION_USE, Permission.TRAFFIC_SIMULATE}, "yes", 422),
        ],
    )
    async def test_only_who_may_simulate_marks_a_conversation_so(
        self, services: Services, scopes: set[Permission], simulated: object, status: int
    ) -> None:
        started: list[bool] = []

        class Beginnings:
            async def start(self, *, simulated: bool, **_: object) -> Started:
                started.append(simulated)
                return Started(cast(Any, SimpleNamespace(id=SOME_ID)), "Hello", "Northline")

        app = build_app(replace(services, conversations=cast(Any, Beginnings())))
        issued = await services.access.keys.issue(
            name="s", kind=KeyKind.SECRET, actor="system", scopes=scopes
        )
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
            response = await client.post(
                "/v1/conversations",
                headers={"Authorization": f"Bearer {issued.token}"},
                json={"simulated": simulated},
            )
        assert response.status_code == status
        assert response.headers["content-type"].startswith("application/")
        assert started == ([simulated] if status == 201 else [])

    async def test_an_answer_isnt_kept_on_the_way(self, client: httpx2.AsyncClient) -> None:
        response = await client.get("/healthz")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"

    async def test_other_sites_may_call_from_the_browser(self, client: httpx2.AsyncClient) -> None:
        response = await client.options(
            "/v1/conversations",
            headers={
                "Origin": "https://shop.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
