"""Staff sign in with a real identity provider, over real connections, in a real browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect
from tests.integration.edge.conftest import MASTER, services_on
from tests.journeys.conftest import PAGE_WITHIN_MS
from tests.journeys.provider.running import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    Provider,
    free_port,
    running,
)
from tests.journeys.running import own_directory

from steward.app.identity import CALLBACK
from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.edge.application import build_app
from steward.edge.contracts import EdgeSettings, Services
from steward.govern.access.account import Account
from steward.govern.access.errors import BadProvider, BadSignIn, NoRole, ProviderUnreachable
from steward.govern.access.identity_provider import Client, IdentityProvider
from steward.govern.access.permissions import Role
from steward.govern.access.role_mapping import RoleMapping
from steward.govern.access.sign_ins import SignIns

ROLES = {"it": "admin", "billing": "agent:billing", "payments": "agent:payments"}
STEWARD_PORT = free_port()
STEWARD = f"http://127.0.0.1:{STEWARD_PORT}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The provider, where Steward is registered as a client."""
    with own_directory("provider") as directory, running(directory, STEWARD) as found:
        yield found


@pytest.fixture(autouse=True)
def no_codes(provider: Provider) -> Iterator[None]:
    """No codes of earlier tests."""
    yield
    provider.forget_codes()


@pytest.fixture
def now() -> FixedClock:
    """A clock that shows the real time until it is moved: the provider's tokens are of today."""
    return FixedClock(datetime.now(UTC))


def client_of(provider: Provider, **changes: Any) -> Client:
    """Return Steward as the provider knows it."""
    client = Client(
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=STEWARD + CALLBACK,
        scopes=("openid", "profile", "email", "groups"),
    )
    return replace(client, **changes)


@pytest.fixture
def sign_ins(database: PooledDatabase, now: FixedClock, provider: Provider) -> SignIns:
    """The sign-in with that provider."""
    return SignIns(
        database,
        now,
        provider=IdentityProvider(client_of(provider), now),
        mapping=RoleMapping.of("groups", ROLES),
        master_key=MASTER,
        title="Example ID",
    )


@pytest.fixture
async def services(database: PooledDatabase, now: FixedClock, sign_ins: SignIns) -> Services:
    """Services of which access and ledger are there, with the provider."""
    return await services_on(
        database,
        now,
        settings=EdgeSettings("northline", "Northline", "0.1.0", public_url=STEWARD, sign_ins_per_minute=100),
        sign_ins=sign_ins,
    )


@asynccontextmanager
async def serving(services: Services) -> AsyncIterator[None]:
    """Serve the console on its port while the block runs."""
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(services), host="127.0.0.1", port=STEWARD_PORT, log_config=None, lifespan="off"
        )
    )
    task = asyncio.create_task(server.serve())
    async with httpx.AsyncClient() as client:
        for _ in range(200):
            try:
                await client.get(f"{STEWARD}/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@dataclass(frozen=True, slots=True)
class Returned:
    """What the provider sent back through the browser, and the secrets of that sign-in."""

    answer: dict[str, str]
    browser: str
    nonce: str
    verifier: str


async def pass_provider(sign_ins: SignIns, database: PooledDatabase, login: str) -> Returned:
    """Sign somebody in at the provider by its own forms, and stop before Steward takes them in."""
    leaving = await sign_ins.begin(next_path="/console")
    state = parse_qs(urlsplit(leaving.url).query)["state"][0]
    async with database.read() as session:
        row = await session.one(
            "select nonce, verifier from sign_in where state_digest = %s",
            [hashlib.sha256(state.encode()).digest()],
        )
    assert row is not None
    answer = await asyncio.to_thread(_through_forms, leaving.url, login)
    return Returned(answer, leaving.browser, row[0], row[1])


def _through_forms(url: str, login: str) -> dict[str, str]:
    with httpx.Client(follow_redirects=False, timeout=20) as client:
        response = client.get(url)
        for _ in range(12):
            if response.is_redirect:
                target = str(response.url.join(response.headers["location"]))
                if target.startswith(STEWARD):
                    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                response = client.get(target)
            else:
                response = _fill_in(client, response, login)
    raise AssertionError("the provider didn't send anybody back")


def _fill_in(client: httpx.Client, response: httpx.Response, login: str) -> httpx.Response:
    fields = dict(re.findall(r'name="(csrf_token)"[^>]*value="([^"]*)"', response.text))
    if 'name="password"' in response.text:
        fields["password"] = PASSWORD
    elif 'name="login"' in response.text:
        fields["login"] = login
    else:
        fields["answer"] = "accept"
    return client.post(str(response.url), data=fields)


async def enter(sign_ins: SignIns, database: PooledDatabase, login: str) -> Account:
    """Sign somebody in."""
    back = await pass_provider(sign_ins, database, login)
    return (await sign_ins.complete(back.answer, browser=back.browser)).account


async def sign_in_as(page: Page, login: str) -> None:
    """Sign in through the browser, as a person would."""
    await page.goto(f"{STEWARD}/console/account")
    await page.get_by_role("link", name="Sign in with Example ID").click()
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=login]").press("Enter")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("input[name=password]").press("Enter")


