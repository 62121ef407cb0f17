"""What a signed head signs, and whether a signature is right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from steward.base.digests import canonical_json
from steward.govern.ledger.contracts import Checkpoint, Closing, Signature

_PURPOSE: Final = b"steward ledger\x00"
_EXPORT: Final = b"steward ledger export\x00"
"""Begin what is signed, so that a signature of one kind of thing is never one of another."""


def checkpoint_message(checkpoint: Checkpoint) -> bytes:
    """Return the bytes that a checkpoint's signature signs: everything it says."""
    return _PURPOSE + canonical_json(
        {
            "first": checkpoint.first,
            "position": checkpoint.position,
            "at": _text(checkpoint.at),
            "head": checkpoint.head.hex(),
            "root": checkpoint.root.hex(),
        }
    )


def closing_message(closing: Closing) -> bytes:
    """Return the bytes that the signature at the end of an export signs: everything its last line says."""
    return _EXPORT + canonical_json(
        {
            "since": closing.since,
            "until": closing.until,
            "first": closing.first,
            "last": closing.last,
            "count": closing.count,
            "at": _text(closing.at),
            "head": closing.head.hex(),
        }
    )


def is_signed(signature: Signature, message: bytes) -> bool:
    """Tell whether a signature is of this message by its key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_trusted(checkpoint: Checkpoint, public_key: bytes | None) -> bool:
    """Tell whether a checkpoint is signed, by this key where one is given."""
    signature = checkpoint.signature
    return public_key in (None, signature.public_key) and is_signed(signature, checkpoint_message(checkpoint))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
