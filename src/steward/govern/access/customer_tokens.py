"""Customers' tokens: a JWT that proves which customer a visitor is (HS256, RFC 7519).

Signed either by this installation (the demo, a console preview) with a key that lies sealed in the
database, or by the company's own site with a secret that both know. `aud` is the assistant's name,
`sub` the customer's reference; `exp` and `iss` are required; other claims become the customer's values.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access import queries
from steward.govern.access.errors import BadCustomerToken, BadSharedSecret
from steward.govern.access.permissions import CUSTOMER_PERMISSIONS
from steward.govern.access.principal import CustomerClaims, Principal, PrincipalKind
from steward.govern.privacy.master_key import MasterKey

ISSUER = "steward"
_PURPOSE = "customer_token"
_LOCK = 0x7374_775F_6A77_7400
_ALGORITHM = "HS256"
_LEAST_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of the hash's size or larger."""
_MOST_TOKEN_LETTERS = 8_192
_LEEWAY_S = 30
"""How far two machines' clocks may be apart."""
_REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


class CustomerTokens:
    """Issues and verifies tokens of one assistant's customers."""

    def __init__(
        self, keys: Mapping[str, bytes], clock: Clock, *, assistant: str, shared_secret: bytes | None = None
    ) -> None:
        """Take the installation's keys by id, newest first; `load` reads them.

        Raises:
            BadSharedSecret: the secret is shorter than 32 bytes.
        """
        if shared_secret is not None and len(shared_secret) < _LEAST_SECRET_BYTES:
            raise BadSharedSecret(_LEAST_SECRET_BYTES)
        self._keys = dict(keys)
        self._clock = clock
        self._assistant = assistant
        self._shared_secret = shared_secret

    @classmethod
    async def load(
        cls,
        database: Database,
        master_key: MasterKey,
        clock: Clock,
        *,
        assistant: str,
        shared_secret: bytes | None = None,
    ) -> Self:
        """Read the installation's signing keys, making the first one when there is none.

        Raises:
            WrongMasterKey: the keys were sealed under another master key.
            BadSharedSecret: the secret is shorter than 32 bytes.
        """
        async with database.write() as session:
            await session.one(queries.LOCK_SIGNING_KEYS, [_LOCK])
            rows = await session.all(queries.SIGNING_KEYS, [_PURPOSE])
            if not rows:
                key_id = secrets.token_hex(4)
                sealed = master_key.wrap(secrets.token_bytes(_LEAST_SECRET_BYTES), _context(key_id))
                row = [key_id, _PURPOSE, sealed, clock.now()]
                await session.execute(queries.ADD_SIGNING_KEY, row)
                rows = [(key_id, sealed)]
        keys = {row[0]: master_key.unwrap(bytes(row[1]), _context(row[0])) for row in rows}
        return cls(keys, clock, assistant=assistant, shared_secret=shared_secret)

    def issue_demo(
        self, reference: str, values: Mapping[str, str], *, lifetime: timedelta = timedelta(hours=8)
    ) -> str:
        """Return a token signed by this installation: for the demo and for previews."""
        from joserfc import jwt

        key_id, secret = next(iter(self._keys.items()))
        now = int(self._clock.now().timestamp())
        claims: dict[str, Any] = {
            **values,
            "iss": ISSUER,
            "sub": reference,
            "aud": self._assistant,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        return jwt.encode(
            {"alg": _ALGORITHM, "kid": key_id}, claims, _octets(secret), algorithms=[_ALGORITHM]
        )

    def verify(self, token: str) -> CustomerClaims:
        """Return what a valid token says.

        Raises:
            BadCustomerToken: not signed by a key that is trusted here, expired, or for another assistant.
        """
        from joserfc import jws, jwt
        from joserfc.errors import ExpiredTokenError, JoseError

        if len(token) > _MOST_TOKEN_LETTERS or not token.isascii():
            raise BadCustomerToken("isn't a token")
        try:
            header = jws.extract_compact(token.encode()).headers()
            secret = self._secret_for(header.get("kid"))
            claims = jwt.decode(token, _octets(secret), algorithms=[_ALGORITHM]).claims
            self._registry().validate(claims)
        except ExpiredTokenError as error:
            raise BadCustomerToken("has expired") from error
        except (JoseError, ValueError) as error:
            raise BadCustomerToken("isn't valid for this assistant") from error
        if claims["iss"] == ISSUER and header.get("kid") not in self._keys:
            raise BadCustomerToken("names an issuer that didn't sign it")
        return _claims(claims)

    def principal(self, token: str) -> Principal:
        """Return the caller that a valid token is; raises as `verify` does."""
        claims = self.verify(token)
        return Principal(
            PrincipalKind.CUSTOMER, claims.reference, "customer", CUSTOMER_PERMISSIONS, customer=claims
        )

    def _secret_for(self, key_id: object) -> bytes:
        if isinstance(key_id, str) and key_id in self._keys:
            return self._keys[key_id]
        if self._shared_secret is None:
            raise BadCustomerToken("isn't signed by a key that this installation trusts")
        return self._shared_secret

    def _registry(self) -> Any:
        from joserfc.jwt import JWTClaimsRegistry

        return JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True},
            sub={"essential": True},
            exp={"essential": True},
            aud={"essential": True, "value": self._assistant},
        )


def _context(key_id: str) -> bytes:
    return f"signing_key:{key_id}".encode()


def _octets(secret: bytes) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(secret)


def _claims(claims: Mapping[str, Any]) -> CustomerClaims:
    values = {
        name: str(value)
        for name, value in claims.items()
        if name not in _REGISTERED and isinstance(value, (str, int)) and not isinstance(value, bool)
    }
    try:
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise BadCustomerToken("has an expiry that isn't a time") from error
    return CustomerClaims(claims["sub"], claims["iss"], expires_at, values)