@pytest.mark.browser
class TestInTheBrowser:
    async def test_a_person_signs_in_and_out_at_both(
        self, services: Services, browser: Browser, provider: Provider
    ) -> None:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PAGE_WITHIN_MS)
        page = await context.new_page()
        async with serving(services):
            await sign_in_as(page, "bob")
            await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
            assert page.url == f"{STEWARD}/console/account"
            await expect(page.get_by_text("bob · agent · only billing")).to_be_visible()
            await page.get_by_role("button", name="Sign out").click()
            await page.wait_for_url(f"{STEWARD}/console/login")
            # The provider has ended its login too: it asks for the password again.
            await page.get_by_role("link", name="Sign in with Example ID").click()
            await expect(page.locator("input[name=login]")).to_be_visible()
            await context.close()


class TestAccounts:
    async def test_groups_give_role_and_categories(
        self, sign_ins: SignIns, database: PooledDatabase, provider: Provider
    ) -> None:
        provider.move(ann=["it"], bob=["billing", "payments"])
        ann = await enter(sign_ins, database, "ann")
        assert (ann.role, ann.categories, ann.name) == (Role.ADMIN, None, "Ann Example")
        bob = await enter(sign_ins, database, "bob")
        assert (bob.role, bob.categories) == (Role.AGENT, frozenset({"billing", "payments"}))
        provider.move(bob=["payments"])
        again = await enter(sign_ins, database, "bob")
        assert (again.id, again.categories) == (bob.id, frozenset({"payments"}))

    async def test_without_a_role_nobody_enters_and_the_account_is_disabled(
        self, sign_ins: SignIns, services: Services, database: PooledDatabase, provider: Provider
    ) -> None:
        provider.move(bob=["billing"], eve=[])
        with pytest.raises(NoRole, match="none of your groups"):
            await enter(sign_ins, database, "eve")
        bob = await enter(sign_ins, database, "bob")
        opened = await services.access.sessions.open(bob)
        provider.move(bob=["canteen"])
        with pytest.raises(NoRole, match="none of your groups"):
            await enter(sign_ins, database, "bob")
        found = await services.access.accounts.get(bob.id)
        assert (found.active, found.disabled_because) == (False, "no_role")
        assert await services.access.sessions.listed(bob.id) == ()
        assert opened.token
        provider.move(bob=["billing"])
        assert (await enter(sign_ins, database, "bob")).active

    async def test_an_admins_no_outlasts_the_mapping(
        self, sign_ins: SignIns, services: Services, database: PooledDatabase, provider: Provider
    ) -> None:
        provider.move(bob=["billing"])
        bob = await enter(sign_ins, database, "bob")
        await services.access.accounts.disable(bob.id, actor="system")
        with pytest.raises(BadSignIn, match="an admin has disabled"):
            await enter(sign_ins, database, "bob")

    async def test_a_local_login_of_the_same_name_is_left_alone(
        self, sign_ins: SignIns, services: Services, database: PooledDatabase, provider: Provider
    ) -> None:
        local = await services.access.accounts.create(
            login="ann", name="Another Ann", role=Role.VIEWER, password=PASSWORD, actor="system"
        )
        ann = await enter(sign_ins, database, "ann")
        assert (ann.id != local.id, ann.login) == (True, "ann@127.0.0.1")


