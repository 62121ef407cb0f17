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
import unicodedata
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
_JOINED_WORD = re.compile(r"(?<![^\s])(?:[^\W_][ .\-_*|·,/]{1,2}){4,}[^\W_](?![^\s.,!?])")
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
    lettered = _lettered(joined)
    if lettered is not None:
        found[lettered] = None
    for decoded in _decoded(plain):
        found[_plain(decoded)] = None
    turned = _turned(joined) if lettered is None else None
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
    tagged = "".join(
        chr(ord(letter) - 0xE0000) if 0xE0020 <= ord(letter) < 0xE007F else letter for letter in text
    )
    composed = unicodedata.normalize("NFKD", tagged)
    kept = "".join(
        letter
        for letter in composed
        if unicodedata.category(letter) not in ("Cf", "Mn", "Me", "Cc") or letter in "\n\t"
    )
    latin = sum("a" <= letter <= "z" for letter in kept.lower())
    foreign = sum(letter.isalpha() and ord(letter) > 0x24F for letter in kept)
    read = kept.translate(_LOOK_ALIKE)
    return read if latin >= foreign or (_reads(read) and not _reads(kept)) else kept


def _skeleton(text: str) -> str:
    """Return what counts in a comparison: accents and typographic quotes hide nothing."""
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text) if letter.isascii() and letter.isalnum()
    )


def _interrupted(text: str) -> bool:
    """Tell whether invisible marks stand inside words."""
    return len(_INVISIBLE.findall(text)) >= _FEWEST_INVISIBLE


def _closed(match: re.Match[str]) -> str:
    words = _WORD_GAP.split(match.group())
    if len(words) == 1 and " " in match.group() and "." in match.group():
        words = match.group().split()
    return " ".join(re.sub(r"[\W_]", "", word) for word in words)


def _lettered(text: str) -> str | None:
    """Return the text with digits read as letters, where words are written so."""
    if _MIXED.search(text) is None:
        return None
    read = " ".join(word.translate(_DIGITS) if _MIXED.search(word) else word for word in text.split())
    return read if _common(read) > _common(text) else None


def _decoded(text: str) -> list[str]:
    found = []
    if max(map(len, text.split()), default=0) >= _LONG_TOKEN:
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


def _turned(text: str) -> str | None:
    """Return the text from its end or with its letters shifted by 13, where that reads as English."""
    before = _common(text)
    if before * 6 >= len(text.split()):
        return None
    best = max((text[::-1], codecs.encode(text, "rot13")), key=_common)
    return best if _common(best) >= max(2, before + 2) else None


def _common(text: str) -> int:
    """Return how many of the most common words, and of those of attacks, a text has."""
    return sum(word in _COMMON for word in _TOKEN.findall(text.lower()))


def _reads(text: str) -> bool:
    return _common(text) > 1
