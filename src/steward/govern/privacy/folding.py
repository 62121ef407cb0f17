"""One plain way of writing: what people type, folded to ASCII where only the look differs.

Full-width and other scripts' digits become 0-9, exotic spaces and dashes plain ones; HTML entities, percent
codes, JSON escapes and quoted-printable codes their characters; invisible characters, combining marks and
HTML tags that hold nothing but looks disappear; letters typed for digits ("4O1l") become digits, and "at
sign" a sign. Every folded character remembers where it came from, so that spans point into the text as typed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_LOOK = (
    r"\s{1,3}(?:align|bgcolor|border|class|color|dir|face|height|id|lang|rel|role|size|style|target|type|valign|width)"
    r"(?:\s?=\s?(?:\"(?:(?![0-9]{5})[^\"<>@%&]){0,120}\"|'(?:(?![0-9]{5})[^'<>@%&]){0,120}'|[A-Za-z#.-]{1,40}[0-9]{0,4}))?"
)
"""An attribute of looks; others (`href`, `value`, `alt`) may hold something personal: their tags stay."""
_UNUSUAL = re.compile(
    r"[^\x00-\x7f]"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,10});"
    r"|%(?:25){0,3}(?:[2-7][0-9A-Fa-f]|0[9AaDd])"
    rf"|<(?!(?i:at|dot)>)/?[A-Za-z][A-Za-z0-9]{{0,9}}(?:{_LOOK}){{0,6}}\s?/?>"
    r"|<!--[^<>A-Za-z0-9]{0,20}[A-Za-z]{0,3}[^<>A-Za-z0-9]{0,20}-->"
    r"|\\u[0-9A-Fa-f]{4}|\\x[0-7][0-9A-Fa-f]|\\[nrt]"
    r"|=40(?=[A-Za-z0-9])|(?:=[2-7][0-9A-F]){3,200}"
)
_SIGNS = ("&", "%", "<", "\\", "=")
_LOOKALIKE = re.compile(r"(?<![^\W_])(?=[OoIl]{0,20}[0-9])[0-9OoIl]{0,20}[OoIl][0-9OoIl]{0,20}(?![^\W_])")
_LOOKALIKES = str.maketrans("OoIl", "0011")
_LEAST_LOOKALIKE = 3
_SAID = re.compile(
    r"(?<=\s)at[\s-]{1,2}(?:sign|symbol)(?=\s)"
    r"|(?<=\s)(?:period|point|full\s?stop)(?=\s{1,2}(?:com|net|org|edu|gov|info|co|io)\b"
    r"|\s{1,2}[a-z0-9]{1,30}\s{1,2}(?:at|@)\s)",
    re.IGNORECASE,
)
_SAID_WORDS = (" sign", " symbol", "-sign", " period", " point", " full")
_DASHES = frozenset("−⁃﹣－")
_DOTS = frozenset("。．｡․")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `starts` and `ends` give each character's place in the original; None when equal."""

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return where a non-empty piece of the folded text stands in the original."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Return a text in its plain writing, with the way back."""
    folded = Folded(text, None, None)
    if not text.isascii() or any(sign in text for sign in _SIGNS):
        folded = _replaced(folded, _UNUSUAL, _plain)
    if any(word in folded.text for word in _SAID_WORDS):
        folded = _replaced(folded, _SAID, _said)
    return _replaced(folded, _LOOKALIKE, _digits)


def _replaced(folded: Folded, pattern: re.Pattern[str], plain_of: Callable[[str], str]) -> Folded:
    """Replace what a pattern matches; a piece of another length points to all that it replaced."""
    text, pieces, done = folded.text, list[str](), 0
    places: list[tuple[int, int, int]] = []
    for match in pattern.finditer(text):
        start, end = match.span()
        plain = plain_of(match[0])
        pieces += (text[done:start], plain)
        places.append((start, end, len(plain)))
        done = end
    if not places:
        return folded
    pieces.append(text[done:])
    starts, ends = _mapped(folded, places)
    return Folded("".join(pieces), starts, ends)


def _mapped(folded: Folded, places: list[tuple[int, int, int]]) -> tuple[list[int], list[int]]:
    length = len(folded.text)
    old_starts = folded.starts if folded.starts is not None else range(length)
    old_ends = folded.ends if folded.ends is not None else range(1, length + 1)
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, count in places:
        starts.extend(old_starts[done:start])
        ends.extend(old_ends[done:start])
        if count == end - start:
            starts.extend(old_starts[start:end])
            ends.extend(old_ends[start:end])
        else:
            starts.extend([old_starts[start]] * count)
            ends.extend([old_ends[end - 1]] * count)
        done = end
    starts.extend(old_starts[done:])
    ends.extend(old_ends[done:])
    return starts, ends


def _said(found: str) -> str:
    """Return the sign that words stand for."""
    return "@" if found[0] in "aA" else "dot"


def _digits(found: str) -> str:
    """Return a word of digits and letters that look like some as digits alone."""
    return found.translate(_LOOKALIKES) if len(found) >= _LEAST_LOOKALIKE else found


@lru_cache(maxsize=4_096)
def _plain(found: str) -> str:
    """Return what one unusual character, entity, code or tag stands for; empty for what isn't seen."""
    if len(found) == 1:
        return _plain_letter(found)
    if found[0] == "<":
        return ""
    if found[0] == "%":
        return chr(int(found[-2:], 16))
    if found[0] == "=":
        return bytes.fromhex(found.replace("=", "")).decode("ascii")
    if found[0] == "\\":
        return " " if found[1] in "nrt" else _plain_letter(chr(int(found[2:], 16)))
    return "".join(_plain_letter(letter) for letter in html.unescape(found))


def _plain_letter(letter: str) -> str:
    if letter.isascii():
        return letter
    category = unicodedata.category(letter)
    if category in ("Cf", "Mn", "Me", "Cs"):
        return ""
    digit = unicodedata.digit(letter, None)
    if digit is not None:
        return str(digit)
    if category == "Zs":
        return " "
    if category == "Pd" or letter in _DASHES:
        return "-"
    if letter in _DOTS:
        return "."
    if letter in "’‘ʼ":
        return "'"
    # Marks are dropped after composition, so that decomposed letters fold like composed ones.
    return unicodedata.normalize("NFKC", letter)
