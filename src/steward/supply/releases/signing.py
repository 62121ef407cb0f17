"""The installation's release key: signs releases, and says whose signatures are trusted here.

Ed25519 (RFC 8032). The private part lies sealed by the master key in the database and is made at its
first use; the public part is for others to trust. A key's id is the beginning of its SHA-256.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.digests import sha256_hex
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey
from steward.supply.releases import trust_queries as queries
from steward.supply.releases.errors import BadKey, BadKeyName, KeyNameTaken, NoSuchKey

PURPOSE: Final = "release"
PREFIX: Final = "ed25519:"
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_KEY_ID_DIGITS: Final = 16
_LOCK: Final = 0x7374_775F_726B_6579
_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_MOST_NAME: Final = 60
_RELEASE: Final = b"steward release\x00"
"""Begins what is signed, so that a signature of one kind of thing is never one of another."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One key's signature of something."""

    public_key: bytes
    signature: bytes

    @property
    def key_id(self) -> str:
        """The id of the key that signed."""
        return key_id_of(self.public_key)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key of another installation whose releases may come in."""

    key_id: str
    name: str
    public_key: bytes
    added_at: datetime
    added_by: str


class Signing:
    """Signs with the installation's release key and keeps the keys that it trusts."""

    def __init__(self, database: Database, *, master_key: MasterKey, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._master_key = master_key
        self._clock = clock
        self._ledger = ledger
        self._secret: bytes | None = None

    # ---------------------------------------------------------------- the own key

    async def public_key(self) -> bytes:
        """Return the installation's public key, 32 bytes; the key is made where there is none.

        Raises:
            WrongMasterKey: it was sealed under another master key.
        """
        return public_of(await self._key())

    async def sign(self, message: bytes) -> Signature:
        """Sign a message with the installation's key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        secret = await self._key()
        return Signature(public_of(secret), Ed25519PrivateKey.from_private_bytes(secret).sign(message))

    async def sign_unsigned(self) -> int:
        """Sign the releases that nobody has signed, and return how many they were."""
        async with self._database.read() as session:
            rows = await session.all(queries.UNSIGNED)
        signed = [(row[0], await self.sign(release_message(row[0]))) for row in rows]
        if signed:
            async with self._database.write() as session:
                for release_id, signature in signed:
                    await keep_signatures(session, release_id, (signature,), at=self._clock.now())
                subject = f"key:{signed[0][1].key_id}"
                await self._ledger.append(
                    session, Entry("system", "release.signed", subject, {"releases": len(signed)})
                )
        return len(signed)

    async def signatures(self, session: ReadSession, release_id: str) -> tuple[Signature, ...]:
        """Return a release's signatures."""
        rows = await session.all(queries.SIGNATURES, {"release_id": release_id})
        return tuple(Signature(bytes(row[0]), bytes(row[1])) for row in rows)

    async def _key(self) -> bytes:
        if self._secret is None:
            async with self._database.write() as session:
                await session.one(queries.LOCK_KEY, {"lock": _LOCK})
                row = await session.one(queries.OWN_KEY, {"purpose": PURPOSE})
                if row is None:
                    row = await self._make(session)
            self._secret = self._master_key.unwrap(bytes(row[1]), _context(row[0]))
        return self._secret

    async def _make(self, session: WriteSession) -> tuple[str, bytes]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        key_id = key_id_of(public_of(secret))
        sealed = self._master_key.wrap(secret, _context(key_id))
        parameters = {"id": key_id, "purpose": PURPOSE, "sealed": sealed, "at": self._clock.now()}
        await session.execute(queries.ADD_OWN_KEY, parameters)
        entry = Entry("system", "release_key.made", f"key:{key_id}", {"public": key_text(public_of(secret))})
        await self._ledger.append(session, entry)
        return key_id, sealed

    # ---------------------------------------------------------------- trust

    async def trust(self, name: str, public_key: str, *, actor: str) -> TrustedKey:
        """Let releases come in that another installation's key signed.

        Args:
            name: what people call that installation: small letters, digits, and `-`, `_` or `.` between.
            public_key: what `steward release key` prints there.
            actor: who decides it, as the ledger writes it.

        Raises:
            BadKey: the text isn't a public key.
            BadKeyName: the name doesn't have its form.
            KeyNameTaken: another key has the name.
        """
        key = read_key(public_key)
        if not _NAME.fullmatch(name) or len(name) > _MOST_NAME:
            raise BadKeyName(name)
        key_id = key_id_of(key)
        at = self._clock.now()
        values = {"key_id": key_id, "name": name, "public_key": key, "at": at, "by": actor}
        async with self._database.write() as session:
            await session.one(queries.LOCK_KEY, {"lock": _LOCK})
            for trusted in _trusted(await session.all(queries.TRUSTED)):
                if trusted.name == name and trusted.key_id != key_id:
                    raise KeyNameTaken(name, trusted.key_id)
                if trusted.name == name:
                    return trusted
            await session.execute(queries.TRUST, values)
            await self._ledger.append(
                session, Entry(actor, "release_key.trusted", f"key:{key_id}", {"name": name})
            )
        return TrustedKey(key_id, name, key, at, actor)

    async def distrust(self, name: str, *, actor: str) -> None:
        """Let no more releases come in that a key signed; those that have come stay.

        Raises:
            NoSuchKey: no trusted key has this name.
        """
        async with self._database.write() as session:
            row = await session.one(queries.DISTRUST, {"name": name})
            if row is None:
                raise NoSuchKey(name)
            entry = Entry(actor, "release_key.distrusted", f"key:{row[0]}", {"name": name})
            await self._ledger.append(session, entry)

    async def trusted(self) -> tuple[TrustedKey, ...]:
        """List the trusted keys of other installations by name."""
        async with self._database.read() as session:
            return _trusted(await session.all(queries.TRUSTED))

    async def name_of(self, public_key: bytes) -> str | None:
        """Return whose key this is, "this installation" for the own one, or None where nobody trusts it."""
        if public_key == await self.public_key():
            return "this installation"
        names = (trusted.name for trusted in await self.trusted() if trusted.public_key == public_key)
        return next(names, None)


async def keep_signatures(
    session: WriteSession, release_id: str, signatures: Sequence[Signature], *, at: datetime
) -> None:
    """Store a release's signatures in the caller's transaction; those that are there already stay."""
    for signature in signatures:
        await session.execute(
            queries.ADD_SIGNATURE,
            {
                "release_id": release_id,
                "key_id": signature.key_id,
                "public_key": signature.public_key,
                "signature": signature.signature,
                "at": at,
            },
        )


def release_message(release_id: str) -> bytes:
    """Return what a release's signature signs."""
    return _RELEASE + release_id.encode()


def is_signed(signature: Signature, message: bytes) -> bool:
    """Tell whether a signature is of this message by its key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_of(secret: bytes) -> bytes:
    """Return the public part of a private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def key_id_of(public_key: bytes) -> str:
    """Return the short name of a key, 16 hex digits."""
    return sha256_hex(public_key)[:_KEY_ID_DIGITS]


def key_text(public_key: bytes) -> str:
    """Return a public key as people copy it."""
    return PREFIX + base64.b64encode(public_key).decode()


def read_key(text: str) -> bytes:
    """Read what `key_text` wrote.

    Raises:
        BadKey: the text isn't a public key.
    """
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadKey(PREFIX) from None
    if not text.strip().startswith(PREFIX) or len(key) != KEY_BYTES:
        raise BadKey(PREFIX)
    return key


def _context(key_id: str) -> bytes:
    return f"signing_key:{key_id}".encode()


def _trusted(rows: Sequence[tuple[str, str, bytes, datetime, str]]) -> tuple[TrustedKey, ...]:
    return tuple(TrustedKey(row[0], row[1], bytes(row[2]), row[3], row[4]) for row in rows)
