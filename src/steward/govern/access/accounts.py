"""Accounts: the people of the desk and the console."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.access import queries
from steward.govern.access.errors import AccountNotFound, BadAccount, BadLogin, LastAdmin, LoginTaken
from steward.govern.access.passwords import Passwords
from steward.govern.access.permissions import ROLE_PERMISSIONS, Role
from steward.govern.access.principal import Principal, PrincipalKind
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger

_MOST_LETTERS = 120


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may log in."""

    id: UUID
    login: str
    name: str
    role: Role
    active: bool
    created_at: datetime

    @property
    def principal(self) -> Principal:
        """The caller that this person is."""
        permissions = ROLE_PERMISSIONS[self.role]
        return Principal(PrincipalKind.STAFF, str(self.id), self.name, permissions, role=self.role)


class Accounts:
    """Makes, checks and changes accounts; each change is in the ledger."""

    def __init__(self, database: Database, clock: Clock, *, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._ledger = Ledger(clock)

    async def create(self, *, login: str, name: str, role: Role, password: str, actor: str) -> Account:
        """Make an account.

        Args:
            login: what the person types; upper and lower case are the same.
            name: what others see.
            role: what the account is for.
            password: 10 to 256 characters.
            actor: who makes it, as the ledger names callers.

        Raises:
            LoginTaken: somebody has this login.
            BadAccount: login or name is empty, too long or holds control characters.
            BadPassword: the password is too short or too long.
        """
        login, name = _checked("login", login.strip().casefold()), _checked("name", name.strip())
        stored = await self._passwords.hash(password)
        account = Account(new_id(self._clock), login, name, role, True, self._clock.now())
        async with self._database.write() as session:
            row = [account.id, login, name, role.value, stored, account.created_at]
            if not await session.execute(queries.CREATE_ACCOUNT, row):
                raise LoginTaken(login)
            await self._record(session, actor, "account.created", account.id, {"role": role.value})
        return account

    async def authenticate(self, login: str, password: str) -> Account:
        """Return the account that login and password belong to.

        A refusal takes the same time whether the login is unknown, disabled or the password wrong.

        Raises:
            BadLogin: for each of these reasons.
        """
        async with self._database.read() as session:
            row = await session.one(queries.ACCOUNT_BY_LOGIN, [login.replace("\x00", "").strip().casefold()])
        stored: str | None = row[6] if row else None
        matched = await self._passwords.matches(password, stored)
        if row is None or stored is None or not matched:
            raise BadLogin
        account = _account(row)
        if not account.active:
            raise BadLogin
        if self._passwords.outdated(stored):
            renewed = await self._passwords.hash(password)
            async with self._database.write() as session:
                await session.execute(queries.RENEW_HASH, [renewed, account.id, stored])
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
        return _account(row)

    async def listed(self) -> tuple[Account, ...]:
        """Return all accounts by login."""
        async with self._database.read() as session:
            return tuple(_account(row) for row in await session.all(queries.ACCOUNTS))

    async def disable(self, account_id: UUID, *, actor: str) -> None:
        """Shut an account out at once: its logins end with it.

        Raises:
            AccountNotFound: there is none.
            LastAdmin: nobody would be left to manage the installation.
        """
        async with self._database.write() as session:
            await self._keep_an_admin(session, account_id)
            if not await session.execute(queries.SET_STATE, ["disabled", account_id]):
                raise AccountNotFound(account_id)
            await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])
            await self._record(session, actor, "account.disabled", account_id, {})

    async def enable(self, account_id: UUID, *, actor: str) -> None:
        """Let a disabled account in again.

        Raises:
            AccountNotFound: there is none.
        """
        async with self._database.write() as session:
            if not await session.execute(queries.SET_STATE, ["active", account_id]):
                raise AccountNotFound(account_id)
            await self._record(session, actor, "account.enabled", account_id, {})

    async def set_role(self, account_id: UUID, role: Role, *, actor: str) -> None:
        """Give an account another role; it holds from the next request on.

        Raises:
            AccountNotFound: there is none.
            LastAdmin: nobody would be left to manage the installation.
        """
        async with self._database.write() as session:
            if role is not Role.ADMIN:
                await self._keep_an_admin(session, account_id)
            if not await session.execute(queries.SET_ROLE, [role.value, account_id]):
                raise AccountNotFound(account_id)
            await self._record(session, actor, "account.role_changed", account_id, {"role": role.value})

    async def set_password(self, account_id: UUID, password: str, *, actor: str) -> None:
        """Set a new password and end the account's logins.

        Raises:
            AccountNotFound: there is none.
            BadPassword: too short or too long.
        """
        stored = await self._passwords.hash(password)
        async with self._database.write() as session:
            if not await session.execute(queries.SET_HASH, [stored, account_id]):
                raise AccountNotFound(account_id)
            await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])
            await self._record(session, actor, "account.password_changed", account_id, {})

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


def _checked(field: str, text: str) -> str:
    if not 0 < len(text) <= _MOST_LETTERS or not text.isprintable():
        raise BadAccount(field, _MOST_LETTERS)
    return text


def _account(row: tuple[Any, ...]) -> Account:
    return Account(row[0], row[1], row[2], Role(row[3]), row[4] == "active", row[5])
