"""Stretches that hold a text in another writing: base64 (RFC 4648) and hexadecimal."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{12,4000}={0,2}(?![A-Za-z0-9+/=_-])")
_HEXADECIMAL = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{2}(?:[ :]?[0-9A-Fa-f]{2}){7,2000}(?![A-Za-z0-9])")
_LEAST_BYTES = 8
_URL_SIGNS = str.maketrans("-_", "+/")


def encoded_stretches(text: str) -> Iterator[tuple[int, int, str]]:
    """Return (start, end, text inside) of what decodes to plain printable text."""
    for match in _BASE64.finditer(text):
        packed = match[0].rstrip("=").translate(_URL_SIGNS)
        with_end = packed + "=" * (-len(packed) % 4)
        try:
            plain = _readable(base64.b64decode(with_end, validate=True))
        except binascii.Error:
            continue
        if plain is not None:
            yield match.start(), match.end(), plain
    for match in _HEXADECIMAL.finditer(text):
        digits = match[0].replace(" ", "").replace(":", "")
        plain = _readable(bytes.fromhex(digits)) if len(digits) % 2 == 0 else None
        if plain is not None:
            yield match.start(), match.end(), plain


def _readable(content: bytes) -> str | None:
    if len(content) < _LEAST_BYTES:
        return None
    try:
        plain = content.decode("ascii")
    except UnicodeDecodeError:
        return None
    return plain if all(sign.isprintable() or sign in "\r\n\t" for sign in plain) else None
