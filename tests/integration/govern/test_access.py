"""Accounts, logins, keys, tokens and limits on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.govern.access.accounts import Account, Accounts, ensure_first_admin
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.access.errors import (
    AccountNotFound,
    BadAccount,
    BadCsrfToken,
    BadKey,
    BadLogin,
    BadPassword,
    BadScope,
    BadScopes,
    BadSession,
    KeyNotFound,
    LastAdmin,
    LoginTaken,
    RateLimited,
)
from steward.govern.access.keys import ApiKeys, KeyKind
from steward.govern.access.limits import RateLimits
from steward.govern.access.passwords import Passwords
from steward.govern.access.permissions import Permission, Role
from steward.govern.access.principal import PrincipalKind
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.errors import WrongMasterKey
from steward.govern.privacy.master_key import MasterKey

_WORD = "a long password"
_MASTER = MasterKey(b"m" * 32)


class CountedDatabase:
    """A database that counts the sessions asked of it."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.sessions = 0

    def read(self) -> AbstractAsyncContextManager[ReadSession]:
        self.sessions += 1
        return self._inner.read()

    def write(self) -> AbstractAsyncContextManager[WriteSession]:
        self.sessions += 1
        return self._inner.write()

    def write_once(self) -> AbstractAsyncContextManager[WriteSession]:
        self.sessions += 1
        return self._inner.write_once()

    async def listen(
        self,
        channel: str,
        heard: Callable[[str], Awaitable[None]],
        *,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        await self._inner.listen(channel, heard, connected=connected)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture
def accounts(database: Database, fixed_clock: FixedClock) -> Accounts:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return Accounts(database, fixed_clock, passwords=Passwords(hasher=cheap))


@pytest.fixture
def sessions(database: Database, fixed_clock: FixedClock) -> ConsoleSessions:
    return ConsoleSessions(database, fixed_clock)


async def person(accounts: Accounts, login: str = "ann", role: Role = Role.AGENT) -> Account:
    return await accounts.create(login=login, name="Ann", role=role, password=_WORD, actor="system")


class TestAccounts:
    async def test_login_in_any_case_opens_the_account(self, accounts: Accounts) -> None:
        made = await person(accounts, "Ann@Example.com")
        assert await accounts.authenticate(" ANN@example.com ", _WORD) == made
        assert made.principal.kind is PrincipalKind.STAFF
        assert Permission.CONVERSATION_REPLY in made.principal.permissions

    @pytest.mark.parametrize(
        ("login", "password"), [("ann", "wrong password"), ("bob", _WORD), ("", ""), ("a\x00", "x")]
    )
    async def test_wrong_login_or_password_is_one_refusal(
        self, accounts: Accounts, login: str, password: str
    ) -> None:
        await person(accounts)
        with pytest.raises(BadLogin, match="don't match an active account"):
            await accounts.authenticate(login, password)

    async def test_taken_login_is_refused(self, accounts: Accounts) -> None:
        await person(accounts)
        with pytest.raises(LoginTaken, match="'ann' is taken"):
            await person(accounts, "ANN")

    @pytest.mark.parametrize("login", ["", "a\nb", "x" * 121])
    async def test_unusable_login_is_refused(self, accounts: Accounts, login: str) -> None:
        with pytest.raises(BadAccount, match="login has 1 to 120"):
            await person(accounts, login)

    async def test_short_password_is_refused(self, accounts: Accounts) -> None:
        with pytest.raises(BadPassword, match="10 to 256"):
            await accounts.create(login="x", name="X", role=Role.AGENT, password="short", actor="system")

    async def test_disabling_ends_logins_at_once(self, accounts: Accounts, sessions: ConsoleSessions) -> None:
        made = await person(accounts)
        opened = await sessions.open(made)
        await accounts.disable(made.id, actor="account:1")
        with pytest.raises(BadSession, match="log in again"):
            await sessions.find(opened.token)
        with pytest.raises(BadLogin, match="active account"):
            await accounts.authenticate("ann", _WORD)
        await accounts.enable(made.id, actor="account:1")
        assert (await accounts.authenticate("ann", _WORD)).id == made.id

    async def test_last_admin_stays(self, accounts: Accounts) -> None:
        first = await person(accounts, "ann", Role.ADMIN)
        second = await person(accounts, "bob", Role.ADMIN)
        await accounts.disable(second.id, actor="system")
        with pytest.raises(LastAdmin, match="last active admin"):
            await accounts.disable(first.id, actor="system")
        with pytest.raises(LastAdmin, match="last active admin"):
            await accounts.assign(first.id, role=Role.VIEWER, actor="system")

    async def test_limit_that_can_t_be_leaves_no_account(self, accounts: Accounts) -> None:
        for role, category in ((Role.ADMIN, "billing"), (Role.AGENT, "Billing!")):
            with pytest.raises(BadScope, match="can't be"):
                await accounts.create(
                    login="ann", name="Ann", role=role, password=_WORD, actor="system", categories=[category]
                )
        assert await accounts.listed() == ()

    async def test_role_and_limit_change_together_or_not_at_all(
        self, accounts: Accounts, database: Database, fixed_clock: FixedClock
    ) -> None:
        made = await accounts.create(
            login="ann", name="Ann", role=Role.AGENT, password=_WORD, actor="system", categories=["billing"]
        )
        assert made == await accounts.get(made.id)
        with pytest.raises(BadScope, match="acts on the whole installation"):
            await accounts.assign(made.id, role=Role.ADMIN, categories=["billing"], actor="account:1")
        assert await accounts.get(made.id) == made
        await accounts.assign(made.id, role=Role.AGENT, categories=["billing"], actor="account:1")
        await accounts.assign(made.id, role=Role.VIEWER, categories=[], actor="account:1")
        changed = await accounts.get(made.id)
        assert (changed.role, changed.categories) == (Role.VIEWER, None)
        async with database.read() as session:
            rows = await Ledger(fixed_clock).recent(session)
        assert sorted(row.deed for row in rows if row.actor == "account:1") == [
            "account.role_changed",
            "account.scope_changed",
        ]

    async def test_new_password_replaces_the_old_and_its_logins(
        self, accounts: Accounts, sessions: ConsoleSessions
    ) -> None:
        made = await person(accounts)
        opened = await sessions.open(made)
        await accounts.set_password(made.id, "another password", actor="account:1")
        with pytest.raises(BadSession, match="ended"):
            await sessions.find(opened.token)
        with pytest.raises(BadLogin, match="don't match"):
            await accounts.authenticate("ann", _WORD)
        await accounts.authenticate("ann", "another password")

    async def test_stronger_parameters_renew_the_hash(
        self, accounts: Accounts, database: Database, fixed_clock: FixedClock
    ) -> None:
        await person(accounts)
        stronger = Passwords(hasher=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
        await Accounts(database, fixed_clock, passwords=stronger).authenticate("ann", _WORD)
        async with database.read() as session:
            row = await session.one("select password from account")
        assert row is not None
        assert "t=2" in row[0]
        assert _WORD not in row[0]

    async def test_unknown_account_is_named(self, accounts: Accounts) -> None:
        for call in (accounts.get(UUID(int=1)), accounts.disable(UUID(int=1), actor="system")):
            with pytest.raises(AccountNotFound, match="no account"):
                await call

    async def test_changes_are_in_the_ledger(
        self, accounts: Accounts, database: Database, fixed_clock: FixedClock
    ) -> None:
        made = await person(accounts)
        await accounts.assign(made.id, role=Role.REVIEWER, actor="account:1")
        async with database.read() as session:
            rows = await Ledger(fixed_clock).recent(session)
        assert [row.deed for row in rows] == ["account.role_changed", "account.created"]
        assert {row.subject for row in rows} == {f"account:{made.id}"}


class TestEnsureFirstAdmin:
    async def test_password_is_given_once(self, accounts: Accounts) -> None:
        password = await ensure_first_admin(accounts)
        assert password is not None
        assert (await accounts.authenticate("admin", password)).role is Role.ADMIN
        assert await ensure_first_admin(accounts) is None

    async def test_two_processes_make_one_admin(self, accounts: Accounts) -> None:
        given = await asyncio.gather(*(ensure_first_admin(accounts) for _ in range(4)))
        assert len([password for password in given if password]) == 1
        assert len(await accounts.listed()) == 1


class TestConsoleSessions:
    async def test_login_is_found_by_its_token_only(
        self, accounts: Accounts, sessions: ConsoleSessions
    ) -> None:
        made = await person(accounts)
        opened = await sessions.open(made)
        found = await sessions.find(opened.token)
        assert found.account == made
        found.check_csrf(opened.csrf_token)
        for wrong in (None, "", "x", "é"):
            with pytest.raises(BadCsrfToken, match="load it again"):
                found.check_csrf(wrong)
        with pytest.raises(BadSession, match="ended"):
            await sessions.find("x" * 43)

    async def test_token_is_stored_as_a_digest(
        self, accounts: Accounts, sessions: ConsoleSessions, database: Database
    ) -> None:
        opened = await sessions.open(await person(accounts))
        async with database.read() as session:
            row = await session.one("select token_digest from console_session")
        assert row is not None
        assert opened.token.encode() not in bytes(row[0])
        assert opened.token not in repr(opened)

    async def test_unused_login_ends(
        self, accounts: Accounts, sessions: ConsoleSessions, fixed_clock: FixedClock
    ) -> None:
        opened = await sessions.open(await person(accounts))
        fixed_clock.advance(timedelta(hours=2))
        with pytest.raises(BadSession, match="ended"):
            await sessions.find(opened.token)

    async def test_used_login_lasts_a_shift_and_no_longer(
        self, accounts: Accounts, sessions: ConsoleSessions, fixed_clock: FixedClock
    ) -> None:
        opened = await sessions.open(await person(accounts))
        for _ in range(11):
            fixed_clock.advance(timedelta(hours=1))
            await sessions.find(opened.token)
        fixed_clock.advance(timedelta(hours=1))
        with pytest.raises(BadSession, match="ended"):
            await sessions.find(opened.token)

    async def test_logging_out_ends_this_login_only(
        self, accounts: Accounts, sessions: ConsoleSessions
    ) -> None:
        made = await person(accounts)
        one, other = await sessions.open(made), await sessions.open(made)
        await sessions.close(one.token)
        with pytest.raises(BadSession, match="ended"):
            await sessions.find(one.token)
        await sessions.find(other.token)


class TestApiKeys:
    async def test_key_opens_what_its_scopes_say(self, database: Database, fixed_clock: FixedClock) -> None:
        keys = ApiKeys(database, fixed_clock)
        issued = await keys.issue(
            name="shop", kind=KeyKind.SECRET, actor="account:1", scopes={Permission.ROUTE_USE}
        )
        principal = (await keys.find(issued.token)).principal
        assert issued.token.startswith("stw_sec_")
        assert principal.kind is PrincipalKind.KEY
        assert principal.permissions == {Permission.ROUTE_USE}
        assert issued.key.hint == f"stw_sec_…{issued.token[-4:]}"
        assert issued.token not in repr(issued)

    async def test_public_key_has_the_public_permissions(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        keys = ApiKeys(database, fixed_clock)
        issued = await keys.issue(name="widget", kind=KeyKind.PUBLIC, actor="system")
        assert issued.token.startswith("stw_pub_")
        assert issued.key.principal.kind is PrincipalKind.PUBLIC
        assert issued.key.scopes == {Permission.CONVERSATION_USE, Permission.FEEDBACK_GIVE}

    @pytest.mark.parametrize(
        ("kind", "scopes"),
        [
            (KeyKind.PUBLIC, {Permission.ROUTE_USE}),
            (KeyKind.SECRET, {Permission.ACCOUNT_MANAGE}),
            (KeyKind.SECRET, set()),
        ],
    )
    async def test_too_much_or_nothing_is_refused(
        self, database: Database, fixed_clock: FixedClock, kind: KeyKind, scopes: set[Permission]
    ) -> None:
        with pytest.raises(BadScopes, match="can't have"):
            await ApiKeys(database, fixed_clock).issue(name="x", kind=kind, actor="system", scopes=scopes)

    @pytest.mark.parametrize(
        "token", ["", "stw_sec_short", "Bearer x", "stw_sec_" + "A" * 43, "stw_pub_" + "é" * 43]
    )
    async def test_unknown_key_is_refused(
        self, database: Database, fixed_clock: FixedClock, token: str
    ) -> None:
        with pytest.raises(BadKey, match="isn't one of"):
            await ApiKeys(database, fixed_clock).find(token)

    async def test_hot_path_has_no_sql(self, database: Database, fixed_clock: FixedClock) -> None:
        counted = CountedDatabase(database)
        keys = ApiKeys(counted, fixed_clock)
        issued = await keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system")
        await keys.find(issued.token)
        before = counted.sessions
        for _ in range(50):
            await keys.find(issued.token)
        assert counted.sessions == before
        fixed_clock.advance(timedelta(seconds=10))
        await keys.find(issued.token)
        assert counted.sessions == before + 1

    async def test_revocation_holds_here_at_once_and_elsewhere_soon(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        here, elsewhere = ApiKeys(database, fixed_clock), ApiKeys(database, fixed_clock)
        issued = await here.issue(name="w", kind=KeyKind.PUBLIC, actor="system")
        await here.find(issued.token)
        await elsewhere.find(issued.token)
        await here.revoke(issued.key.id, actor="account:1")
        await here.revoke(issued.key.id, actor="account:1")
        with pytest.raises(BadKey, match="was revoked"):
            await here.find(issued.token)
        await elsewhere.find(issued.token)
        fixed_clock.advance(timedelta(seconds=10))
        with pytest.raises(BadKey, match="was revoked"):
            await elsewhere.find(issued.token)
        assert (await here.listed())[0].revoked_at is not None

    async def test_expired_key_is_refused_even_when_remembered(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        keys = ApiKeys(database, fixed_clock)
        ends = fixed_clock.now() + timedelta(seconds=5)
        issued = await keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system", expires_at=ends)
        await keys.find(issued.token)
        fixed_clock.advance(timedelta(seconds=5))
        with pytest.raises(BadKey, match="has expired"):
            await keys.find(issued.token)

    async def test_unknown_key_id_is_named(self, database: Database, fixed_clock: FixedClock) -> None:
        with pytest.raises(KeyNotFound, match="no key"):
            await ApiKeys(database, fixed_clock).revoke(UUID(int=1), actor="system")


class TestCustomerTokens:
    async def test_processes_share_one_sealed_signing_key(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        one, other = await asyncio.gather(
            *(CustomerTokens.load(database, _MASTER, fixed_clock, assistant="northline") for _ in range(2))
        )
        assert (await other.verify(one.issue_demo("c-1", {}))).reference == "c-1"
        async with database.read() as session:
            rows = await session.all("select id from signing_key")
        assert len(rows) == 1

    async def test_another_master_key_is_refused(self, database: Database, fixed_clock: FixedClock) -> None:
        await CustomerTokens.load(database, _MASTER, fixed_clock, assistant="northline")
        with pytest.raises(WrongMasterKey, match="put the old key back"):
            await CustomerTokens.load(database, MasterKey(b"o" * 32), fixed_clock, assistant="northline")


class TestRateLimits:
    async def test_exact_under_concurrency(self, database: Database, fixed_clock: FixedClock) -> None:
        limits = RateLimits(database, fixed_clock, master_key=_MASTER)
        taken = await asyncio.gather(
            *(limits.take("key:1", limit=10, window=timedelta(minutes=1)) for _ in range(40))
        )
        assert sum(one.allowed for one in taken) == 10

    async def test_next_window_starts_afresh(self, database: Database, fixed_clock: FixedClock) -> None:
        limits = RateLimits(database, fixed_clock, master_key=_MASTER)
        minute = timedelta(minutes=1)
        await limits.enforce("ip:1", limit=1, window=minute)
        fixed_clock.advance(timedelta(seconds=20))
        with pytest.raises(RateLimited, match="in 40 s"):
            await limits.enforce("ip:1", limit=1, window=minute)
        await limits.enforce("ip:2", limit=1, window=minute)
        fixed_clock.advance(timedelta(seconds=40))
        assert (await limits.enforce("ip:1", limit=1, window=minute)).remaining == 0

    async def test_subject_is_stored_as_a_digest(self, database: Database, fixed_clock: FixedClock) -> None:
        limits = RateLimits(database, fixed_clock, master_key=_MASTER)
        await limits.take("ip:203.0.113.9", limit=1, window=timedelta(minutes=1))
        async with database.read() as session:
            row = await session.one("select subject from rate_window")
        assert row is not None
        assert b"203" not in bytes(row[0])
        fixed_clock.advance(timedelta(days=2))
        assert await limits.sweep() == 1
