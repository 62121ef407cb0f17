"""Sealing under a customer's own key: AES-256-GCM with the place of the data as associated data.

Layout of sealed bytes: one byte of format (1), 12 bytes of nonce, ciphertext with its 16-byte tag.
Nonces are random: NIST SP 800-38D allows 2^32 of them under one key, far above what one customer says.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from steward.govern.privacy.errors import SealBroken

_FORMAT = b"\x01"
_NONCE_BYTES = 12


class CustomerKey:
    """The key of one customer. Whoever holds it can read what it sealed; its text form shows nothing."""

    __slots__ = ("_cipher", "_digest_key")

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(_derived(secret, b"steward.customer.seal"))
        self._digest_key = _derived(secret, b"steward.customer.digest")

    @staticmethod
    def fresh_secret() -> bytes:
        """Return 32 random bytes to make a key from."""
        return secrets.token_bytes(32)

    def seal(self, plain: bytes | str, context: str) -> bytes:
        """Return plain text sealed for one place, as `message.body`."""
        data = plain.encode() if isinstance(plain, str) else plain
        return seal_box(self._cipher, data, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: the bytes were changed, or sealed for another place or customer.
        """
        return open_box(self._cipher, sealed, context.encode(), context)

    def digest(self, label: str, data: bytes) -> bytes:
        """Return a keyed digest: it finds equal data of this customer, and nothing once the key is gone."""
        return keyed_digest(self._digest_key, label, data)


def seal_box(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    """Encrypt with a random nonce; the layout stands at the top of this module."""
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + cipher.encrypt(nonce, plain, _FORMAT + context)


def open_box(cipher: AESGCM, sealed: bytes, context: bytes, name: str) -> bytes:
    """Decrypt what `seal_box` made; `name` is what an error calls it."""
    if sealed[:1] != _FORMAT:
        raise SealBroken(name)
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, body, _FORMAT + context)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(name) from error


def keyed_digest(key: bytes, label: str, data: bytes) -> bytes:
    """Return HMAC-SHA256 of label and data, the label's length in front so that the two can't blur."""
    name = label.encode()
    return hmac.digest(key, len(name).to_bytes(2) + name + data, hashlib.sha256)


def _derived(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)
