"""Wrong passwords and codes: bounded everywhere, and in the ledger as somebody who checks it needs them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pyotp
import pytest
from prometheus_client import CollectorRegistry
from tests.integration.edge.conftest import MASTER

from steward.base.clock import FixedClock
from steward.edge.application import build_app
from steward.edge.contracts import Services
from steward.govern.access.account import Account
from steward.govern.access.errors import BadLogin, LockedOut
from steward.govern.access.permissions import Role
from steward.govern.access.tries import ADDRESSES_ON_RECORD, WIDE, Tries, Way, source_of
from steward.govern.ledger.contracts import Row

PASSWORD = "a long password"
TYPED = "what-somebody-typed"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def patient(services: Services, fixed_clock: FixedClock, registry: CollectorRegistry) -> Services:
    """Services that let one address try as often in a minute as it likes."""
    tries = Tries(
        services.database,
        fixed_clock,
        limits=services.access.limits,
        master_key=MASTER,
        registry=registry,
    )
    return replace(
        services,
        settings=replace(services.settings, sign_ins_per_minute=1_000),
        access=replace(services.access, tries=tries),
    )


@pytest.fixture
def tries(patient: Services) -> Tries:
    return patient.access.tries


@asynccontextmanager
async def browser(services: Services, address: str = "192.0.2.7") -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client with cookies of its own, at an address."""
    transport = httpx2.ASGITransport(app=build_app(services), client=(address, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        yield client


async def person(services: Services, login: str = "sam") -> Account:
    return await services.access.accounts.create(
        login=login, name=login.title(), role=Role.AGENT, password=PASSWORD, actor="system"
    )


async def sign_in(
    client: httpx2.AsyncClient, password: str = PASSWORD, login: str = "sam"
) -> httpx2.Response:
    return await client.post("/console/login", data={"login": login, "password": password})


async def fail(tries: Tries, login: str = "sam", address: str = "192.0.2.7", way: Way = Way.PASSWORD) -> str:
    """Let one try be wrong, and tell how it ended."""
    try:
        async with tries.one(way, login=login, address=address):
            raise BadLogin
    except (BadLogin, LockedOut) as refusal:
        return type(refusal).__name__


async def csrf_in(client: httpx2.AsyncClient, path: str = "/console/account") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get(path)).text)
    assert found
    return found[1]


async def entries(services: Services, deed: str) -> tuple[Row, ...]:
    async with services.database.read() as session:
        return await services.ledger.recent(session, deed=deed)


async def ledger_text(services: Services) -> str:
    async with services.database.read() as session:
        rows = await session.all("select e::text from ledger_entry e")
    return "\n".join(row[0] for row in rows)


