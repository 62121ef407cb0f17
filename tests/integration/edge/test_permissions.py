"""Every route declares its permission, and nobody without it gets in."""

from __future__ import annotations

import re

import httpx2
import pytest
from fastapi import FastAPI

from steward.edge.api.documents import api_routes
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.edge.entrance import PUBLIC, permission_of
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import ROLE_PERMISSIONS, SCOPES, Permission, Role

SOME_ID = "01a1fe76-f836-73af-8b6a-4d9d3c95a300"
PUBLIC_PATHS = {
    "/",
    "/console/login",
    "/console/login/code",
    "/console/login/enrol",
    "/console/login/oidc",
    "/console/login/oidc/callback",
    "/console/logout",
    "/demo/turns/{turn_id}",
    "/healthz",
    "/openapi.json",
    "/readyz",
    "/static/{name}",
    "/widget.js",
}


def guarded_calls(app: FastAPI) -> list[tuple[str, str, Permission]]:
    """Return method, path and permission of every call that needs one."""
    return [
        (method, re.sub(r"{\w+}", SOME_ID, route.path), needed)
        for route in api_routes(app)
        for method in sorted(route.methods or ())
        if (needed := permission_of(route.endpoint)) is not None and needed is not PUBLIC
    ]


class TestDeclarations:
    def test_every_route_declares_its_permission(self, app: FastAPI) -> None:
        undeclared = [route.path for route in api_routes(app) if permission_of(route.endpoint) is None]
        assert undeclared == []

    def test_only_the_known_routes_are_public(self, app: FastAPI) -> None:
        public = {route.path for route in api_routes(app) if permission_of(route.endpoint) is PUBLIC}
        assert public == PUBLIC_PATHS

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


class TestRefusals:
    async def test_nobody_gets_in_without_a_proof(self, app: FastAPI, client: httpx2.AsyncClient) -> None:
        for method, path, _ in guarded_calls(app):
            response = await client.request(method, path)
            if path.startswith("/console"):
                assert response.status_code == 303, path
                assert response.headers["location"].startswith("/console/login")
            else:
                assert response.status_code == 401, path

    async def test_a_secret_key_without_the_scope_is_refused(
        self, app: FastAPI, client: httpx2.AsyncClient, services: Services
    ) -> None:
        for method, path, needed in guarded_calls(app):
            if path.startswith("/console"):
                continue
            other = next(scope for scope in sorted(SCOPES) if scope is not needed)
            issued = await services.access.keys.issue(
                name="k", kind=KeyKind.SECRET, actor="system", scopes={other}
            )
            response = await client.request(method, path, headers={"Authorization": f"Bearer {issued.token}"})
            assert response.status_code == 403, (path, response.text)

    @pytest.mark.parametrize("role", list(Role))
    async def test_a_role_without_the_permission_is_refused(
        self, role: Role, app: FastAPI, client: httpx2.AsyncClient, services: Services
    ) -> None:
        account = await services.access.accounts.create(
            login=f"{role}@x", name="P", role=role, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        client.cookies.set(SESSION_COOKIE, opened.token)
        for method, path, needed in guarded_calls(app):
            if needed in ROLE_PERMISSIONS[role]:
                continue
            response = await client.request(method, path, headers={"x-csrf-token": opened.csrf_token})
            assert response.status_code == 403, (path, response.text)

    async def test_a_post_in_a_session_needs_its_token(
        self, app: FastAPI, client: httpx2.AsyncClient, services: Services
    ) -> None:
        account = await services.access.accounts.create(
            login="admin@x", name="P", role=Role.ADMIN, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        client.cookies.set(SESSION_COOKIE, opened.token)
        for method, path, _ in guarded_calls(app):
            if method == "POST":
                response = await client.post(path, data={"csrf_token": "wrong"})
                assert response.status_code == 403, (path, response.text)
