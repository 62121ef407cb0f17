"""The installation's secret: it wraps customers' keys and keys the digests that find them again.

A ring of one key in use and older ones that are only read, so that a rotation never stops anybody. The
secrets come from the environment, from a file, or from an external key service (`key_keeping.py`).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from steward.govern.privacy.errors import BadMasterKey, WrongMasterKey
from steward.govern.privacy.sealing import keyed_digest, open_box, seal_box

VARIABLE: Final = "STEWARD_MASTER_KEY"
OLD_VARIABLE: Final = "STEWARD_OLD_MASTER_KEYS"
FILE_NAME: Final = "master.key"
LENGTH: Final = 32
ID_BYTES: Final = 8
"""Bytes at the beginning of what a key wrapped that name the key."""
_LOOKUP: Final = b"lookup_key"


class MasterKey:
    """A 32-byte secret and what is derived from it (HKDF-SHA256, RFC 5869, one label per use).

    It may carry older keys: they open what they wrapped, and wrap nothing more. One object is shared by all
    of a process; `follow` lets a rotation reach everybody at once.
    """

    __slots__ = ("_boxes", "_digest_key", "_id")

    def __init__(self, secret: bytes, *, older: Sequence[bytes] = ()) -> None:
        """Take the secret in use, and older ones that still have to be read.

        Raises:
            BadMasterKey: one isn't 32 bytes long.
        """
        self._boxes: dict[str, AESGCM] = {}
        for given in (*older, secret):
            if len(given) != LENGTH:
                raise BadMasterKey("memory", f"has {len(given)} bytes instead of {LENGTH}")
            self._boxes[id_of(given)] = AESGCM(_derived(given, "wrap", 32))
        self._id = id_of(secret)
        self._digest_key = _derived(secret, "digest", 32)

    @property
    def id(self) -> str:
        """A short public digest of the key in use, stored beside what it wraps."""
        return self._id

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys that can be read, the one in use first."""
        return (self._id, *(one for one in self._boxes if one != self._id))

    @classmethod
    def load(cls, data_dir: Path, environ: Mapping[str, str]) -> Self:
        """Return the key of the environment, or else of `master.key`, which is made on first use.

        Args:
            data_dir: where `master.key` lies; made when it isn't there. Its first line is the key in use,
                further lines are older ones.
            environ: STEWARD_MASTER_KEY may hold 32 bytes in base64, STEWARD_OLD_MASTER_KEYS older keys with
                spaces between.

        Raises:
            BadMasterKey: the value isn't 32 bytes in base64, or the file can't be read or written.
        """
        given = environ.get(VARIABLE)
        if given:
            older = [decoded(text, OLD_VARIABLE) for text in environ.get(OLD_VARIABLE, "").split()]
            return cls(decoded(given, VARIABLE), older=older)
        path = data_dir / FILE_NAME
        try:
            if not path.exists():
                _create(path)
        except OSError as error:
            raise BadMasterKey(str(path), f"can't be read or made ({error.strerror})") from error
        first, *rest = read_file(path)
        return cls(first, older=rest)

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Seal a key's bytes for one place; `context` must be given again to open them."""
        key_id = self._id  # read once: a rotation may change it meanwhile
        return bytes.fromhex(key_id) + seal_box(self._boxes[key_id], plain, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open what `wrap` sealed, by this key or an older one.

        Raises:
            WrongMasterKey: another master key wrapped it.
            SealBroken: it was changed, or wrapped for another context.
        """
        box = self._boxes.get(wrapped[:ID_BYTES].hex())
        if box is None:
            raise WrongMasterKey(self._id, wrapped[:ID_BYTES].hex())
        return open_box(box, wrapped[ID_BYTES:], context, "a wrapped key")

    def digest(self, label: str, data: bytes) -> bytes:
        """Return the keyed digest (HMAC-SHA256, 32 bytes) of data for one use; no rotation changes it."""
        return keyed_digest(self._digest_key, label, data)

    def follow(self, other: MasterKey) -> None:
        """Become another ring: its key is in use from now on, its older keys are the ones that are read."""
        self._boxes, self._id, self._digest_key = dict(other._boxes), other._id, other._digest_key

    def wrap_lookup(self, digest_key: bytes) -> bytes:
        """Seal a key of the digests, so that it outlives the master key it came from."""
        return self.wrap(digest_key, _LOOKUP)

    def use_lookup_key(self, wrapped: bytes) -> None:
        """Key the digests by what `wrap_lookup` returned, here or under an earlier key.

        Raises:
            WrongMasterKey: a key that isn't in the ring wrapped it.
        """
        self._digest_key = self.unwrap(wrapped, _LOOKUP)


def lookup_context(_: object) -> bytes:
    """Return the context under which the key of the digests is wrapped."""
    return _LOOKUP


def id_of(secret: bytes) -> str:
    """Return the short public digest of a master key, 16 hex digits."""
    return _derived(secret, "id", ID_BYTES).hex()


def fresh_secret() -> bytes:
    """Return 32 random bytes to make a master key from."""
    return secrets.token_bytes(LENGTH)


def digest_key_of(secret: bytes) -> bytes:
    """Return the key of the digests that a master key starts with."""
    return _derived(secret, "digest", 32)


def decoded(text: str, where: str) -> bytes:
    """Return the secret that a text holds in base64; `where` is what an error calls its place.

    Raises:
        BadMasterKey: it isn't 32 bytes in base64.
    """
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMasterKey(where, "isn't base64") from error
    if len(secret) != LENGTH:
        raise BadMasterKey(
            where, f"has {len(secret)} bytes instead of {LENGTH}; `openssl rand -base64 32` makes one"
        )
    return secret


def read_file(path: Path) -> list[bytes]:
    """Return the secrets of a key file, the one in use first.

    Raises:
        BadMasterKey: the file can't be read, or a line isn't a key.
    """
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeError) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else "isn't text"
        raise BadMasterKey(str(path), f"can't be read or made ({problem})") from error
    return [decoded(line, str(path)) for line in lines] or [decoded("", str(path))]


def write_file(path: Path, given: Sequence[bytes]) -> None:
    """Write a key file so that whoever reads sees the old one or the new one, whole.

    Raises:
        BadMasterKey: it can't be written.
    """
    try:
        os.replace(_draft(path, given), path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BadMasterKey(str(path), f"can't be written ({error.strerror})") from error


def _derived(secret: bytes, label: str, length: int) -> bytes:
    info = f"steward.master.{label}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(secret)


def _create(path: Path) -> None:
    """Write a fresh key so that nobody ever sees half a file and the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, [fresh_secret()])
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _draft(path: Path, given: Sequence[bytes]) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(b"".join(base64.b64encode(secret) + b"\n" for secret in given))
        file.flush()
        os.fsync(file.fileno())
    return draft
