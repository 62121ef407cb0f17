"""Public keys that verify other people's tokens: given ones, or a set that its owner publishes (RFC 7517).

Only asymmetric algorithms are taken, and only with the kind of key that they are for: a public key can
never serve as the secret of an HMAC, and "none" is no algorithm here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from steward.base.clock import Clock
from steward.govern.access.errors import BadProvider, BadVerifyingKey, ProviderUnreachable

ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("Ed25519",),
}
"""What each kind of key may verify."""
_LEAST_RSA_BITS = 2048
"""RFC 7518, section 3.3."""
_FRESH = timedelta(hours=1)
_AT_MOST_EVERY = timedelta(seconds=10)
"""How often an unknown key id makes the set be read again: invented ids must not turn into traffic."""
_MOST_STALE = timedelta(hours=12)
"""How long what was read last goes on counting while the address doesn't answer: as long as a login lasts."""
_MOST_BYTES = 256 * 1024
_TIMEOUT_S = 5.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class VerifyingKeys(Protocol):
    """Finds the key that a token names."""

    async def find(self, key_id: str | None, algorithm: str) -> Any | None:
        """Return the key (joserfc) with this id that is for this algorithm, or None."""
        ...


class GivenKeys:
    """Keys that stand in the settings, by id."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """Take public keys in PEM by id.

        Raises:
            BadVerifyingKey: one isn't.
        """
        self._keys = {key_id: _from_pem(key_id, text) for key_id, text in keys.items()}

    async def find(self, key_id: str | None, algorithm: str) -> Any | None:
        """Return the key with this id; a token without an id fits where there is only one."""
        return chosen(self._keys, key_id, algorithm)


class PublishedKeys:
    """A set of keys at an address, read when needed and again when a token names a key it lacks."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Take the set's address.

        Raises:
            BadProvider: it's neither https nor on this machine.
        """
        self._url = checked_url(url)
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._nameless: list[Any] = []
        self._read_at: datetime | None = None
        self._failed: tuple[datetime, ProviderUnreachable] | None = None
        self._reading = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> Any | None:
        """Return the key with this id, after a look at the set as it is now where it isn't known.

        Raises:
            ProviderUnreachable: the set can't be read, and what was read before is too old.
        """
        await self._refresh(_FRESH)
        found = self._chosen(key_id, algorithm)
        if found is None:
            await self._refresh(_AT_MOST_EVERY)
            found = self._chosen(key_id, algorithm)
        return found

    def _chosen(self, key_id: str | None, algorithm: str) -> Any | None:
        named = chosen(self._keys, key_id, algorithm)
        if named is None and key_id is None and not self._keys and len(self._nameless) == 1:
            return self._nameless[0] if fits(self._nameless[0], algorithm) else None
        return named

    async def _refresh(self, older_than: timedelta) -> None:
        async with self._reading:
            now = self._clock.now()
            if self._read_at is not None and now - self._read_at < older_than:
                return
            # An address that hangs is waited for once in a while, not by each caller after the other.
            if self._failed is None or now - self._failed[0] >= _AT_MOST_EVERY:
                try:
                    document = await read_json(self._url)
                except ProviderUnreachable as error:
                    self._failed = (now, error)
                else:
                    self._keys, self._nameless = _key_set(document)
                    self._read_at, self._failed = now, None
            if self._failed is not None and (self._read_at is None or now - self._read_at >= _MOST_STALE):
                raise self._failed[1].with_traceback(None)


async def read_json(url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """Read a JSON object from an address; redirects aren't followed.

    Raises:
        ProviderUnreachable: it doesn't answer, or with something else.
    """
    import httpx2

    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as client:
            response = await client.get(url, headers=headers)
        value = response.json() if len(response.content) <= _MOST_BYTES else None
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderUnreachable(f"{urlsplit(url).netloc} doesn't answer with JSON") from error
    if response.status_code != 200 or not isinstance(value, dict):
        raise ProviderUnreachable(f"{urlsplit(url).netloc} answers with {response.status_code}")
    return value


def checked_url(url: str) -> str:
    """Return an address over which keys and tokens may travel.

    Raises:
        BadProvider: it's neither https nor on this machine.
    """
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.username is not None:
        raise BadProvider(f"{url!r} has to be an https address")
    return url


def chosen(keys: Mapping[str, Any], key_id: str | None, algorithm: str) -> Any | None:
    """Return the key with an id, or the only one where none is named, if it's for the algorithm."""
    key = next(iter(keys.values())) if key_id is None and len(keys) == 1 else keys.get(key_id or "")
    return key if key is not None and fits(key, algorithm) else None


def fits(key: Any, algorithm: str) -> bool:
    """Tell whether a key is for an algorithm."""
    if algorithm not in ALGORITHMS.get(key.key_type, ()):
        return False
    named = key.as_dict(private=False)
    return bool(named.get("use", "sig") == "sig" and named.get("alg", algorithm) == algorithm)


def _key_set(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return a set's usable keys by id, and those without one; what isn't understood is left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    named: dict[str, Any] = {}
    nameless: list[Any] = []
    for entry in document.get("keys", []):
        if not isinstance(entry, dict) or entry.get("kty") not in ALGORITHMS or "d" in entry:
            continue
        try:
            key = import_key(entry)
            strong = is_strong(key)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not strong:
            continue
        if isinstance(entry.get("kid"), str):
            named[entry["kid"]] = key
        else:
            nameless.append(key)
    return named, nameless


def is_strong(key: Any) -> bool:
    """Tell whether a key is long enough; only RSA keys come in lengths that aren't."""
    return bool(key.key_type != "RSA" or key.public_key.key_size >= _LEAST_RSA_BITS)


def _from_pem(key_id: str, text: str) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key = kind.import_key(text.encode())
            if not key.is_private and is_strong(key):
                return key
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise BadVerifyingKey(key_id)
