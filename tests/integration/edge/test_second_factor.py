"""Signing in with a second factor: set up, asked for, never taken twice; and what a login can't be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx2
import pyotp
import pytest
from tests.integration.edge.conftest import services_on

from steward.base.clock import FixedClock
from steward.edge.application import build_app
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.govern.access.account import Account
from steward.govern.access.errors import BadCode
from steward.govern.access.permissions import Role

PASSWORD = "a long password"
NEW = "another long password"


@pytest.fixture
def patient(services: Services) -> Services:
    """Services that let one address sign in as often as it likes, and want codes of compliance."""
    return replace(
        services,
        settings=replace(
            services.settings, sign_ins_per_minute=1_000, second_factor_roles=frozenset({Role.COMPLIANCE})
        ),
    )


@asynccontextmanager
async def browser(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client with cookies of its own."""
    transport = httpx2.ASGITransport(app=build_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        yield client


async def person(services: Services, role: Role = Role.AGENT) -> Account:
    """Make an account."""
    return await services.access.accounts.create(
        login="sam", name="Sam", role=role, password=PASSWORD, actor="system"
    )


async def with_factor(services: Services, account: Account) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """Set a second factor up and return its generator and recovery codes."""
    enrolment = await services.access.second_factors.begin(account)
    generator = pyotp.TOTP(enrolment.secret.replace(" ", ""))
    codes = await services.access.second_factors.confirm(account, code_at(services, generator))
    return generator, codes


def code_at(services: Services, generator: pyotp.TOTP, steps: int = 0) -> str:
    """Return the code of a step from now, by the services' clock."""
    return generator.at(int(services.clock.now().timestamp()) + 30 * steps)


async def sign_in(client: httpx2.AsyncClient, password: str = PASSWORD) -> httpx2.Response:
    """Send login and password."""
    return await client.post("/console/login", data={"login": "sam", "password": password})


def csrf_in(page: httpx2.Response) -> str:
    """Return the token that a page's form carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def give(client: httpx2.AsyncClient, code: str) -> httpx2.Response:
    """Type a code on the page that asks for it."""
    page = await client.get("/console/login/code")
    return await client.post("/console/login/code", data={"csrf_token": csrf_in(page), "code": code})


async def opens(services: Services, token: str) -> bool:
    """Tell whether a session's token opens a page."""
    async with browser(services) as client:
        client.cookies.set(SESSION_COOKIE, token)
        return (await client.get("/console/account")).status_code == 200


class TestCodes:
    async def test_the_known_values_of_the_standard(
        self, services: Services, fixed_clock: FixedClock
    ) -> None:
        # RFC 6238, appendix B, SHA-1, the last six of its eight digits.
        generator = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        assert [generator.at(at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]

    async def test_a_code_opens_under_a_new_token(self, patient: Services, fixed_clock: FixedClock) -> None:
        generator, _ = await with_factor(patient, await person(patient))
        fixed_clock.advance(timedelta(seconds=30))
        async with browser(patient) as client:
            response = await sign_in(client)
            assert response.headers["location"].startswith("/console/login/code")
            before = client.cookies[SESSION_COOKIE]
            assert (await client.get("/console/account")).status_code == 303
            opened = await give(client, code_at(patient, generator))
            assert (opened.status_code, opened.headers["location"]) == (303, "/console")
            assert client.cookies[SESSION_COOKIE] != before
            assert (await client.get("/console/account")).status_code == 200
        assert not await opens(patient, before)

    async def test_no_code_is_taken_twice_nor_one_before_it(
        self, patient: Services, fixed_clock: FixedClock
    ) -> None:
        account = await person(patient)
        generator, _ = await with_factor(patient, account)
        factors = patient.access.second_factors
        with pytest.raises(BadCode, match="has been used"):
            await factors.check(account, code_at(patient, generator))
        fixed_clock.advance(timedelta(seconds=60))
        await factors.check(account, code_at(patient, generator))
        for steps in (0, -1):
            with pytest.raises(BadCode, match="has been used"):
                await factors.check(account, code_at(patient, generator, steps))
        await factors.check(account, code_at(patient, generator, 1))

    @pytest.mark.parametrize("steps", [-3, -2, 2, 3])
    async def test_a_code_is_good_for_one_step_either_side(
        self, steps: int, patient: Services, fixed_clock: FixedClock
    ) -> None:
        account = await person(patient)
        generator, _ = await with_factor(patient, account)
        fixed_clock.advance(timedelta(minutes=10))
        with pytest.raises(BadCode, match="wrong, too old"):
            await patient.access.second_factors.check(account, code_at(patient, generator, steps))

    async def test_wrong_codes_lock_and_end_the_login(self, patient: Services) -> None:
        await with_factor(patient, await person(patient))
        async with browser(patient) as client:
            await sign_in(client)
            answers = [(await give(client, "000000")).status_code for _ in range(6)]
            assert answers == [401] * 5 + [429]
            assert (await client.get("/console/login/code")).headers["location"] == "/console/login"

    async def test_codes_sent_at_once_dont_outrun_the_count(self, patient: Services) -> None:
        await with_factor(patient, await person(patient))
        async with browser(patient) as client:
            await sign_in(client)
            form = {"csrf_token": csrf_in(await client.get("/console/login/code")), "code": "000000"}
            sent = [client.post("/console/login/code", data=form) for _ in range(12)]
            answers = [response.status_code for response in await asyncio.gather(*sent)]
        assert answers.count(401) <= 5
        assert answers.count(429) >= 1

    async def test_a_recovery_code_works_once(self, patient: Services) -> None:
        account = await person(patient)
        _, codes = await with_factor(patient, account)
        assert len(set(codes)) == 10
        async with browser(patient) as client:
            await sign_in(client)
            assert (await give(client, codes[0].upper())).status_code == 303
            await sign_in(client)
            assert (await give(client, codes[0])).status_code == 401
        assert await patient.access.second_factors.recovery_left(account.id) == 9

    async def test_secrets_are_stored_sealed(self, patient: Services) -> None:
        generator, codes = await with_factor(patient, await person(patient))
        async with patient.database.read() as session:
            row = await session.one("select second_factor from account")
            rows = await session.all("select digest from recovery_code")
        assert row is not None
        assert generator.byte_secret() not in bytes(row[0])
        assert not any(
            code.replace("-", "").encode() in bytes(stored[0]) for stored in rows for code in codes
        )


class TestRoles:
    async def test_a_role_that_needs_one_sets_it_up_first(self, patient: Services) -> None:
        await person(patient, Role.COMPLIANCE)
        async with browser(patient) as client:
            assert (await sign_in(client)).headers["location"].startswith("/console/login/enrol")
            assert (await client.get("/console/ledger")).status_code == 303
            page = await client.get("/console/login/enrol")
            secret = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.text)
            assert secret
            assert "data:image/svg+xml;base64," in page.text
            wrong = await client.post(
                "/console/login/enrol", data={"csrf_token": csrf_in(page), "code": "000000"}
            )
            assert wrong.status_code == 401
            code = code_at(patient, pyotp.TOTP(secret[1].replace(" ", "")))
            done = await client.post("/console/login/enrol", data={"csrf_token": csrf_in(page), "code": code})
            assert len(re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", done.text)) == 10
            assert (await client.get("/console/ledger")).status_code == 200

    async def test_a_role_given_later_sets_it_up_as_well(self, patient: Services) -> None:
        account = await person(patient, Role.AGENT)
        async with browser(patient) as client:
            await sign_in(client)
            assert (await client.get("/console/account")).status_code == 200
            await patient.access.accounts.assign(account.id, role=Role.COMPLIANCE, actor="system")
            assert (await client.get("/console/ledger")).status_code == 303
            assert (await sign_in(client)).headers["location"].startswith("/console/login/enrol")

    async def test_it_cant_be_removed_there(self, patient: Services, fixed_clock: FixedClock) -> None:
        account = await person(patient, Role.COMPLIANCE)
        generator, _ = await with_factor(patient, account)
        fixed_clock.advance(timedelta(seconds=30))
        async with browser(patient) as client:
            await sign_in(client)
            await give(client, code_at(patient, generator))
            page = await client.get("/console/account")
            response = await client.post(
                "/console/account/second-factor/remove",
                data={"csrf_token": csrf_in(page), "code": code_at(patient, generator, 1)},
            )
            assert (response.status_code, "needs a second factor here" in response.text) == (409, True)


class TestPasswords:
    async def test_wrong_ones_lock_the_login_for_that_address_only(
        self, patient: Services, fixed_clock: FixedClock
    ) -> None:
        await person(patient)
        async with browser(patient) as client:
            for _ in range(10):
                assert (await sign_in(client, "wrong")).status_code == 401
            locked = await sign_in(client)
            assert (locked.status_code, "wait 15 minutes" in locked.text) == (429, True)
            assert locked.headers["retry-after"] == "900"
            fixed_clock.advance(timedelta(minutes=15))
            assert (await sign_in(client)).status_code == 303

    async def test_changing_it_ends_the_other_logins(self, patient: Services) -> None:
        account = await person(patient)
        elsewhere = await patient.access.sessions.open(account, agent="elsewhere")
        async with browser(patient) as client:
            await sign_in(client)
            page = await client.get("/console/account")
            assert "elsewhere" in page.text
            form = {"csrf_token": csrf_in(page), "current": "wrong", "password": NEW, "again": NEW}
            assert (
                "present password is another"
                in (await client.post("/console/account/password", data=form)).text
            )
            changed = await client.post("/console/account/password", data={**form, "current": PASSWORD})
            assert "The password is changed" in changed.text
            assert (await client.get("/console/account")).status_code == 200
        assert not await opens(patient, elsewhere.token)
        async with browser(patient) as client:
            assert (await sign_in(client)).status_code == 401
            assert (await sign_in(client, NEW)).status_code == 303

    async def test_switched_off_only_emergency_accounts_enter_and_it_is_on_record(
        self, patient: Services, fixed_clock: FixedClock
    ) -> None:
        account = await person(patient, Role.ADMIN)
        closed = await services_on(
            patient.database, fixed_clock, settings=replace(patient.settings, local_accounts=False)
        )
        async with browser(closed) as client:
            assert (await sign_in(client)).status_code == 401
            await closed.access.accounts.set_emergency(account.id, emergency=True, actor="system")
            assert (await sign_in(client)).status_code == 303
        async with patient.database.read() as session:
            deeds = [row[0] for row in await session.all("select deed from ledger order by id")]
        assert deeds[-2:] == ["account.emergency_used", "account.signed_in"]


class TestLogins:
    async def test_a_planted_token_is_worthless_after_signing_in(self, patient: Services) -> None:
        account = await person(patient)
        planted = await patient.access.sessions.open(account)
        async with browser(patient) as client:
            cookie = {"Cookie": f"{SESSION_COOKIE}={planted.token}"}
            form = {"login": "sam", "password": PASSWORD}
            response = await client.post("/console/login", data=form, headers=cookie)
        assert planted.token not in response.headers["set-cookie"]
        assert not await opens(patient, planted.token)

    async def test_ones_own_can_be_ended_and_nobody_elses(self, patient: Services) -> None:
        account = await person(patient)
        other = await patient.access.accounts.create(
            login="pat", name="Pat", role=Role.ADMIN, password=PASSWORD, actor="system"
        )
        await patient.access.sessions.open(other)
        theirs = (await patient.access.sessions.listed(other.id))[0]
        await patient.access.sessions.open(account, agent="a phone")
        mine = (await patient.access.sessions.listed(account.id))[0]
        async with browser(patient) as client:
            await sign_in(client)
            token = csrf_in(await client.get("/console/account"))
            for login, status in ((theirs, 404), (mine, 303)):
                response = await client.post(
                    f"/console/account/sessions/{login.id}/end", data={"csrf_token": token}
                )
                assert response.status_code == status
        assert len(await patient.access.sessions.listed(other.id)) == 1
        assert "a phone" not in {line.agent for line in await patient.access.sessions.listed(account.id)}


class TestPeople:
    async def test_an_admin_makes_limits_and_shuts_out(self, patient: Services) -> None:
        admin = await person(patient, Role.ADMIN)
        async with browser(patient) as client:
            await sign_in(client)
            form = {"csrf_token": csrf_in(await client.get("/console/people"))}
            made = await client.post(
                "/console/people",
                data={
                    **form,
                    "login": "ann",
                    "name": "Ann",
                    "role": "agent",
                    "categories": "billing, Payments",
                },
            )
            shown = re.search(r'id="fresh"[^>]*>([^<]+)<', made.text)
            assert shown
            ann = await patient.access.accounts.authenticate("ann", shown[1])
            assert ann.categories == frozenset({"billing", "payments"})
            path = f"/console/people/{ann.id}"
            await client.post(f"{path}/role", data={**form, "role": "viewer", "categories": ""})
            changed = await patient.access.accounts.get(ann.id)
            assert (changed.role, changed.categories) == (Role.VIEWER, None)
            refused = await client.post(
                f"{path}/role", data={**form, "role": "admin", "categories": "billing"}
            )
            assert "can&#39;t be limited" in refused.text
            assert (await patient.access.accounts.get(ann.id)).role is Role.VIEWER
            nobody = "/console/people/00000000-0000-0000-0000-000000000000/sessions"
            assert (await client.post(nobody, data=form)).status_code == 404
            unmade = {**form, "login": "eve", "name": "Eve", "role": "admin", "categories": "billing"}
            assert (await client.post("/console/people", data=unmade)).status_code == 400
            assert "eve" not in {account.login for account in await patient.access.accounts.listed()}
            await patient.access.sessions.open(changed)
            await client.post(f"{path}/state", data={**form, "state": "disabled"})
            assert await patient.access.sessions.listed(ann.id) == ()
            last = await client.post(f"/console/people/{admin.id}/state", data={**form, "state": "disabled"})
            assert last.status_code == 409


class TestOtherSites:
    @pytest.mark.parametrize(
        ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)]
    )
    async def test_no_other_site_signs_a_visitor_in(self, site: str, status: int, patient: Services) -> None:
        await person(patient)
        form = {"login": "sam", "password": PASSWORD}
        async with browser(patient) as client:
            answer = await client.post("/console/login", data=form, headers={"sec-fetch-site": site})
            assert answer.status_code == status
            assert (SESSION_COOKIE in client.cookies) is (status == 303)
