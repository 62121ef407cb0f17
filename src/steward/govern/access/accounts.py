"""Accounts: the people of the desk and the console."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.access import queries
from steward.govern.access.account import Account, account_of, plain_login
from steward.govern.access.errors import (
    AccountNotFound,
    BadAccount,
    BadLogin,
    BadScope,
    LastAdmin,
    LoginTaken,
    NoLocalPassword,
)
from steward.govern.access.passwords import Passwords
from steward.govern.access.permissions import SCOPED_ROLES, Role
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger

__all__ = ["Account", "Accounts", "ensure_first_admin"]

_MOST_LETTERS = 120
_CATEGORY = re.compile("[a-z][a-z0-9_-]{0,63}")


class Accounts:
    """Makes, checks and changes accounts; each change is in the ledger."""

    def __init__(self, database: Database, clock: Clock, *, passwords: Passwords, local: bool = True) -> None:
        """Take whether passwords sign in; where they don't, those of emergency accounts still do."""
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._local = local
        self._ledger = Ledger(clock)

    async def create(
        self,
        *,
        login: str,
        name: str,
        role: Role,
        password: str,
        actor: str,
        categories: Collection[str] = (),
    ) -> Account:
        """Make an account, limited to categories where some are given; it is there whole or not at all.

        Args:
            login: what the person types; upper and lower case are the same.
            name: what others see.
            role: what the account is for.
            password: 10 to 256 characters.
            actor: who makes it, as the ledger names callers.
            categories: the categories that it acts in; none for everywhere.

        Raises:
            LoginTaken: somebody has this login.
            BadAccount: login or name is empty, too long or holds control characters.
            BadPassword: the password is too short or too long.
            BadScope: a category can't be one, or the role can't be limited.
        """
        login, name = _checked("login", login.strip().casefold()), _checked("name", name.strip())
        chosen = _scope_of(categories, role)
        stored = await self._passwords.hash(password)
        account = Account(new_id(self._clock), login, name, role, True, self._clock.now())
        async with self._database.write() as session:
            row = [account.id, login, name, role.value, stored, account.created_at]
            if not await session.execute(queries.CREATE_ACCOUNT, row):
                raise LoginTaken(login)
            await self._record(session, actor, "account.created", account.id, {"role": role.value})
            if chosen:
                await self._put_scope(session, account.id, chosen, actor=actor)
        return replace(account, categories=frozenset(chosen)) if chosen else account

    async def authenticate(self, login: str, password: str) -> Account:
        """Return the account that login and password belong to.

        A refusal takes the same time whether the login is unknown, disabled or the password wrong.

        Raises:
            BadLogin: for each of these reasons.
        """
        async with self._database.read() as session:
            row = await session.one(queries.ACCOUNT_BY_LOGIN, [plain_login(login)])
        stored: str | None = row[6] if row else None
        matched = await self._passwords.matches(password, stored)
        if row is None or stored is None or not matched:
            raise BadLogin
        account = account_of(row)
        if not account.active or not (self._local or account.emergency):
            raise BadLogin
        if self._passwords.outdated(stored):
            renewed = await self._passwords.hash(password)
            async with self._database.write() as session:
                await session.execute(queries.RENEW_HASH, [renewed, account.id, stored])
        if not self._local:
            async with self._database.write() as session:
                await self._record(session, f"account:{account.id}", "account.emergency_used", account.id, {})
        return account

    async def get(self, account_id: UUID) -> Account:
        """Return an account.

        Raises:
            AccountNotFound: there is none.
        """
        async with self._database.read() as session:
            row = await session.one(queries.ACCOUNT, [account_id])
        if row is None:
            raise AccountNotFound(account_id)
        return account_of(row)

    async def listed(self) -> tuple[Account, ...]:
        """Return all accounts by login."""
        async with self._database.read() as session:
            return tuple(account_of(row) for row in await session.all(queries.ACCOUNTS))

    async def disable(self, account_id: UUID, *, actor: str) -> None:
        """Shut an account out at once: its logins end with it.

        Raises:
            AccountNotFound: there is none.
            LastAdmin: nobody would be left to manage the installation.
        """
        async with self._database.write() as session:
            await self._keep_an_admin(session, account_id)
            if not await session.execute(queries.SET_STATE, ["disabled", "admin", account_id]):
                raise AccountNotFound(account_id)
            await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])
            await self._record(session, actor, "account.disabled", account_id, {})

    async def enable(self, account_id: UUID, *, actor: str) -> None:
        """Let a disabled account in again.

        Raises:
            AccountNotFound: there is none.
        """
        async with self._database.write() as session:
            if not await session.execute(queries.SET_STATE, ["active", None, account_id]):
                raise AccountNotFound(account_id)
            await self._record(session, actor, "account.enabled", account_id, {})

    async def assign(
        self,
        account_id: UUID,
        *,
        role: Role | None = None,
        categories: Collection[str] | None = None,
        actor: str,
    ) -> None:
        """Give an account another role, other categories, or both at once; it holds from the next request on.

        Args:
            account_id: whose.
            role: the role, None to leave it; one that acts on the whole installation lifts the limit.
            categories: what the account is limited to, none to lift the limit, None to leave it.
            actor: who decides, as the ledger names callers.

        Raises:
            AccountNotFound: there is none.
            BadScope: a category can't be one, or the role can't be limited; nothing has changed.
            LastAdmin: nobody would be left to manage the installation.
        """
        async with self._database.write() as session:
            row = await session.one(queries.ACCOUNT, [account_id])
            if row is None:
                raise AccountNotFound(account_id)
            chosen = None if categories is None else _scope_of(categories, role or Role(row[3]))
            if role is not None and role.value != row[3]:
                await self._put_role(session, account_id, role, actor=actor)
            if chosen is not None and frozenset(chosen) != (account_of(row).categories or frozenset()):
                await self._put_scope(session, account_id, chosen, actor=actor)

    async def _put_role(self, session: WriteSession, account_id: UUID, role: Role, *, actor: str) -> None:
        if role is not Role.ADMIN:
            await self._keep_an_admin(session, account_id)
        await session.execute(queries.SET_ROLE, [role.value, account_id])
        if role not in SCOPED_ROLES:
            await session.execute(queries.CLEAR_SCOPE, [account_id])
        await self._record(session, actor, "account.role_changed", account_id, {"role": role.value})

    async def _put_scope(
        self, session: WriteSession, account_id: UUID, chosen: Collection[str], *, actor: str
    ) -> None:
        await session.execute(queries.CLEAR_SCOPE, [account_id])
        if chosen:
            await session.execute(queries.ADD_SCOPE, [account_id, list(chosen)])
        details: dict[str, Detail] = {"categories": " ".join(chosen) or "all"}
        await self._record(session, actor, "account.scope_changed", account_id, details)

    async def set_emergency(self, account_id: UUID, *, emergency: bool, actor: str) -> None:
        """Let a local account in where local accounts are switched off, or no longer.

        Raises:
            AccountNotFound: there is none.
            NoLocalPassword: an identity provider vouches for the person.
        """
        account = await self.get(account_id)
        if account.issuer is not None:
            raise NoLocalPassword
        async with self._database.write() as session:
            await session.execute(queries.SET_EMERGENCY, [emergency, account_id])
            details: dict[str, Detail] = {"emergency": emergency}
            await self._record(session, actor, "account.emergency_changed", account_id, details)

    async def set_password(
        self, account_id: UUID, password: str, *, actor: str, keep: UUID | None = None
    ) -> None:
        """Set a new password and end the account's logins, all but `keep`.

        Raises:
            AccountNotFound: there is none.
            BadPassword: too short or too long.
            NoLocalPassword: an identity provider vouches for the person.
        """
        stored = await self._passwords.hash(password)
        async with self._database.write() as session:
            if not await session.execute(queries.SET_HASH, [stored, account_id]):
                if await session.one(queries.ACCOUNT, [account_id]) is None:
                    raise AccountNotFound(account_id)
                raise NoLocalPassword
            if keep is None:
                await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])
            else:
                await session.execute(queries.CLOSE_OTHER_SESSIONS_OF, [account_id, keep])
            await self._record(session, actor, "account.password_changed", account_id, {})

    async def check_password(self, account_id: UUID, password: str) -> None:
        """Check the present password of somebody who is signed in and wants to change how they sign in.

        Raises:
            BadLogin: it's another.
            NoLocalPassword: an identity provider vouches for the person.
        """
        async with self._database.read() as session:
            row = await session.one(queries.ACCOUNT, [account_id])
        if row is None or row[6] is None:
            raise NoLocalPassword
        if not await self._passwords.matches(password, row[6]):
            raise BadLogin

    async def _keep_an_admin(self, session: WriteSession, account_id: UUID) -> None:
        # The rows are locked, so that two admins can't disable each other at the same moment.
        admins = {row[0] for row in await session.all(queries.LOCK_ACTIVE_ADMINS)}
        if admins == {account_id}:
            raise LastAdmin

    async def _record(
        self, session: WriteSession, actor: str, deed: str, account_id: UUID, details: dict[str, Detail]
    ) -> None:
        await self._ledger.append(session, Entry(actor, deed, f"account:{account_id}", details))


async def ensure_first_admin(accounts: Accounts, *, login: str = "admin", name: str = "Admin") -> str | None:
    """Make an admin when there is no account at all.

    Returns:
        The generated password, once; None when accounts were there, or another process was faster.
    """
    if await accounts.listed():
        return None
    password = secrets.token_urlsafe(15)
    try:
        await accounts.create(login=login, name=name, role=Role.ADMIN, password=password, actor="system")
    except LoginTaken:
        return None
    return password


def _scope_of(categories: Collection[str], role: Role) -> tuple[str, ...]:
    """Return categories that an account of this role can be limited to, sorted.

    Raises:
        BadScope: one can't be a category, or the role can't be limited.
    """
    chosen = tuple(sorted(set(categories)))
    if wrong := [name for name in chosen if not _CATEGORY.fullmatch(name)]:
        raise BadScope(f"{wrong[0]!r} can't be a category")
    if chosen and role not in SCOPED_ROLES:
        raise BadScope(f"the role {role} acts on the whole installation")
    return chosen


def _checked(field: str, text: str) -> str:
    if not 0 < len(text) <= _MOST_LETTERS or not text.isprintable():
        raise BadAccount(field, _MOST_LETTERS)
    return text
