"""Logins that an identity provider ends from its side, with a provider that signs and answers over HTTP."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.integration.edge.conftest import MASTER, services_on

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.edge.application import build_app
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import EdgeSettings, Services
from steward.govern.access.identity_provider import Client, IdentityProvider
from steward.govern.access.logout_tokens import EVENT
from steward.govern.access.permissions import Role
from steward.govern.access.role_mapping import RoleMapping
from steward.govern.access.sign_ins import SignIns

KEY = RSAKey.generate_key(2048, {"kid": "p1"})
FORGED = RSAKey.generate_key(2048, {"kid": "p1"})
UNKNOWN = ECKey.generate_key("P-256", {"kid": "x9"})
LOGOUT = "/console/login/oidc/logout"
CLIENT_ID = "steward"
WRONG: tuple[dict[str, Any], ...] = (
    {"iss": "https://other.example"},
    {"iss": None},
    {"aud": "another-client"},
    {"aud": None},
    {"iat": None},
    {"iat": 0},
    {"iat": 4_000_000_000},
    {"exp": 1},
    {"jti": None},
    {"jti": ""},
    {"jti": 7},
    {"sub": None},
    {"sub": ["ann"]},
    {"sid": 5},
    {"sid": "x" * 2000},
    {"events": None},
    {"events": {}},
    {"events": [EVENT]},
    {"events": {EVENT: True}},
    {"events": {"http://schemas.openid.net/event/other": {}}},
    {"nonce": "n"},
)
"""What makes a logout token one that ends nothing."""


@dataclass
class Provider:
    """An OpenID Connect provider on this machine; `codes` holds the claims that a code stands for."""

    issuer: str = ""
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, path: str, form: dict[str, list[str]]) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        if path == "/keys":
            return {"keys": [KEY.as_dict(private=False)]}
        return {"id_token": signed(self.codes.pop(form["code"][0])), "access_token": "a"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The provider, which answers while the tests run."""
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(parse_qs(body))

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _send(self, form: dict[str, list[str]]) -> None:
            content = json.dumps(made.answer(self.path, form)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def services(database: Database, fixed_clock: FixedClock, provider: Provider) -> Services:
    """Services with the provider."""
    client = Client(provider.issuer, CLIENT_ID, None, "http://steward.test/console/login/oidc/callback")
    sign_ins = SignIns(
        database,
        fixed_clock,
        provider=IdentityProvider(client, fixed_clock),
        mapping=RoleMapping.of("groups", {"staff": "agent"}),
        master_key=MASTER,
        title="Example ID",
    )
    settings = EdgeSettings("northline", "Northline", "0.1.0", sign_ins_per_minute=100)
    return await services_on(database, fixed_clock, settings=settings, sign_ins=sign_ins)


@pytest.fixture
async def outside(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """The provider's own way to this installation."""
    transport = httpx2.ASGITransport(app=build_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        yield client


def signed(said: dict[str, Any], key: Any = KEY, *, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid} | header, said, key, algorithms=[alg])


def times(services: Services, provider: Provider, **changes: Any) -> dict[str, Any]:
    """Return what each of the provider's tokens says."""
    now = int(services.clock.now().timestamp())
    said = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120}
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def logout(services: Services, provider: Provider, **changes: Any) -> dict[str, Any]:
    """Return the claims of a logout token; a change to None leaves one out."""
    return times(services, provider, **{"jti": "j-1", "sub": "ann", "events": {EVENT: {}}, **changes})


def in_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def enter(services: Services, provider: Provider, subject: str, sid: str | None = None) -> str:
    """Sign somebody in through the provider, and return the token in the browser's cookie."""
    transport = httpx2.ASGITransport(app=build_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        leaving = await client.get("/console/login/oidc")
        query = parse_qs(urlsplit(leaving.headers["location"]).query)
        claims = {"sub": subject, "nonce": query["nonce"][0], "groups": ["staff"], "sid": sid}
        provider.codes["c"] = times(services, provider, **claims)
        answer = {"code": "c", "state": query["state"][0]}
        back = await client.get("/console/login/oidc/callback", params=answer)
        assert back.headers["location"] == "/console", back.text
        return client.cookies[SESSION_COOKIE]


async def opens(services: Services, token: str) -> bool:
    """Tell whether a login still opens a page."""
    transport = httpx2.ASGITransport(app=build_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        client.cookies.set(SESSION_COOKIE, token)
        return (await client.get("/console/account")).status_code == 200


class TestEnded:
    async def test_all_of_a_person_and_of_nobody_else(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        ann = [await enter(services, provider, "ann", sid) for sid in ("s-1", None)]
        bob = await enter(services, provider, "bob", "s-9")
        local = await services.access.accounts.create(
            login="ann@local", name="A", role=Role.ADMIN, password="a long password", actor="system"
        )
        here = (await services.access.sessions.open(local)).token
        answer = await outside.post(
            LOGOUT, data={"logout_token": signed(logout(services, provider), typ="logout+jwt")}
        )
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert [await opens(services, token) for token in (*ann, bob, here)] == [False, False, True, True]
        async with services.database.read() as session:
            rows = await services.ledger.recent(session, deed="account.sessions_ended")
        (row,) = rows
        assert (row.actor, row.details) == ("system", {"by": "identity_provider", "logins": 2})

    @pytest.mark.parametrize("subject", [None, "ann"])
    async def test_one_login_of_the_provider(
        self,
        subject: str | None,
        services: Services,
        provider: Provider,
        outside: httpx2.AsyncClient,
    ) -> None:
        first = await enter(services, provider, "ann", "s-1")
        second = await enter(services, provider, "ann", "s-2")
        said = logout(services, provider, sub=subject, sid="s-1")
        assert (await outside.post(LOGOUT, data={"logout_token": signed(said)})).status_code == 200
        assert [await opens(services, token) for token in (first, second)] == [False, True]

    async def test_a_login_that_the_provider_never_named_ends_with_the_person(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        nameless = await enter(services, provider, "ann")
        for said, left in (
            (logout(services, provider, sub=None, sid="s-1"), True),
            (logout(services, provider, sid="s-1", jti="j-2"), False),
        ):
            assert (await outside.post(LOGOUT, data={"logout_token": signed(said)})).status_code == 200
            assert await opens(services, nameless) is left

    async def test_nobody_who_is_signed_in_is_no_error(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        said = logout(services, provider, sub="somebody-else", exp=None)
        assert (await outside.post(LOGOUT, data={"logout_token": signed(said)})).status_code == 200

    async def test_a_token_counts_once_and_not_for_long(
        self,
        services: Services,
        provider: Provider,
        outside: httpx2.AsyncClient,
        fixed_clock: FixedClock,
    ) -> None:
        token, later = (
            signed(logout(services, provider)),
            signed(logout(services, provider, jti="j-2", exp=None)),
        )
        assert (await outside.post(LOGOUT, data={"logout_token": token})).status_code == 200
        again = await enter(services, provider, "ann", "s-3")
        refused = await outside.post(LOGOUT, data={"logout_token": token})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        assert "has been used" in refused.json()["error_description"]
        fixed_clock.advance(timedelta(minutes=10, seconds=1))
        assert (await outside.post(LOGOUT, data={"logout_token": later})).status_code == 400
        assert await opens(services, again)


class TestRefused:
    async def test_claims_that_are_wrong(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        kept = await enter(services, provider, "ann", "s-1")
        for changes in WRONG:
            token = signed(logout(services, provider, **changes))
            assert (await outside.post(LOGOUT, data={"logout_token": token})).status_code == 400, changes
        assert await opens(services, kept)

    async def test_signatures_that_are_wrong(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        kept = await enter(services, provider, "ann", "s-1")
        said = logout(services, provider)
        good = signed(said)
        head, body, _ = good.split(".")
        header = in_base64(b'{"alg":"HS256","kid":"p1"}')
        start = f"{header}.{body}"
        mac = hmac.digest(KEY.as_pem(private=False), start.encode(), "sha256")
        for token in (
            signed(said, FORGED),
            signed(said, UNKNOWN, alg="ES256"),
            f"{start}.{in_base64(mac)}",
            signed(said, typ="at+jwt"),
            f"{head}.{body}.",
            f"{head}.{signed({**said, 'sub': 'bob'}).split('.')[1]}.{good.split('.')[2]}",
            "eyJhbGciOiJub25lIn0." + body + ".",
            "x" * 60_000,
            "no token",
            "",
        ):
            answer = await outside.post(LOGOUT, data={"logout_token": token})
            assert answer.status_code == 400, token[:80]
        assert await opens(services, kept)

    async def test_an_id_token_ends_nothing(
        self, services: Services, provider: Provider, outside: httpx2.AsyncClient
    ) -> None:
        kept = await enter(services, provider, "ann", "s-1")
        id_token = signed(times(services, provider, sub="ann", sid="s-1", nonce="n", jti="j-7"))
        assert (await outside.post(LOGOUT, data={"logout_token": id_token})).status_code == 400
        assert await opens(services, kept)

    async def test_not_without_a_provider(self, services: Services) -> None:
        alone = replace(services, access=replace(services.access, sign_ins=None))
        transport = httpx2.ASGITransport(app=build_app(alone))
        async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
            assert (await client.post(LOGOUT, data={"logout_token": "x"})).status_code == 404

    async def test_too_many_are_refused_for_a_while(
        self, services: Services, outside: httpx2.AsyncClient
    ) -> None:
        await services.access.limits.take(
            "logout:127.0.0.1", limit=600, window=timedelta(minutes=1), cost=600
        )
        answer = await outside.post(LOGOUT, data={"logout_token": "x"})
        assert answer.status_code == 429
