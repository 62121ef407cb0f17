"""Console logins: a random token in a cookie, its digest in the database, two ways to expire.

A login opens in stages. Until the second factor has been given, or set up where it must be, the token
opens nothing but that step; the step ends with a new token, so that one planted in a browser is worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.access import queries
from steward.govern.access.account import Account, account_of
from steward.govern.access.errors import BadCsrfToken, BadSession, SessionNotFound
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger

_PROLONG_AFTER = timedelta(minutes=1)
"""A login is prolonged at most this often, so that reading pages doesn't write each time."""
_STAGE_LASTS = timedelta(minutes=10)
"""How long a person has for the second factor."""
_MOST_AGENT_LETTERS = 160


class Stage(StrEnum):
    """What a login still needs."""

    OPEN = "open"
    """Nothing."""
    CODE = "code"
    """The code of the second factor."""
    ENROL = "enrol"
    """A second factor has to be set up first."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A fresh login. The token is for the cookie and is shown here only."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime
    stage: Stage = Stage.OPEN


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A valid login."""

    id: UUID
    account: Account
    csrf_token: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    stage: Stage = Stage.OPEN

    def check_csrf(self, given: str | None) -> None:
        """Refuse a form that doesn't carry this login's token.

        Raises:
            BadCsrfToken: it doesn't.
        """
        if not given or not hmac.compare_digest(given.encode(errors="replace"), self.csrf_token.encode()):
            raise BadCsrfToken


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A login as its owner and admins see it; `agent` is what the browser calls itself."""

    id: UUID
    created_at: datetime
    last_at: datetime | None
    expires_at: datetime
    agent: str | None


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
        self._ledger = Ledger(clock)
        self._idle = idle
        self._absolute = absolute

    async def open(
        self,
        account: Account,
        *,
        stage: Stage = Stage.OPEN,
        agent: str | None = None,
        id_token: bytes | None = None,
        provider_login: bytes | None = None,
        way: str | None = None,
    ) -> OpenedSession:
        """Log an account in; the caller has checked its password, or an identity provider has.

        Args:
            account: who it is.
            stage: what is still missing.
            agent: what the browser calls itself.
            id_token: the provider's token, wrapped, for signing out there too.
            provider_login: the digest of what the provider calls its login, for being signed out from there.
            way: how the person proved who they are; a whole login is in the ledger by it.
        """
        async with self._database.write() as session:
            opened = await self._open(session, account, stage, agent, id_token, provider_login)
            if way is not None and stage is Stage.OPEN:
                await self._note_way(session, account, way)
            return opened

    async def step_up(
        self, token: str, account: Account, *, agent: str | None = None, way: str
    ) -> OpenedSession:
        """Replace a login that lacked its second factor by a whole one, under a new token."""
        async with self._database.write() as session:
            row = await session.one(queries.CLOSE_SESSION, [_digest(token)])
            kept = None if row is None or row[0] is None else bytes(row[0])
            await self._note_way(session, account, way)
            return await self._open(session, account, Stage.OPEN, agent, kept)

    async def _open(
        self,
        session: WriteSession,
        account: Account,
        stage: Stage,
        agent: str | None,
        id_token: bytes | None,
        provider_login: bytes | None = None,
    ) -> OpenedSession:
        now = self._clock.now()
        lasts = min(self._idle, self._absolute) if stage is Stage.OPEN else _STAGE_LASTS
        opened = OpenedSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), now + lasts, stage)
        shown = _printable(agent)
        row = [
            _digest(opened.token),
            new_id(self._clock),
            account.id,
            opened.csrf_token,
            now,
            now,
            opened.expires_at,
            stage.value,
            shown,
            id_token,
            provider_login,
        ]
        await session.execute(queries.SWEEP_SESSIONS, [now])
        await session.execute(queries.OPEN_SESSION, row)
        return opened

    async def find(self, token: str) -> ConsoleSession:
        """Return the whole login that a token belongs to, and keep it from going idle.

        Raises:
            BadSession: unknown, over, lacking its second factor, or the account is disabled.
        """
        found = await self.find_at(token, stages=(Stage.OPEN,))
        now = self._clock.now()
        longer = min(now + self._idle, found.created_at + self._absolute)
        if longer - found.expires_at >= _PROLONG_AFTER:
            async with self._database.write() as writing:
                await writing.execute(queries.PROLONG_SESSION, [longer, now, _digest(token)])
        return found

    async def find_at(self, token: str, *, stages: tuple[Stage, ...]) -> ConsoleSession:
        """Return a login that is at one of the stages.

        Raises:
            BadSession: unknown, over, at another stage, or the account is disabled.
        """
        async with self._database.read() as session:
            row = await session.one(queries.SESSION, [_digest(token)])
        if row is None:
            raise BadSession
        session_id, csrf_token, created_at, expires_at, stage = row[: queries.SESSION_COLUMNS]
        account = account_of(row[queries.SESSION_COLUMNS :])
        if expires_at <= self._clock.now() or not account.active or Stage(stage) not in stages:
            raise BadSession
        return ConsoleSession(session_id, account, csrf_token, created_at, expires_at, Stage(stage))

    async def listed(self, account_id: UUID) -> tuple[SessionLine, ...]:
        """Return an account's logins that are open, the last used first."""
        async with self._database.read() as session:
            rows = await session.all(queries.SESSIONS_OF, [account_id, self._clock.now()])
        return tuple(SessionLine(*row) for row in rows)

    async def close(self, token: str) -> bytes | None:
        """Log out; an unknown token is no error. Return the provider's wrapped token, if there is one."""
        async with self._database.write() as session:
            row = await session.one(queries.CLOSE_SESSION, [_digest(token)])
        return None if row is None or row[0] is None else bytes(row[0])

    async def end(self, session_id: UUID, *, account_id: UUID, actor: str) -> None:
        """End one login of an account.

        Raises:
            SessionNotFound: the account has no such login.
        """
        async with self._database.write() as session:
            if not await session.execute(queries.END_SESSION, [session_id, account_id]):
                raise SessionNotFound
            await self._record(session, actor, account_id)

    async def close_all(self, account_id: UUID, *, actor: str = "system", keep: UUID | None = None) -> None:
        """End every login of an account, or every one but `keep`."""
        async with self._database.write() as session:
            if keep is None:
                await session.execute(queries.CLOSE_SESSIONS_OF, [account_id])
            else:
                await session.execute(queries.CLOSE_OTHER_SESSIONS_OF, [account_id, keep])
            await self._record(session, actor, account_id)

    async def _note_way(self, session: WriteSession, account: Account, way: str) -> None:
        actor = account.principal.actor
        row = await session.one(queries.TAKE_FAILED_SIGN_INS, [account.id])
        details: dict[str, Detail] = {"with": way, "failed_before": row[0] if row else 0}
        await self._ledger.append(session, Entry(actor, "account.signed_in", actor, details))

    async def _record(self, session: WriteSession, actor: str, account_id: UUID) -> None:
        await self._ledger.append(
            session, Entry(actor, "account.sessions_ended", f"account:{account_id}", {})
        )


def _printable(agent: str | None) -> str | None:
    if not agent:
        return None
    return "".join(letter for letter in agent if letter.isprintable())[:_MOST_AGENT_LETTERS] or None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
