"""Every route declares its permission, and every sort of caller gets in exactly where it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from steward.app.permission_page import permission_page
from steward.edge.application import build_app, declared_calls
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.edge.declarations import CONSOLE, Declared, Stranger, declared_by
from steward.edge.entrance import PUBLIC
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import SCOPES, Permission, Role
from steward.serve.turn.reach import RECORDS

ROOT = Path(__file__).resolve().parents[3]
SOME_ID = "01a1fe76-f836-73af-8b6a-4d9d3c95a300"
PUBLIC_PATHS = {
    "/",
    "/console/login",
    "/console/login/code",
    "/console/login/enrol",
    "/console/login/oidc",
    "/console/login/oidc/callback",
    "/console/login/oidc/logout",
    "/console/logout",
    "/demo/turns/{turn_id}",
    "/healthz",
    "/openapi.json",
    "/readyz",
    "/static/{name}",
    "/widget.js",
}
CALLS = [call for call in declared_calls() if call.needed is not PUBLIC]
OTHER_RECORDS = {
    "account_id",
    "baseline",
    "candidate",
    "entry_id",
    "erasure_id",
    "form",
    "key_id",
    "name",
    "other",
    "phase",
    "reference",
    "release_id",
    "rollout_id",
    "session_id",
}
"""Names in paths that lead to no conversation."""


@pytest.fixture
def patient(services: Services) -> FastAPI:
    """The application with limits that no test reaches."""
    settings = replace(services.settings, requests_per_minute=100_000, messages_per_minute=100_000)
    return build_app(replace(services, settings=settings))


async def got_in(
    client: httpx2.AsyncClient, call: Declared, headers: Mapping[str, str], form: Mapping[str, str]
) -> bool:
    """Make a call and tell whether the caller got past the entrance."""
    path = re.sub(r"{\w+}", SOME_ID, call.path)
    response = await client.request(call.method, path, headers=headers, data=dict(form) or None)
    led_away = response.status_code == 303 and "/console/login" in response.headers["location"]
    return response.status_code not in {401, 403} and not led_away


async def entered(
    app: FastAPI,
    headers: Mapping[str, str],
    *,
    cookie: str | None = None,
    form: Mapping[str, str] | None = None,
) -> set[Declared]:
    """Return the guarded calls that let a caller in."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        if cookie is not None:
            client.cookies.set(SESSION_COOKIE, cookie)
        # What ends the caller's own login comes last.
        calls = sorted(CALLS, key=lambda call: "session" in call.path or call.path.endswith("/password"))
        return {call for call in calls if await got_in(client, call, headers, form or {})}


class TestDeclarations:
    def test_every_route_declares_its_permission(self, app: FastAPI) -> None:
        assert [call for call in declared_by(app) if call.needed is None] == []

    def test_only_the_known_routes_are_public(self, app: FastAPI) -> None:
        assert {call.path for call in declared_by(app) if call.needed is PUBLIC} == PUBLIC_PATHS

    def test_the_list_of_calls_is_the_applications(self, app: FastAPI) -> None:
        assert declared_by(app) == declared_calls()

    def test_every_record_in_a_path_is_in_reach_or_known_not_to_need_it(self) -> None:
        named = {name for call in CALLS for name in re.findall(r"{(\w+)}", call.path)}
        assert named - RECORDS - OTHER_RECORDS == set()

    async def test_the_document_tells_them(self, app: FastAPI, client: httpx2.AsyncClient) -> None:
        document = (await client.get("/openapi.json")).json()
        told = {
            (method.upper(), path): operation.get("x-permission")
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        assert told["POST", "/v1/conversations"] == "conversation:use"
        assert told["GET", "/v1/admin/ledger"] == "ledger:read"
        assert None not in told.values()

    def test_the_page_is_current(self) -> None:
        written = (ROOT / "docs" / "reference" / "permissions.md").read_text(encoding="utf-8")
        assert written == permission_page(), (
            "run: python -m steward.app.permission_page > docs/reference/permissions.md"
        )


class TestEveryCallerOnEveryCall:
    @pytest.mark.parametrize("role", list(Role))
    async def test_a_role(self, role: Role, patient: FastAPI, services: Services) -> None:
        account = await services.access.accounts.create(
            login=f"{role}@x", name="P", role=role, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        found = await entered(
            patient,
            {"x-csrf-token": opened.csrf_token},
            cookie=opened.token,
            form={"csrf_token": opened.csrf_token},
        )
        assert found == {call for call in CALLS if call.admits_role(role)}

    @pytest.mark.parametrize("scope", sorted(SCOPES))
    async def test_a_secret_key(self, scope: Permission, patient: FastAPI, services: Services) -> None:
        issued = await services.access.keys.issue(
            name="k", kind=KeyKind.SECRET, actor="system", scopes={scope}
        )
        found = await entered(patient, {"Authorization": f"Bearer {issued.token}"})
        assert found == {call for call in CALLS if call.admits_scope(scope)}

    @pytest.mark.parametrize("stranger", ["nobody", "widget key", "customer token"])
    async def test_a_stranger(self, stranger: Stranger, patient: FastAPI, services: Services) -> None:
        token = ""
        if stranger == "widget key":
            token = (await services.access.keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system")).token
        elif stranger == "customer token":
            token = services.access.customer_tokens.issue_demo("c-1", {}, lifetime=timedelta(hours=1))
        found = await entered(patient, {"Authorization": f"Bearer {token}"} if token else {})
        assert found == {call for call in CALLS if call.admits_stranger(stranger)}


class TestForms:
    async def test_a_post_in_a_session_needs_its_token(
        self, client: httpx2.AsyncClient, services: Services
    ) -> None:
        account = await services.access.accounts.create(
            login="admin@x", name="P", role=Role.ADMIN, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        client.cookies.set(SESSION_COOKIE, opened.token)
        for call in CALLS:
            if call.method == "POST":
                path = re.sub(r"{\w+}", SOME_ID, call.path)
                response = await client.post(path, data={"csrf_token": "wrong"})
                assert response.status_code == 403, (call, response.text)


class TestHeaders:
    @pytest.mark.parametrize("https", [False, True])
    async def test_every_answer_carries_them(self, https: bool, services: Services) -> None:
        settings = replace(services.settings, secure_cookies=https, requests_per_minute=100_000)
        app = build_app(replace(services, settings=settings))
        account = await services.access.accounts.create(
            login="a@x", name="P", role=Role.ADMIN, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        cookie = f"__Host-{SESSION_COOKIE}" if https else SESSION_COOKIE
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://steward.test") as client:
            for known in (None, opened.token):
                client.cookies.clear()
                if known is not None:
                    client.cookies.set(cookie, known)
                for call in (*declared_calls(), Declared("GET", "/nothing/here", None)):
                    path = re.sub(r"{\w+}", SOME_ID, call.path)
                    if path != f"{CONSOLE}/logout":
                        response = await client.request(call.method, path)
                        self.check(response.headers, https=https, path=path)

    def check(self, headers: httpx2.Headers, *, https: bool, path: str) -> None:
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert "camera=()" in headers["permissions-policy"], path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}, path
        assert ("strict-transport-security" in headers) is https, path
        if path not in {"/widget.js", f"/static/{SOME_ID}"}:
            assert headers["cache-control"] == "no-store", path
        for given in headers.get_list("set-cookie"):
            flags = given.lower()
            assert "httponly" in flags, (path, given)
            assert "samesite=lax" in flags or "samesite=strict" in flags, (path, given)
            assert ("secure" in flags) is https, (path, given)
