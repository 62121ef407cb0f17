"""API keys: `stw_pub_…` for a widget in a page, `stw_sec_…` for a server, with scopes.

A key is 32 random bytes, so a plain SHA-256 is enough to store. Looking a key up costs no SQL while
a copy of its row is younger than ten seconds; a revocation holds at once in the process that made it
and within ten seconds in others. The day on which a key was last used is noted once a day.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.access import queries
from steward.govern.access.errors import (
    BadKey,
    BadOrigin,
    BadScopes,
    KeyEnded,
    KeyNotFound,
    WrongOrigin,
)
from steward.govern.access.permissions import PUBLIC_KEY_PERMISSIONS, SCOPES, Permission
from steward.govern.access.principal import Principal, PrincipalKind
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger

_STALE_AFTER = timedelta(seconds=10)
_GRACE = timedelta(days=1)
"""How long a rotated key goes on working beside its successor, by default."""
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")
_FORM = re.compile(r"stw_(?:pub|sec)_[A-Za-z0-9_-]{43}")


class KeyKind(StrEnum):
    """Who may see a key."""

    PUBLIC = "public"
    """Everybody: it stands in a web page."""
    SECRET = "secret"  # noqa: S105 # the name of a kind
    """Servers only."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: everything but the key itself. `hint` is enough to recognise it by."""

    id: UUID
    name: str
    kind: KeyKind
    hint: str
    scopes: frozenset[Permission]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    origins: tuple[str, ...] = ()
    """Sites whose pages may use a public key; none for any site that the installation allows."""
    last_used_on: date | None = None
    replaces: UUID | None = None

    def check_origin(self, origin: str | None) -> None:
        """Refuse a page of another site. Programs send no origin; a browser always does across sites.

        Raises:
            WrongOrigin: the key is for other sites.
        """
        if self.origins and origin is not None and origin not in self.origins:
            raise WrongOrigin

    @property
    def principal(self) -> Principal:
        """The caller that this key is."""
        kind = PrincipalKind.PUBLIC if self.kind is KeyKind.PUBLIC else PrincipalKind.KEY
        return Principal(kind, str(self.id), self.name, self.scopes)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A fresh key. The token is shown here only."""

    token: str = field(repr=False)
    key: ApiKey


class ApiKeys:
    """Issues, finds and revokes keys; issuing and revoking are in the ledger."""

    def __init__(self, database: Database, clock: Clock, *, remembered: int = 1_000) -> None:
        """Take how many keys' rows are remembered."""
        self._database = database
        self._clock = clock
        self._ledger = Ledger(clock)
        self._remembered = remembered
        self._rows: OrderedDict[bytes, tuple[ApiKey, datetime]] = OrderedDict()

    async def issue(
        self,
        *,
        name: str,
        kind: KeyKind,
        actor: str,
        scopes: Collection[Permission] = PUBLIC_KEY_PERMISSIONS,
        created_by: UUID | None = None,
        expires_at: datetime | None = None,
        origins: Collection[str] = (),
    ) -> IssuedKey:
        """Make a key.

        Args:
            name: what people call it.
            kind: public or secret.
            actor: who makes it, as the ledger names callers.
            scopes: what it may; a public key's are a part of PUBLIC_KEY_PERMISSIONS.
            created_by: the account behind it, if any.
            expires_at: when it stops working; None for never.
            origins: sites whose pages may use a public key; none for all that the installation allows.

        Raises:
            BadScopes: none, or more than a key of this kind may have.
            BadOrigin: something isn't the origin of a site, or the key is secret.
        """
        allowed = PUBLIC_KEY_PERMISSIONS if kind is KeyKind.PUBLIC else SCOPES
        asked = frozenset(scopes)
        if not asked or asked - allowed:
            raise BadScopes(asked - allowed)
        key = ApiKey(
            id=new_id(self._clock),
            name=name,
            kind=kind,
            hint="",
            scopes=asked,
            created_by=created_by,
            created_at=self._clock.now(),
            expires_at=expires_at,
            revoked_at=None,
            origins=_checked_origins(kind, origins),
        )
        async with self._database.write() as session:
            return await self._store(session, key, actor=actor, deed="key.issued")

    async def rotate(
        self, key_id: UUID, *, actor: str, created_by: UUID | None = None, grace: timedelta = _GRACE
    ) -> IssuedKey:
        """Make a successor that may the same, and let the old key end after `grace`.

        Raises:
            KeyNotFound: there is none.
            KeyEnded: it has been revoked or has expired.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            row = await session.one(queries.KEY, [key_id])
            if row is None:
                raise KeyNotFound(key_id)
            old = _key(row)
            if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
                raise KeyEnded
            fresh = replace(
                old,
                id=new_id(self._clock),
                created_by=created_by,
                created_at=now,
                expires_at=None if old.expires_at is None else now + (old.expires_at - old.created_at),
                replaces=old.id,
                last_used_on=None,
            )
            issued = await self._store(session, fresh, actor=actor, deed="key.rotated")
            ended = await session.one(queries.END_KEY_AT, [now + grace, key_id])
        if ended is not None:
            self._rows.pop(bytes(ended[0]), None)
        return issued

    async def _store(self, session: WriteSession, key: ApiKey, *, actor: str, deed: str) -> IssuedKey:
        prefix = "stw_pub_" if key.kind is KeyKind.PUBLIC else "stw_sec_"
        token = prefix + secrets.token_urlsafe(32)
        key = replace(key, hint=f"{prefix}…{token[-4:]}")
        written = sorted(scope.value for scope in key.scopes)
        row = [
            key.id,
            key.name,
            key.kind.value,
            _digest(token),
            key.hint,
            written,
            key.created_by,
            key.created_at,
            key.expires_at,
            list(key.origins),
            key.replaces,
        ]
        await session.execute(queries.ISSUE_KEY, row)
        details: dict[str, Detail] = {"kind": key.kind.value, "scopes": " ".join(written)}
        if key.origins:
            details["origins"] = " ".join(key.origins)
        if key.expires_at is not None:
            details["expires_at"] = key.expires_at.isoformat()
        if key.replaces is not None:
            details["replaces"] = str(key.replaces)
        await self._ledger.append(session, Entry(actor, deed, f"key:{key.id}", details))
        return IssuedKey(token, key)

    async def find(self, token: str) -> ApiKey:
        """Return the key that a token is.

        Raises:
            BadKey: unknown, revoked or expired.
        """
        if not _FORM.fullmatch(token):
            raise BadKey("isn't one of this installation's")
        key = await self._row(_digest(token))
        if key is None:
            raise BadKey("isn't one of this installation's")
        if key.revoked_at is not None:
            raise BadKey("was revoked")
        if key.expires_at is not None and key.expires_at <= self._clock.now():
            raise BadKey("has expired")
        return key

    async def revoke(self, key_id: UUID, *, actor: str) -> None:
        """Make a key useless; revoking it again changes nothing.

        Raises:
            KeyNotFound: there is none.
        """
        async with self._database.write() as session:
            row = await session.one(queries.REVOKE_KEY, [self._clock.now(), key_id])
            if row is None:
                if await session.one(queries.KEY_EXISTS, [key_id]) is None:
                    raise KeyNotFound(key_id)
                return
            await self._ledger.append(session, Entry(actor, "key.revoked", f"key:{key_id}", {}))
        self._rows.pop(bytes(row[0]), None)

    async def listed(self) -> tuple[ApiKey, ...]:
        """Return all keys, newest first, revoked ones too."""
        async with self._database.read() as session:
            return tuple(_key(row) for row in await session.all(queries.KEYS))

    async def _row(self, digest: bytes) -> ApiKey | None:
        now = self._clock.now()
        held = self._rows.get(digest)
        if held is not None and now - held[1] < _STALE_AFTER:
            self._rows.move_to_end(digest)
            return held[0]
        async with self._database.read() as session:
            row = await session.one(queries.KEY_BY_DIGEST, [digest])
        if row is None:
            # Unknown keys aren't remembered: inventing them must not push real ones out.
            self._rows.pop(digest, None)
            return None
        key = await self._noted(_key(row))
        self._rows[digest] = (key, now)
        self._rows.move_to_end(digest)
        if len(self._rows) > self._remembered:
            self._rows.popitem(last=False)
        return key

    async def _noted(self, key: ApiKey) -> ApiKey:
        """Note that a key is used today; coarse on purpose, for nobody needs to know the minute."""
        today = self._clock.now().date()
        if key.revoked_at is not None or (key.last_used_on is not None and key.last_used_on >= today):
            return key
        async with self._database.write() as session:
            await session.execute(queries.NOTE_KEY_USE, [today, key.id, today])
        return replace(key, last_used_on=today)


def _checked_origins(kind: KeyKind, origins: Collection[str]) -> tuple[str, ...]:
    chosen = sorted({origin.strip().rstrip("/").lower() for origin in origins})
    for origin in chosen:
        if kind is KeyKind.SECRET or not _ORIGIN.fullmatch(origin):
            raise BadOrigin(origin)
    return tuple(chosen)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _key(row: tuple[Any, ...]) -> ApiKey:
    key_id, name, kind, hint, scopes, created_by, created_at, expires_at, revoked_at = row[:9]
    return ApiKey(
        id=key_id,
        name=name,
        kind=KeyKind(kind),
        hint=hint,
        scopes=frozenset(Permission(scope) for scope in scopes),
        created_by=created_by,
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
        origins=tuple(row[9]),
        last_used_on=row[10],
        replaces=row[11],
    )