class TestRefusals:
    async def test_a_state_works_once_and_in_its_own_browser(
        self, sign_ins: SignIns, database: PooledDatabase
    ) -> None:
        back = await pass_provider(sign_ins, database, "ann")
        with pytest.raises(BadSignIn, match="unknown here"):
            await sign_ins.complete({**back.answer, "state": "x"}, browser=back.browser)
        assert (await sign_ins.complete(back.answer, browser=back.browser)).account.role is Role.ADMIN
        with pytest.raises(BadSignIn, match="used already"):
            await sign_ins.complete(back.answer, browser=back.browser)
        stolen = await pass_provider(sign_ins, database, "ann")
        with pytest.raises(BadSignIn, match="another browser"):
            await sign_ins.complete(stolen.answer, browser="somebody else's")

    async def test_a_late_return_is_refused(
        self, sign_ins: SignIns, database: PooledDatabase, now: FixedClock
    ) -> None:
        back = await pass_provider(sign_ins, database, "ann")
        now.advance(timedelta(minutes=11))
        with pytest.raises(BadSignIn, match="took too long"):
            await sign_ins.complete(back.answer, browser=back.browser)

    async def test_the_provider_takes_a_code_once_and_with_its_verifier(
        self, sign_ins: SignIns, database: PooledDatabase, now: FixedClock, provider: Provider
    ) -> None:
        speaking = IdentityProvider(client_of(provider), now)
        back = await pass_provider(sign_ins, database, "ann")
        issuer = back.answer.get("iss")
        await speaking.redeem(back.answer["code"], verifier=back.verifier, nonce=back.nonce, issuer=issuer)
        with pytest.raises(BadSignIn, match="didn't accept the code"):
            await speaking.redeem(
                back.answer["code"], verifier=back.verifier, nonce=back.nonce, issuer=issuer
            )
        fresh = await pass_provider(sign_ins, database, "ann")
        with pytest.raises(BadSignIn, match="didn't accept the code"):
            await speaking.redeem(fresh.answer["code"], verifier="w" * 43, nonce=fresh.nonce, issuer=issuer)

    async def test_another_issuer_in_the_answer_is_refused(
        self, sign_ins: SignIns, database: PooledDatabase
    ) -> None:
        back = await pass_provider(sign_ins, database, "ann")
        with pytest.raises(BadSignIn, match="another provider"):
            await sign_ins.complete({**back.answer, "iss": "https://evil.example"}, browser=back.browser)

    async def test_what_the_provider_signed_counts_only_as_it_was_meant(
        self, sign_ins: SignIns, database: PooledDatabase, now: FixedClock, provider: Provider
    ) -> None:
        back = await pass_provider(sign_ins, database, "ann")
        speaking = IdentityProvider(client_of(provider), now)
        identity = await speaking.redeem(
            back.answer["code"], verifier=back.verifier, nonce=back.nonce, issuer=back.answer.get("iss")
        )
        token = identity.id_token
        assert (await speaking.read_id_token(token, nonce=back.nonce))["sub"] == "ann"
        with pytest.raises(BadSignIn, match="isn't valid for this sign-in"):
            await speaking.read_id_token(token, nonce="another")
        other = IdentityProvider(client_of(provider, client_id="another"), now)
        with pytest.raises(BadSignIn, match="isn't valid for this sign-in"):
            await other.read_id_token(token, nonce=back.nonce)
        for forged in (with_header(token, alg="none"), with_claim(token, sub="root"), token[:-4] + "AAAA"):
            with pytest.raises(BadSignIn, match=r"isn't (valid|accepted)"):
                await speaking.read_id_token(forged, nonce=back.nonce)
        with pytest.raises(BadSignIn, match="isn't accepted"):
            await speaking.read_id_token(with_header(token, alg="HS256"), nonce=back.nonce)
        with pytest.raises(BadSignIn, match="doesn't publish"):
            await speaking.read_id_token(with_header(token, kid="unknown"), nonce=back.nonce)
        now.advance(timedelta(days=30))
        with pytest.raises(BadSignIn, match="has expired"):
            await speaking.read_id_token(token, nonce=back.nonce)

    async def test_a_new_key_is_found_and_the_old_one_forgotten(
        self, sign_ins: SignIns, database: PooledDatabase, now: FixedClock, provider: Provider
    ) -> None:
        speaking = IdentityProvider(client_of(provider), now)
        back = await pass_provider(sign_ins, database, "ann")
        old = await speaking.redeem(
            back.answer["code"], verifier=back.verifier, nonce=back.nonce, issuer=back.answer.get("iss")
        )
        provider.change_key()
        now.advance(timedelta(seconds=15))
        fresh = await pass_provider(sign_ins, database, "ann")
        found = await speaking.redeem(
            fresh.answer["code"], verifier=fresh.verifier, nonce=fresh.nonce, issuer=fresh.answer.get("iss")
        )
        assert found.subject == "ann"
        with pytest.raises(BadSignIn, match="doesn't publish"):
            await speaking.read_id_token(old.id_token, nonce=back.nonce)

    async def test_a_provider_that_calls_itself_otherwise_or_is_away_is_told(
        self, now: FixedClock, provider: Provider
    ) -> None:
        away = IdentityProvider(client_of(provider, issuer=f"http://127.0.0.1:{free_port()}"), now)
        with pytest.raises(ProviderUnreachable, match="doesn't answer"):
            await away.authorization_url(state="s", nonce="n", verifier="v")
        named = IdentityProvider(client_of(provider, issuer=f"{provider.issuer}/"), now)
        with pytest.raises(BadProvider, match="calls itself"):
            await named.authorization_url(state="s", nonce="n", verifier="v")
        with pytest.raises(BadProvider, match="https"):
            IdentityProvider(client_of(provider, issuer="http://id.example"), now)


def with_header(token: str, **changes: str) -> str:
    """Return a token with another header, its signature left as it was."""
    header, claims, signature = token.split(".")
    return f"{_changed(header, changes)}.{claims}.{'' if changes.get('alg') == 'none' else signature}"


def with_claim(token: str, **changes: str) -> str:
    """Return a token with other claims, its signature left as it was."""
    header, claims, signature = token.split(".")
    return f"{header}.{_changed(claims, changes)}.{signature}"


def _changed(part: str, changes: dict[str, str]) -> str:
    value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    text = json.dumps({**value, **changes}).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
