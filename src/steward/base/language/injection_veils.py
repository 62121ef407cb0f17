"""What a text says under a veil: codes, spaced or look-alike letters, digits for letters, invisible marks.

`unveiled` returns the other readings of a text; for ordinary text there are none, which costs little. Each
reading is scored like a message of its own.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import string
import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 8000
"""Characters read of a text."""
MOST_READINGS: Final = 4
_LOOK_ALIKE: Final = str.maketrans(
    "аеорсхуікмтнвзбгԁѕјӏһԛԝɑοεικνρτυχωαηβγμΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЅЈıƖǀℓ",
    "aeopcxyikmtHB36rdsjlhqwaoeikvptuxwanBymABEZHIKMNOPTYXABEKMHOPCTYXISJilll",
)
_DIGITS: Final = str.maketrans("013456789@$!|€(", "oieasbtbgasilec")
_JOINED_WORD = re.compile(
    r"(?<![^\s])(?:((?:[^\W_][ .\-_*|·,/]{1,2}){4,}[^\W_](?![^\s.,!?]))|(?:[^\W_][ .\-_*|·,/]{1,2}){4,}+)"
)
"""Spaced letters, or without the group a row of them that ends in no word: no part of that does either."""
_WORD_GAP = re.compile(r"\s{2,}|\s*[|/]\s*|\s+-\s+")
_MIXED = re.compile(r"[A-Za-z][0-9@$!|€(]|[0-9@$|€(][A-Za-z]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?<!\w)(?:(?:\\x|0x)?[0-9A-Fa-f]{2}[\s:,]?){10,}(?!\w)")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){4,}")
_ENTITIES = re.compile(r"(?:&#x?[0-9A-Fa-f]{2,6};){4,}")
_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4}){4,}")
_TOKEN = re.compile(r"[a-z']+")
_COMMON: Final = frozenset(
    """the your and you all to of is in what how me it are for with this that a not can will from now tell
    say print ignore forget instructions rules prompt system answer give show reveal repeat previous
    password write my do as i no""".split()
)
_COMMON_BACKWARDS: Final = frozenset(word[::-1] for word in _COMMON)
_COMMON_SHIFTED: Final = frozenset(codecs.encode(word, "rot13") for word in _COMMON)
_LONG_TOKEN: Final = 16
_INVISIBLE = re.compile(r"\w[\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufeff]+\w")
_FEWEST_INVISIBLE: Final = 2
_MARKUP = re.compile(
    r"</?(?:p|br|b|i|u|em|strong|a|div|span|ul|ol|li|h[1-6]|html|body|font|script|table|tr|td|th|pre|code)\s?/?>",
    re.IGNORECASE,
)


def unveiled(text: str) -> tuple[str, ...]:
    """Return other readings of a text, without the text itself; empty for nearly every text."""
    looked_at = text[:LONGEST]
    found: dict[str, None] = {}
    plain = _plain(looked_at)
    if plain != looked_at and (_skeleton(plain) != _skeleton(looked_at) or _interrupted(looked_at)):
        found[plain] = None
    joined = _JOINED_WORD.sub(_closed, plain)
    if joined != plain:
        found[joined] = None
    words = joined.split()
    lettered = _lettered(joined, words)
    if lettered is not None:
        found[lettered] = None
    for decoded in _decoded(plain, words if joined == plain else plain.split()):
        found[_plain(decoded)] = None
    turned = _turned(joined, words) if lettered is None else None
    if turned is not None:
        found[turned] = None
    return tuple(reading for reading in found if reading.strip())[:MOST_READINGS]


def without_markup(text: str) -> str:
    """Return a text without the bare tags of formatted text, which a paste brings along."""
    return _MARKUP.sub(" ", text) if "<" in text else text


def _plain(text: str) -> str:
    """Return the text with compatible forms, invisible marks, accents and look-alikes made plain."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKD", text)
    forms = {ord(letter): _plain_form(letter) for letter in set(composed)}
    kept = composed.translate(forms)
    read = kept.translate(_LOOK_ALIKE)
    if not any(map(_is_foreign, forms.values())):
        return read
    latin = sum("a" <= letter <= "z" for letter in kept.lower())
    foreign = sum(map(_is_foreign, kept))
    return read if latin >= foreign or (_reads(read) and not _reads(kept)) else kept


