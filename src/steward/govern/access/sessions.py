"""Console logins: a random token in a cookie, its digest in the database, two ways to expire."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access import queries
from steward.govern.access.accounts import Account
from steward.govern.access.errors import BadCsrfToken, BadSession
from steward.govern.access.permissions import Role

_PROLONG_AFTER = timedelta(minutes=1)
"""A login is prolonged at most this often, so that reading pages doesn't write each time."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A fresh login. The token is for the cookie and is shown here only."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A valid login."""

    account: Account
    csrf_token: str = field(repr=False)
    created_at: datetime
    expires_at: datetime

    def check_csrf(self, given: str | None) -> None:
        """Refuse a form that doesn't carry this login's token.

        Raises:
            BadCsrfToken: it doesn't.
        """
        if not given or not hmac.compare_digest(given.encode(errors="replace"), self.csrf_token.encode()):
            raise BadCsrfToken


class ConsoleSessions:
    """Opens, finds and closes console logins."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        idle: timedelta = timedelta(hours=2),
        absolute: timedelta = timedelta(hours=12),
    ) -> None:
        """Take how long a login lasts unused and at most: a break and a shift, by default."""
        self._database = database
        self._clock = clock
        self._idle = idle
        self._absolute = absolute

    async def open(self, account: Account) -> OpenedSession:
        """Log an account in; the caller has checked its password."""
        now = self._clock.now()
        expires_at = now + min(self._idle, self._absolute)
        opened = OpenedSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), expires_at)
        row = [_digest(opened.token), account.id, opened.csrf_token, now, expires_at]
        async with self._database.write() as session:
            await session.execute(queries.SWEEP_SESSIONS, [now])
            await session.execute(queries.OPEN_SESSION, row)
        return opened

    async def find(self, token: str) -> ConsoleSession:
        """Return the login a token belongs to, and keep it from going idle.

        Raises:
            BadSession: unknown, over, or the account is disabled.
        """
        digest, now = _digest(token), self._clock.now()
        async with self._database.read() as session:
            row = await session.one(queries.SESSION, [digest])
        if row is None:
            raise BadSession
        csrf_token, created_at, expires_at = row[:3]
        account = Account(row[3], row[4], row[5], Role(row[6]), row[7] == "active", row[8])
        if expires_at <= now or not account.active:
            raise BadSession
        longer = min(now + self._idle, created_at + self._absolute)
        if longer - expires_at >= _PROLONG_AFTER:
            async with self._database.write() as writing:
                await writing.execute(queries.PROLONG_SESSION, [longer, digest])
            expires_at = longer
        return ConsoleSession(account, csrf_token, created_at, expires_at)

    async def close(self, token: str) -> None:
        """Log out; an unknown token is no error."""
        async with self._database.write() as session:
            await session.execute(queries.CLOSE_SESSION, [_digest(token)])

    async def close_all(self, account_id: UUID) -> None:
        """End every login of an account."""
        async with self._database.write() as session:
            await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
