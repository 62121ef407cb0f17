"""The second factor: time-based codes (RFC 6238, SHA-1, six digits, 30 s) and recovery codes.

The secret lies wrapped by the master key, recovery codes as digests. A code is taken in its own step and
one either side, and never twice: the last step used is stored, and only later ones count.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.access import queries
from steward.govern.access.account import Account
from steward.govern.access.errors import BadCode, SecondFactorSet
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey

STEP_S = 30
RECOVERY_CODES = 10
_SECRET_BYTES = 20
"""RFC 4226, section 4: 160 bits are recommended."""
_DRIFT = (-1, 0, 1)
_CODE = re.compile(r"\d{6}")
_RECOVERY = re.compile("[a-z2-7]{16}")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor that waits for its first code. Shown here only."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: str = field(repr=False)
    """The address as a QR code: an SVG image as a data URI."""


class SecondFactors:
    """Sets up, checks and removes second factors; each change is in the ledger."""

    def __init__(self, database: Database, clock: Clock, *, master_key: MasterKey, issuer: str) -> None:
        """Take what authenticator apps call this installation."""
        self._database = database
        self._clock = clock
        self._master_key = master_key
        self._issuer = issuer
        self._ledger = Ledger(clock)

    async def begin(self, account: Account) -> Enrolment:
        """Make a secret for an account, which counts once `confirm` has seen a code of it.

        Raises:
            SecondFactorSet: the account has a second factor.
        """
        secret = secrets.token_bytes(_SECRET_BYTES)
        wrapped = self._master_key.wrap(secret, _context(account.id))
        async with self._database.write() as session:
            if not await session.execute(queries.SET_SECOND_FACTOR, [wrapped, account.id]):
                raise SecondFactorSet
        return self._enrolment(account, secret)

    async def begun(self, account: Account) -> Enrolment:
        """Return the enrolment that waits for its code, or begin one."""
        secret, confirmed, _ = await self._stored(account.id)
        if secret is None or confirmed:
            return await self.begin(account)
        return self._enrolment(account, secret)

    async def confirm(self, account: Account, code: str) -> tuple[str, ...]:
        """Switch the second factor on after its first code, and return recovery codes, shown here only.

        Raises:
            BadCode: the code isn't the secret's, or nothing waits for one.
        """
        secret, confirmed, _ = await self._stored(account.id)
        step = None if secret is None or confirmed else self._step_of(secret, code)
        if step is None:
            raise BadCode
        codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
        async with self._database.write() as session:
            if not await session.execute(
                queries.CONFIRM_SECOND_FACTOR, [self._clock.now(), step, account.id]
            ):
                raise BadCode
            await self._store_recovery(session, account.id, codes)
            await self._record(session, account.principal.actor, "second_factor.set_up", account.id)
        return codes

    async def check(self, account: Account, code: str) -> None:
        """Take a code of the authenticator, or a recovery code. No code is taken twice.

        Raises:
            BadCode: wrong, too old, too early or used.
        """
        plain = _plain(code)
        if _RECOVERY.fullmatch(plain):
            return await self._use_recovery(account, plain)
        secret, confirmed, _ = await self._stored(account.id)
        step = self._step_of(secret, code) if secret is not None and confirmed else None
        if step is None:
            raise BadCode
        async with self._database.write() as session:
            if not await session.execute(queries.USE_STEP, [step, account.id, step]):
                raise BadCode
        return None

    async def renew_recovery(self, account: Account) -> tuple[str, ...]:
        """Replace the recovery codes and return the new ones, shown here only."""
        codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
        async with self._database.write() as session:
            await self._store_recovery(session, account.id, codes)
            await self._record(session, account.principal.actor, "second_factor.codes_renewed", account.id)
        return codes

    async def recovery_left(self, account_id: UUID) -> int:
        """Return how many recovery codes haven't been used."""
        async with self._database.read() as session:
            row = await session.one(queries.UNUSED_RECOVERY_CODES, [account_id])
        return 0 if row is None else int(row[0])

    async def remove(self, account_id: UUID, *, actor: str) -> None:
        """Take the second factor and its recovery codes away."""
        async with self._database.write() as session:
            await session.execute(queries.CLEAR_SECOND_FACTOR, [account_id])
            await session.execute(queries.CLEAR_RECOVERY_CODES, [account_id])
            await self._record(session, actor, "second_factor.removed", account_id)

    async def _use_recovery(self, account: Account, code: str) -> None:
        row = [self._clock.now(), account.id, _digest(account.id, code)]
        async with self._database.write() as session:
            if not await session.execute(queries.USE_RECOVERY_CODE, row):
                raise BadCode
            await self._record(session, account.principal.actor, "second_factor.recovery_used", account.id)

    async def _stored(self, account_id: UUID) -> tuple[bytes | None, bool, int | None]:
        async with self._database.read() as session:
            row = await session.one(queries.SECOND_FACTOR, [account_id])
        if row is None or row[0] is None:
            return None, False, None
        return self._master_key.unwrap(bytes(row[0]), _context(account_id)), row[1] is not None, row[2]

    def _step_of(self, secret: bytes, code: str) -> int | None:
        """Return the step of time that a code belongs to, or None."""
        import pyotp

        given = "".join(code.split())
        if not _CODE.fullmatch(given):
            return None
        now = int(self._clock.now().timestamp()) // STEP_S
        generator = pyotp.TOTP(_base32(secret), interval=STEP_S)
        matching = [
            now + drift
            for drift in _DRIFT
            if hmac.compare_digest(generator.generate_otp(now + drift).encode(), given.encode())
        ]
        return max(matching, default=None)

    def _enrolment(self, account: Account, secret: bytes) -> Enrolment:
        import pyotp
        import segno

        text = _base32(secret)
        uri = pyotp.TOTP(text, interval=STEP_S).provisioning_uri(name=account.login, issuer_name=self._issuer)
        drawn = io.BytesIO()
        segno.make_qr(uri, error="m").save(
            drawn, kind="svg", scale=5, border=4, light="#ffffff", xmldecl=False
        )
        picture = f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
        return Enrolment(" ".join(re.findall(".{1,4}", text)), uri, picture)

    async def _store_recovery(self, session: WriteSession, account_id: UUID, codes: tuple[str, ...]) -> None:
        await session.execute(queries.CLEAR_RECOVERY_CODES, [account_id])
        digests = [_digest(account_id, _plain(code)) for code in codes]
        await session.execute(queries.ADD_RECOVERY_CODES, [account_id, digests])

    async def _record(
        self, session: WriteSession, actor: str, deed: str, account_id: UUID, **details: Detail
    ) -> None:
        await self._ledger.append(session, Entry(actor, deed, f"account:{account_id}", details))


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(re.findall(".{4}", text))


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()


def _digest(account_id: UUID, code: str) -> bytes:
    # 80 random bits: a plain digest is enough.
    return hashlib.sha256(account_id.bytes + code.encode()).digest()


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode()


def _context(account_id: UUID) -> bytes:
    return f"second_factor:{account_id}".encode()