def figure(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


class TestNextSignIn:
    async def test_says_how_many_failures_came_before_it(self, patient: Services) -> None:
        await person(patient)
        async with browser(patient) as client, browser(patient, "198.51.100.9") as stranger:
            for _ in range(3):
                assert (await sign_in(client, TYPED)).status_code == 401
            for _ in range(2):
                await sign_in(stranger, TYPED, " SAM\x00 ")
            await sign_in(client)
            await sign_in(client)
        found = [row.details["failed_before"] for row in await entries(patient, "account.signed_in")]
        assert found == [0, 5]

    async def test_counts_wrong_codes_too_and_only_a_whole_sign_in_ends_the_count(
        self, patient: Services, fixed_clock: FixedClock
    ) -> None:
        account = await person(patient)
        generator = await with_factor(patient, account)
        fixed_clock.advance(timedelta(seconds=30))
        async with browser(patient) as client:
            await sign_in(client, TYPED)
            await sign_in(client)
            form = {"csrf_token": await csrf_in(client, "/console/login/code"), "code": "000000"}
            assert (await client.post("/console/login/code", data=form)).status_code == 401
            code = generator.at(int(fixed_clock.now().timestamp()))
            assert (await client.post("/console/login/code", data={**form, "code": code})).status_code == 303
        (row,) = await entries(patient, "account.signed_in")
        assert row.details == {"with": "password and code", "failed_before": 2}

    async def test_failures_alone_write_nothing(self, patient: Services, registry: CollectorRegistry) -> None:
        await person(patient)
        before = await ledger_text(patient)
        async with browser(patient) as client:
            for _ in range(9):
                await sign_in(client, TYPED)
            await sign_in(client, TYPED, "nobody-here")
        assert await ledger_text(patient) == before
        assert figure(registry, "steward_sign_in_tries_total", way="password", outcome="wrong") == 10


class TestLockOut:
    async def test_of_an_account_is_one_entry_without_what_was_typed(
        self, patient: Services, tries: Tries, registry: CollectorRegistry
    ) -> None:
        account = await person(patient)
        async with browser(patient) as client:
            for _ in range(14):
                await sign_in(client, TYPED)
            assert (await sign_in(client)).status_code == 429
        (row,) = await entries(patient, "account.locked_out")
        assert (row.actor, row.subject) == ("system", f"account:{account.id}")
        assert row.details == {
            "way": "password",
            "wrong_tries": 10,
            "within_minutes": 15,
            "last_from": tries.name_of("192.0.2.7"),
            "locked_for": "this address",
        }
        text = await ledger_text(patient)
        assert TYPED not in text
        assert "192.0.2.7" not in text
        assert figure(registry, "steward_sign_in_lock_outs_total", of="account") == 1
        assert figure(registry, "steward_sign_in_tries_total", way="password", outcome="locked") == 5

    async def test_of_an_unknown_login_names_the_address_alone(self, patient: Services, tries: Tries) -> None:
        async with browser(patient) as client:
            for _ in range(12):
                await sign_in(client, TYPED, "nobody-here")
        (row,) = await entries(patient, "address.locked_out")
        assert row.subject == tries.name_of("192.0.2.7")
        assert row.details["logins"] == "one that no account has"
        assert "nobody-here" not in await ledger_text(patient)

    async def test_of_an_account_holds_everywhere_after_many_addresses(
        self, patient: Services, tries: Tries
    ) -> None:
        account = await person(patient)
        for number in range(WIDE):
            assert await fail(tries, address=f"10.0.{number}.1") == "BadLogin"
        assert await fail(tries, address="10.9.9.9") == "LockedOut"
        (row,) = await entries(patient, "account.locked_out")
        assert (row.subject, row.details["locked_for"]) == (f"account:{account.id}", "every address")

    async def test_of_an_account_for_every_address_is_lifted_by_an_operator(
        self, patient: Services, tries: Tries
    ) -> None:
        account = await person(patient)
        for number in range(WIDE):
            await fail(tries, address=f"10.0.{number}.1")
        assert await fail(tries, address="10.9.9.9") == "LockedOut"
        await tries.lift(account, actor="operator")
        assert await fail(tries, address="10.9.9.8") == "BadLogin"
        (row,) = await entries(patient, "account.unlocked")
        assert (row.actor, row.subject) == ("operator", f"account:{account.id}")

    async def test_of_an_address_holds_for_every_login(self, patient: Services, tries: Tries) -> None:
        for number in range(WIDE):
            assert await fail(tries, login=f"guess-{number}") == "BadLogin"
        assert await fail(tries, login="another") == "LockedOut"
        assert await fail(tries, login="another", address="198.51.100.9") == "BadLogin"
        (row,) = await entries(patient, "address.locked_out")
        assert (row.subject, row.details["logins"]) == (tries.name_of("192.0.2.7"), "many")

    async def test_floods_no_ledger(
        self, patient: Services, tries: Tries, fixed_clock: FixedClock, registry: CollectorRegistry
    ) -> None:
        await person(patient)
        for address in range(9):
            for _ in range(10):
                await fail(tries, address=f"10.0.{address}.1")
        assert len(await entries(patient, "account.locked_out")) == 1
        many = ADDRESSES_ON_RECORD + 5
        for address in range(many):
            for _ in range(10):
                await fail(tries, login=f"nobody-{address}", address=f"10.1.{address}.1")
        assert len(await entries(patient, "address.locked_out")) == ADDRESSES_ON_RECORD
        assert figure(registry, "steward_sign_in_lock_outs_total", of="address") == many
        fixed_clock.advance(timedelta(hours=1))
        for _ in range(10):
            await fail(tries)
        assert len(await entries(patient, "account.locked_out")) == 2

    async def test_ends_by_itself_and_a_right_try_begins_afresh(
        self, patient: Services, tries: Tries, fixed_clock: FixedClock
    ) -> None:
        await person(patient)
        async with browser(patient) as client:
            for _ in range(9):
                await sign_in(client, TYPED)
            assert (await sign_in(client)).status_code == 303
            for _ in range(10):
                assert (await sign_in(client, TYPED)).status_code == 401
            assert (await sign_in(client)).status_code == 429
            fixed_clock.advance(timedelta(minutes=15))
            assert (await sign_in(client)).status_code == 303

    async def test_tries_sent_at_once_dont_outrun_the_count(self, patient: Services, tries: Tries) -> None:
        await person(patient)
        ended = await asyncio.gather(*(fail(tries) for _ in range(25)))
        assert (ended.count("BadLogin"), ended.count("LockedOut")) == (10, 15)
        assert len(await entries(patient, "account.locked_out")) == 1

    @pytest.mark.parametrize("written", ["SAM", "s\x00am", " sam ", "ſam"])
    async def test_a_login_written_otherwise_is_the_same(
        self, patient: Services, tries: Tries, written: str
    ) -> None:
        await person(patient)
        for _ in range(10):
            await fail(tries, login=written)
        assert await fail(tries) == "LockedOut"


class TestPresentPassword:
    async def test_has_the_bounds_of_the_sign_in(self, patient: Services) -> None:
        await person(patient)
        async with browser(patient) as client:
            await sign_in(client)
            form = {"csrf_token": await csrf_in(client), "password": "n" * 12, "again": "n" * 12}
            for _ in range(10):
                tried = await client.post("/console/account/password", data={**form, "current": TYPED})
                assert tried.status_code == 400
            right = await client.post("/console/account/password", data={**form, "current": PASSWORD})
            assert (right.status_code, "Too many wrong tries" in right.text) == (429, True)
            assert (await sign_in(client)).status_code == 429
        assert len(await entries(patient, "account.locked_out")) == 1
        assert await patient.access.accounts.authenticate("sam", PASSWORD)

    async def test_a_new_one_that_is_too_short_counts_as_no_failure(self, patient: Services) -> None:
        await person(patient)
        async with browser(patient) as client:
            await sign_in(client)
            form = {"csrf_token": await csrf_in(client), "password": "short", "again": "short"}
            answers = [
                await client.post("/console/account/password", data={**form, "current": PASSWORD})
                for _ in range(12)
            ]
        assert {answer.status_code for answer in answers} == {400}
        assert all("10 to 256" in answer.text for answer in answers)

    async def test_is_asked_for_before_a_second_factor_is_set_up(self, patient: Services) -> None:
        account = await person(patient)
        async with browser(patient) as client:
            await sign_in(client)
            form = {"csrf_token": await csrf_in(client)}
            path = "/console/account/second-factor"
            for given in ({}, {"current": TYPED}):
                refused = await client.post(path, data={**form, **given})
                assert (refused.status_code, "data:image/svg" in refused.text) == (400, False)
            shown = await client.post(path, data={**form, "current": PASSWORD})
            assert "data:image/svg+xml;base64," in shown.text
            for _ in range(5):
                wrong = await client.post(f"{path}/confirm", data={**form, "code": "000000"})
                assert wrong.status_code == 400
            secret = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', shown.text)
            assert secret
            code = pyotp.TOTP(secret[1].replace(" ", "")).at(int(patient.clock.now().timestamp()))
            locked = await client.post(f"{path}/confirm", data={**form, "code": code})
            assert locked.status_code == 429
        assert (await patient.access.accounts.get(account.id)).second_factor_since is None

    async def test_removing_the_second_factor_has_bounds(
        self, patient: Services, fixed_clock: FixedClock
    ) -> None:
        account = await person(patient)
        async with browser(patient) as client:
            await sign_in(client)
            generator = await with_factor(patient, account)
            fixed_clock.advance(timedelta(seconds=30))
            form = {"csrf_token": await csrf_in(client), "code": "000000"}
            path = "/console/account/second-factor/remove"
            answers = [(await client.post(path, data=form)).status_code for _ in range(5)]
            form["code"] = generator.at(int(fixed_clock.now().timestamp()))
            answers.append((await client.post(path, data=form)).status_code)
        assert answers == [400] * 5 + [429]
        (row,) = await entries(patient, "account.locked_out")
        assert (row.details["way"], row.details["locked_for"]) == ("code", "every address")


class TestSources:
    @pytest.mark.parametrize(
        ("address", "source"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("unknown", "unknown"),
        ],
    )
    def test_an_ipv6_network_counts_as_one(self, address: str, source: str) -> None:
        assert source_of(address) == source


async def with_factor(services: Services, account: Account) -> Any:
    """Set a second factor up and return its generator."""
    enrolment = await services.access.second_factors.begin(account)
    generator = pyotp.TOTP(enrolment.secret.replace(" ", ""))
    code = generator.at(int(services.clock.now().timestamp()))
    await services.access.second_factors.confirm(account, code)
    return generator
