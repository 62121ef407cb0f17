"""HashiCorp Vault's transit engine as the key service (HTTP API, secrets engine `transit`).

Endpoints used: `encrypt`, `decrypt`, `rewrap` (each with `batch_input`), `keys/<name>` and
`keys/<name>/rotate`. OpenBao speaks the same.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx2
from pydantic import BaseModel, ValidationError

from steward.govern.privacy.errors import KeyServiceRefused, KeyServiceUnavailable
from steward.govern.privacy.key_service import ServiceState

_UNWRITABLE = "its address or token has signs that a request can't carry"
_RETRIED = frozenset({412, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Transit:
    """Where the engine is: `url` as https://vault:8200, the engine's mount, the key's name, and a token."""

    url: str
    key: str
    token: str = field(repr=False)
    mount: str = "transit"
    namespace: str | None = None
    timeout_s: float = 5.0
    attempts: int = 3
    pause_s: float = 0.2


class _Item(BaseModel):
    ciphertext: str = ""
    plaintext: str = ""
    error: str = ""


class _Batch(BaseModel):
    batch_results: list[_Item]


class _BatchAnswer(BaseModel):
    data: _Batch


class _Key(BaseModel):
    latest_version: int
    min_decryption_version: int


class _KeyAnswer(BaseModel):
    data: _Key


class TransitKeys:
    """Seals with a key of the transit engine; implements `KeyService`."""

    def __init__(self, transit: Transit) -> None:
        """Take where the engine is; nothing is asked yet.

        Raises:
            KeyServiceRefused: the address or the token can't be written into a request.
        """
        self._transit = transit
        headers = {"X-Vault-Token": transit.token, "X-Vault-Request": "true"}
        if transit.namespace:
            headers["X-Vault-Namespace"] = transit.namespace
        base = f"{transit.url.rstrip('/')}/v1/{transit.mount.strip('/')}"
        try:
            self._client = httpx2.AsyncClient(base_url=base, headers=headers, timeout=transit.timeout_s)
        except (httpx2.InvalidURL, UnicodeEncodeError):
            # Without its cause, which quotes signs of the token.
            raise KeyServiceRefused(self.name, _UNWRITABLE) from None

    @property
    def name(self) -> str:
        """The engine's mount and the key's name."""
        return f"transit:{self._transit.mount}/{self._transit.key}"

    async def seal(self, plain: Sequence[bytes]) -> list[str]:
        """Encrypt secrets in one request."""
        items = [{"plaintext": base64.b64encode(secret).decode()} for secret in plain]
        return [item.ciphertext for item in await self._batch("encrypt", items)]

    async def open(self, sealed: Sequence[str]) -> list[bytes]:
        """Decrypt secrets in one request."""
        items = await self._batch("decrypt", [{"ciphertext": text} for text in sealed])
        try:
            return [base64.b64decode(item.plaintext, validate=True) for item in items]
        except binascii.Error as error:
            raise KeyServiceRefused(self.name, "its answer isn't base64") from error

    async def reseal(self, sealed: Sequence[str]) -> list[str]:
        """Encrypt secrets anew by the newest version; they aren't shown."""
        items = await self._batch("rewrap", [{"ciphertext": text} for text in sealed])
        return [item.ciphertext for item in items]

    async def rotate(self) -> int:
        """Make a new version of the key."""
        await self._call("POST", f"/keys/{self._transit.key}/rotate", {})
        return (await self.state()).version

    async def state(self) -> ServiceState:
        """Read the key's versions."""
        answer = await self._call("GET", f"/keys/{self._transit.key}", None)
        try:
            key = _KeyAnswer.model_validate_json(answer).data
        except ValidationError as error:
            raise KeyServiceRefused(self.name, "its answer doesn't describe a key") from error
        return ServiceState(key.latest_version, key.min_decryption_version)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def _batch(self, verb: str, items: list[dict[str, str]]) -> list[_Item]:
        if not items:
            return []
        answer = await self._call("POST", f"/{verb}/{self._transit.key}", {"batch_input": items})
        try:
            results = _BatchAnswer.model_validate_json(answer).data.batch_results
        except ValidationError as error:
            raise KeyServiceRefused(self.name, "its answer has an unknown form") from error
        if len(results) != len(items) or any(item.error for item in results):
            raise KeyServiceRefused(self.name, f"it didn't {verb} all that it was given")
        return results

    async def _call(self, method: str, path: str, body: object) -> bytes:
        """Ask the engine; what it can do next time is asked again, what it refuses is not."""
        problem = "no answer"
        for attempt in range(self._transit.attempts):
            if attempt:
                await asyncio.sleep(self._transit.pause_s * 2 ** (attempt - 1))
            try:
                response = await self._client.request(method, path, json=body)
            except httpx2.InvalidURL as error:
                raise KeyServiceRefused(self.name, _UNWRITABLE) from error
            except httpx2.HTTPError as error:
                problem = type(error).__name__
                continue
            if response.status_code < HTTPStatus.BAD_REQUEST:
                return response.content
            problem = f"status {response.status_code}"
            if response.status_code not in _RETRIED:
                raise KeyServiceRefused(self.name, problem)
        raise KeyServiceUnavailable(self.name, problem)
