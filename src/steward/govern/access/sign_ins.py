"""Signing in with an identity provider: there and back, and the account that belongs to the person.

What leaves with the browser is a state that only its digest is kept of, bound to that browser by a second
secret in a cookie; it is taken out when it comes back, so nothing works twice. An account is made at the
first sign-in, follows the mapping at each, and is disabled as soon as no group gives it a role.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.access import queries
from steward.govern.access.account import Account, account_of
from steward.govern.access.errors import BadSignIn, NoRole, ProviderUnreachable
from steward.govern.access.identity_provider import IdentityProvider
from steward.govern.access.role_mapping import Assignment, RoleMapping
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey

UNDER_WAY = timedelta(minutes=10)
"""How long a person may take at the provider."""
_MOST_LETTERS = 120


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where a browser is sent, and the secret for its cookie."""

    url: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came back, where to, and the provider's token, wrapped."""

    account: Account
    next: str
    id_token: bytes = field(repr=False)
    login: str | None = field(repr=False)
    """What the provider calls its login (`sid`), where it does."""


class SignIns:
    """Sends people to the provider and makes accounts of those who return."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        provider: IdentityProvider,
        mapping: RoleMapping,
        master_key: MasterKey,
        title: str,
    ) -> None:
        """Take what the sign-in page calls the provider."""
        self.title = title
        self._database = database
        self._clock = clock
        self._provider = provider
        self._mapping = mapping
        self._master_key = master_key
        self._ledger = Ledger(clock)

    async def begin(self, *, next_path: str) -> Leaving:
        """Return where to send a browser that wants to sign in.

        Raises:
            ProviderUnreachable: the provider doesn't answer.
        """
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        url = await self._provider.authorization_url(state=state, nonce=nonce, verifier=verifier)
        now = self._clock.now()
        row = [_digest(state), _digest(browser), nonce, verifier, next_path, now + UNDER_WAY]
        async with self._database.write() as session:
            await session.execute(queries.SWEEP_SIGN_INS, [now])
            await session.execute(queries.BEGIN_SIGN_IN, row)
        return Leaving(url, browser)

    async def complete(self, answer: Mapping[str, str], *, browser: str | None) -> SignedIn:
        """Return the account of a person whom the provider sent back.

        Args:
            answer: the query of the provider's redirect.
            browser: the cookie that `begin` asked for.

        Raises:
            BadSignIn: the answer is unknown, used, late, from another browser, or its token is wrong.
            NoRole: the mapping gives the person no role; an account that was there is disabled.
            ProviderUnreachable: the provider doesn't answer.
        """
        async with self._database.write() as session:
            row = await session.one(queries.TAKE_SIGN_IN, [_digest(answer.get("state", ""))])
        if row is None:
            raise BadSignIn("it is unknown here or has been used already")
        browser_digest, nonce, verifier, next_path, expires_at = row
        if browser is None or not hmac.compare_digest(bytes(browser_digest), _digest(browser)):
            raise BadSignIn("it was begun in another browser")
        if expires_at <= self._clock.now():
            raise BadSignIn("it took too long")
        if "error" in answer or not answer.get("code"):
            raise BadSignIn("the provider let nobody in")
        identity = await self._provider.redeem(
            answer["code"], verifier=verifier, nonce=nonce, issuer=answer.get("iss")
        )
        assigned = self._mapping.assign(identity.claims)
        if assigned is None:
            await self._shut_out(identity.subject)
            raise NoRole
        account = await self._admit(identity.subject, identity.claims, assigned)
        wrapped = self._master_key.wrap(identity.id_token.encode(), _CONTEXT)
        login = identity.claims.get("sid")
        return SignedIn(account, next_path, wrapped, login if isinstance(login, str) else None)

    async def end_logins(self, logout_token: str) -> int:
        """End the logins that the provider says are over, and return how many those were.

        Raises:
            BadSignIn: the token isn't the provider's, isn't a logout token, or has been used.
            ProviderUnreachable: the provider's keys can't be read.
        """
        told = await self._provider.read_logout_token(logout_token)
        used = _digest(f"{self._provider.issuer}\0logout\0{told.token_id}")
        parameters = {
            "issuer": self._provider.issuer,
            "subject": told.subject,
            "login": None if told.login is None else login_digest(told.login),
        }
        async with self._database.write() as session:
            await session.execute(queries.SWEEP_TAKEN, [self._clock.now()])
            if not await session.execute(queries.TAKE_ONCE, [used, told.gone_at]):
                raise BadSignIn("the token has been used")
            ended = Counter(row[0] for row in await session.all(queries.END_PROVIDER_LOGINS, parameters))
            for account_id, logins in sorted(ended.items()):
                details: dict[str, Detail] = {"by": "identity_provider", "logins": logins}
                await self._record(session, "account.sessions_ended", account_id, details)
        return ended.total()

    async def goodbye(self, id_token: bytes | None, *, back_to: str) -> str | None:
        """Return where a browser ends its login at the provider, None where that can't be."""
        told = None if id_token is None else self._master_key.unwrap(id_token, _CONTEXT).decode()
        try:
            return await self._provider.end_session_url(told, back_to=back_to)
        except ProviderUnreachable:
            return None

    async def _shut_out(self, subject: str) -> None:
        async with self._database.write() as session:
            row = await session.one(queries.ACCOUNT_OF_PERSON, [self._provider.issuer, subject])
            if row is None or not account_of(row).active:
                return
            await session.execute(queries.SET_STATE, ["disabled", "no_role", row[0]])
            await session.execute(queries.CLOSE_SESSIONS_OF, [row[0]])
            await self._record(session, "account.disabled", row[0], {"because": "no_role"})

    async def _admit(self, subject: str, claims: Mapping[str, Any], assigned: Assignment) -> Account:
        issuer = self._provider.issuer
        async with self._database.write() as session:
            row = await session.one(queries.ACCOUNT_OF_PERSON, [issuer, subject])
            if row is None:
                await self._create(session, subject, claims, assigned)
            else:
                await self._follow(session, account_of(row), claims, assigned)
            row = await session.one(queries.ACCOUNT_OF_PERSON, [issuer, subject])
            assert row is not None
            account = account_of(row)
            if not account.active:
                await session.one(queries.COUNT_FAILED_SIGN_IN, [account.login])
        if not account.active:
            raise BadSignIn("an admin has disabled your account")
        return account

    async def _create(
        self, session: WriteSession, subject: str, claims: Mapping[str, Any], assigned: Assignment
    ) -> None:
        """Make the account. A login that somebody has already is left to them: accounts are never joined."""
        account_id = new_id(self._clock)
        login = await self._free_login(session, subject, claims)
        values = [account_id, login, _name(claims, login), assigned.role.value, self._clock.now()]
        created = await session.execute(queries.CREATE_PERSON, [*values, self._provider.issuer, subject])
        if not created:
            raise BadSignIn("two of your sign-ins came at once")
        details: dict[str, Detail] = {"role": assigned.role.value, "by": "identity_provider"}
        await self._record(session, "account.created", account_id, details)
        await self._set_scope(session, account_id, None, assigned)

    async def _follow(
        self, session: WriteSession, account: Account, claims: Mapping[str, Any], assigned: Assignment
    ) -> None:
        """Bring an account in line with what the provider says now."""
        if account.role is not assigned.role:
            await session.execute(queries.SET_ROLE, [assigned.role.value, account.id])
            await self._record(session, "account.role_changed", account.id, {"role": assigned.role.value})
        await self._set_scope(session, account.id, account.categories, assigned)
        name = _name(claims, account.name)
        if name != account.name:
            await session.execute(queries.SET_NAME, [name, account.id])
        if account.disabled_because == "no_role":
            await session.execute(queries.SET_STATE, ["active", None, account.id])
            await self._record(session, "account.enabled", account.id, {"because": "role_given"})

    async def _set_scope(
        self,
        session: WriteSession,
        account_id: UUID,
        present: frozenset[str] | None,
        assigned: Assignment,
    ) -> None:
        if assigned.categories == present:
            return
        chosen = sorted(assigned.categories or ())
        await session.execute(queries.CLEAR_SCOPE, [account_id])
        if chosen:
            await session.execute(queries.ADD_SCOPE, [account_id, chosen])
        details: dict[str, Detail] = {"categories": " ".join(chosen) or "all"}
        await self._record(session, "account.scope_changed", account_id, details)

    async def _free_login(self, session: WriteSession, subject: str, claims: Mapping[str, Any]) -> str:
        host = urlsplit(self._provider.issuer).hostname or "provider"
        wished = _text(claims.get("preferred_username")) or _text(claims.get("email")) or subject
        for login in (wished, f"{wished}@{host}", f"{subject}@{host}"):
            plain = "".join(letter for letter in login.casefold() if letter.isprintable())[:_MOST_LETTERS]
            if plain and await session.one(queries.LOGIN_TAKEN, [plain]) is None:
                return plain
        return f"{host}:{secrets.token_hex(8)}"

    async def _record(
        self, session: WriteSession, deed: str, account_id: UUID, details: dict[str, Detail]
    ) -> None:
        await self._ledger.append(session, Entry("system", deed, f"account:{account_id}", details))


def login_digest(login: str) -> bytes:
    """Return what is kept of a provider's name for its login."""
    return _digest(f"sid\0{login}")


_CONTEXT = b"console_session:id_token"


def _name(claims: Mapping[str, Any], otherwise: str) -> str:
    return _text(claims.get("name")) or _text(claims.get("preferred_username")) or otherwise


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(letter for letter in value.strip() if letter.isprintable())[:_MOST_LETTERS]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()