@lru_cache(maxsize=4096)
def _plain_form(letter: str) -> str:
    """Return what stays of a single letter or mark: nothing of an invisible one."""
    if 0xE0020 <= ord(letter) < 0xE007F:
        return chr(ord(letter) - 0xE0000)
    hidden = unicodedata.category(letter) in ("Cf", "Mn", "Me", "Cc") and letter not in "\n\t"
    return "" if hidden else letter


def _is_foreign(letter: str) -> bool:
    return letter > "\u024f" and letter.isalpha()


def _skeleton(text: str) -> bytes:
    """Return what counts in a comparison: accents and typographic quotes hide nothing."""
    return (
        unicodedata.normalize("NFD", text)
        .encode("ascii", "ignore")
        .translate(None, _NEITHER_LETTER_NOR_DIGIT)
    )


_NEITHER_LETTER_NOR_DIGIT: Final = bytes(
    set(range(128)) - set((string.ascii_letters + string.digits).encode())
)


def _interrupted(text: str) -> bool:
    """Tell whether invisible marks stand inside words."""
    return len(_INVISIBLE.findall(text)) >= _FEWEST_INVISIBLE


def _closed(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    words = _WORD_GAP.split(match.group())
    if len(words) == 1 and " " in match.group() and "." in match.group():
        words = match.group().split()
    return " ".join(re.sub(r"[\W_]", "", word) for word in words)


def _lettered(text: str, words: list[str]) -> str | None:
    """Return the text with digits read as letters, where words are written so."""
    if _MIXED.search(text) is None:
        return None
    mixed = " ".join(word for word in words if not word.isalpha() and _MIXED.search(word))
    if _common(mixed.translate(_DIGITS)) <= _common(mixed):
        return None
    return " ".join(word.translate(_DIGITS) if _MIXED.search(word) else word for word in words)


def _decoded(text: str, words: list[str]) -> list[str]:
    found = []
    if max(map(len, words), default=0) >= _LONG_TOKEN:
        for blob in _BASE64.findall(text)[:3]:
            found.append(_from_base64(re.sub(r"\s", "", blob)))
        for blob in _HEX.findall(text)[:3]:
            found.append(_from_hex(blob))
    if "%" in text and _PERCENT.search(text):
        found.append(unquote(text, errors="ignore"))
    if "&#" in text and _ENTITIES.search(text):
        found.append(html.unescape(text))
    if "\\u" in text and _ESCAPES.search(text):
        found.append(re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match.group(1), 16)), text))
    return [reading for reading in found if reading]


def _from_base64(blob: str) -> str:
    padded = blob.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _readable(content)


def _from_hex(blob: str) -> str:
    digits = re.sub(r"\\x|0x|[\s:,]", "", blob)
    return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _readable(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ""
    printable = sum(letter.isprintable() or letter.isspace() for letter in text)
    return text if len(text) >= 6 and printable >= 0.95 * len(text) else ""


def _turned(text: str, words: list[str]) -> str | None:
    """Return the text from its end or with its letters shifted by 13, where that reads as English."""
    lowered = text.lower()
    if sum(map(_COMMON.__contains__, lowered.split())) * 6 >= len(words):
        return None
    tokens = _TOKEN.findall(lowered)
    before = sum(map(_COMMON.__contains__, tokens))
    if before * 6 >= len(words):
        return None
    # A plain text has no letters that become several in lower case: its words turn like the text.
    backwards = sum(map(_COMMON_BACKWARDS.__contains__, tokens))
    shifted = sum(map(_COMMON_SHIFTED.__contains__, tokens))
    if max(backwards, shifted) < max(2, before + 2):
        return None
    return text[::-1] if backwards >= shifted else codecs.encode(text, "rot13")


def _common(text: str) -> int:
    """Return how many of the most common words, and of those of attacks, a text has."""
    return sum(map(_COMMON.__contains__, _TOKEN.findall(text.lower())))


def _reads(text: str) -> bool:
    return _common(text) > 1
