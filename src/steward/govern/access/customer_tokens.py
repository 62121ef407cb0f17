"""Customers' tokens: a JWT that proves which customer a visitor is (RFC 7519).

Signed by this installation (the demo, a console preview) with a key that lies sealed in the database
(HS256), or by the company's own site: with a secret that both know (HS256), or with a private key whose
public half is configured or published (RS, PS, ES, Ed25519). `aud` is the assistant's name, `sub` the
customer's reference; `exp` and `iss` are required; other claims become the customer's values.

The key decides the algorithm, never the token: what a public key verifies can't be signed with that key's
text as a secret. A token with the claim `once` and a `jti` starts one conversation, then no other.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access import queries
from steward.govern.access.errors import BadCustomerToken, BadSharedSecret
from steward.govern.access.permissions import CUSTOMER_PERMISSIONS
from steward.govern.access.principal import CustomerClaims, Principal, PrincipalKind
from steward.govern.access.verifying_keys import VerifyingKeys
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
_MOST_NAME_LETTERS = 200
_REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "once"})
_SEVERAL_USES = timedelta(hours=2)
"""How long the token lasts that a caller gets in exchange for one that may be used once."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens count.

    Attributes:
        shared_secret: what the company's site signs with, HS256; None where it doesn't.
        keys: where public keys are found, in the order in which they are asked.
        issuers: who may be named as issuer; none for anybody who has a trusted key.
        longest: how long a token may last at most.
    """

    shared_secret: bytes | None = None
    keys: Sequence[VerifyingKeys] = ()
    issuers: frozenset[str] = frozenset()
    longest: timedelta = timedelta(hours=24)


class CustomerTokens:
    """Issues and verifies tokens of one assistant's customers."""

    def __init__(
        self,
        keys: Mapping[str, bytes],
        clock: Clock,
        *,
        assistant: str,
        trust: Trust = Trust(),
        database: Database | None = None,
    ) -> None:
        """Take the installation's keys by id, newest first; `load` reads them.

        Raises:
            BadSharedSecret: the secret is shorter than 32 bytes.
        """
        if trust.shared_secret is not None and len(trust.shared_secret) < _LEAST_SECRET_BYTES:
            raise BadSharedSecret(_LEAST_SECRET_BYTES)
        self._keys = dict(keys)
        self._clock = clock
        self._assistant = assistant
        self._trust = trust
        self._database = database

    @classmethod
    async def load(
        cls,
        database: Database,
        master_key: MasterKey,
        clock: Clock,
        *,
        assistant: str,
        trust: Trust = Trust(),
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
        return cls(keys, clock, assistant=assistant, trust=trust, database=database)

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

    async def verify(self, token: str) -> CustomerClaims:
        """Return what a valid token says.

        Raises:
            BadCustomerToken: not signed by a key that is trusted here, expired, too long-lived, or for
                another assistant.
            ProviderUnreachable: the address that publishes the keys doesn't answer.
        """
        from joserfc import jws, jwt
        from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError

        if len(token) > _MOST_TOKEN_LETTERS or not token.isascii():
            raise BadCustomerToken("isn't a token")
        try:
            header = jws.extract_compact(token.encode()).headers()
            key, algorithm = await self._key_for(header)
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
            self._registry().validate(claims)
        except ExpiredTokenError as error:
            raise BadCustomerToken("has expired") from error
        except InvalidClaimError as error:
            early = error.claim in {"nbf", "iat"}
            problem = "isn't valid yet" if early else "isn't valid for this assistant"
            raise BadCustomerToken(problem) from error
        except (JoseError, ValueError, TypeError) as error:
            raise BadCustomerToken("isn't valid for this assistant") from error
        said = _claims(claims)
        self._check(claims, said, own=header.get("kid") in self._keys)
        return said

    async def principal(self, token: str) -> Principal:
        """Return the caller that a valid token is; raises as `verify` does.

        Raises:
            BadCustomerToken: besides, for a token that may be used once: it proves nothing twice.
        """
        claims = await self.verify(token)
        if claims.once is not None:
            raise BadCustomerToken("may start one conversation only; go on with the token of that answer")
        return Principal(
            PrincipalKind.CUSTOMER, claims.reference, "customer", CUSTOMER_PERMISSIONS, customer=claims
        )

    async def redeem(self, claims: CustomerClaims) -> str | None:
        """Use up a token that may be used once, and return one that lasts for the conversation.

        Returns:
            The token to go on with; None where the verified one may be used again.

        Raises:
            BadCustomerToken: it has been used.
        """
        if claims.once is None:
            return None
        if self._database is None:
            raise AssertionError("tokens that may be used once need the store")
        digest = hashlib.sha256(f"{claims.issuer}\0{claims.once}".encode()).digest()
        gone = claims.expires_at + timedelta(seconds=2 * _LEEWAY_S)
        async with self._database.write() as session:
            await session.execute(queries.SWEEP_TAKEN, [self._clock.now()])
            if not await session.execute(queries.TAKE_ONCE, [digest, gone]):
                raise BadCustomerToken("has been used already")
        return self.issue_demo(claims.reference, claims.values, lifetime=_SEVERAL_USES)

    async def _key_for(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the one key that may have signed, and the algorithm that this key is for."""
        key_id, algorithm = header.get("kid"), header.get("alg")
        if key_id is not None and not isinstance(key_id, str):
            raise BadCustomerToken("names its key by something other than text")
        if key_id in self._keys:
            return _octets(self._keys[key_id]), _ALGORITHM
        if algorithm == _ALGORITHM:
            if self._trust.shared_secret is None:
                raise BadCustomerToken("isn't signed by a key that this installation trusts")
            return _octets(self._trust.shared_secret), _ALGORITHM
        if isinstance(algorithm, str):
            for keys in self._trust.keys:
                found = await keys.find(key_id, algorithm)
                if found is not None:
                    return found, algorithm
        raise BadCustomerToken("isn't signed by a key that this installation trusts")

    def _check(self, claims: Mapping[str, Any], said: CustomerClaims, *, own: bool) -> None:
        """Refuse what the claims' own rules don't see: issuers, and how long a token lasts."""
        if (said.issuer == ISSUER) is not own:
            raise BadCustomerToken("names an issuer that didn't sign it")
        if not own and self._trust.issuers and said.issuer not in self._trust.issuers:
            raise BadCustomerToken("names an issuer that isn't trusted here")
        begun = self._clock.now() + timedelta(seconds=_LEEWAY_S)
        if "iat" in claims:
            begun = min(begun, _moment(claims["iat"]))
        if said.expires_at - begun > self._trust.longest:
            hours = self._trust.longest.total_seconds() / 3600
            raise BadCustomerToken(f"lasts longer than the {hours:g} h that are allowed here")
        if "once" in claims and (claims["once"] is not True or said.once is None):
            raise BadCustomerToken("may be used once, but has no jti by which to know it again")

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
    once = claims.get("jti") if claims.get("once") is True else None
    return CustomerClaims(
        reference=claims["sub"],
        issuer=claims["iss"],
        expires_at=_moment(claims["exp"]),
        values=values,
        once=once if _is_name(once) else None,
    )


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise BadCustomerToken("has an expiry that isn't a time") from error


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MOST_NAME_LETTERS
