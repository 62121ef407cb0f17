"""The installation's one secret: it wraps customers' keys and keys the digests that find them again."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from steward.govern.privacy.errors import BadMasterKey, WrongMasterKey
from steward.govern.privacy.sealing import keyed_digest, open_box, seal_box

VARIABLE = "STEWARD_MASTER_KEY"
FILE_NAME = "master.key"
_LENGTH = 32


class MasterKey:
    """A 32-byte secret and what is derived from it (HKDF-SHA256, RFC 5869, one label per use).

    Attributes:
        id: a short public digest, stored beside what the key wraps.
    """

    __slots__ = ("_digest_key", "_wrapping", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _LENGTH:
            raise BadMasterKey("memory", f"has {len(secret)} bytes instead of {_LENGTH}")
        self.id = _derived(secret, "id", 8).hex()
        self._digest_key = _derived(secret, "digest", 32)
        self._wrapping = AESGCM(_derived(secret, "wrap", 32))

    @classmethod
    def load(cls, data_dir: Path, environ: Mapping[str, str]) -> Self:
        """Return the key of the environment, or else of `master.key`, which is made on first use.

        Args:
            data_dir: where `master.key` lies; made when it isn't there.
            environ: STEWARD_MASTER_KEY may hold 32 bytes in base64.

        Raises:
            BadMasterKey: the value isn't 32 bytes in base64, or the file can't be read or written.
        """
        given = environ.get(VARIABLE)
        if given:
            return cls(_decoded(given, VARIABLE))
        path = data_dir / FILE_NAME
        try:
            if not path.exists():
                _create(path)
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            problem = error.strerror if isinstance(error, OSError) and error.strerror else "isn't text"
            raise BadMasterKey(str(path), f"can't be read or made ({problem})") from error
        return cls(_decoded(text, str(path)))

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Seal a key's bytes for one place; `context` must be given again to open them."""
        return bytes.fromhex(self.id) + seal_box(self._wrapping, plain, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open what `wrap` sealed.

        Raises:
            WrongMasterKey: another master key wrapped it.
            SealBroken: it was changed, or wrapped for another context.
        """
        if (wrapper := wrapped[:8].hex()) != self.id:
            raise WrongMasterKey(self.id, wrapper)
        return open_box(self._wrapping, wrapped[8:], context, "a wrapped key")

    def digest(self, label: str, data: bytes) -> bytes:
        """Return the keyed digest (HMAC-SHA256, 32 bytes) of data for one use."""
        return keyed_digest(self._digest_key, label, data)


def _derived(secret: bytes, label: str, length: int) -> bytes:
    info = f"steward.master.{label}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(secret)


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMasterKey(where, "isn't base64") from error
    if len(secret) != _LENGTH:
        raise BadMasterKey(
            where, f"has {len(secret)} bytes instead of {_LENGTH}; `openssl rand -base64 32` makes one"
        )
    return secret


def _create(path: Path) -> None:
    """Write a fresh key so that nobody ever sees half a file and the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_LENGTH)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
