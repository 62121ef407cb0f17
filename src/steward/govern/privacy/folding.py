"""One plain way of writing: what people type, folded to ASCII where only the look differs.

Full-width and other scripts' digits become 0-9, exotic spaces and dashes plain ones, HTML entities and
percent codes their characters; invisible characters, combining marks and HTML tags disappear. Every
folded character remembers where it came from, so that spans point into the text as typed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_UNUSUAL = re.compile(
    r"[^\x00-\x7f]"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,10});"
    r"|%[2-7][0-9A-Fa-f]"
    r"|<(?!(?:at|dot)>)/?[A-Za-z][A-Za-z0-9]{0,9}(?:\s[^<>@]{0,200})?/?>"
)
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
    if text.isascii() and "&" not in text and "%" not in text and "<" not in text:
        return Folded(text, None, None)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in _UNUSUAL.finditer(text):
        start, end = match.span()
        if start > done:
            pieces.append(text[done:start])
            starts.extend(range(done, start))
            ends.extend(range(done + 1, start + 1))
        plain = _plain(match[0])
        pieces.append(plain)
        starts.extend([start] * len(plain))
        ends.extend([end] * len(plain))
        done = end
    pieces.append(text[done:])
    starts.extend(range(done, len(text)))
    ends.extend(range(done + 1, len(text) + 1))
    return Folded("".join(pieces), starts, ends)


@lru_cache(maxsize=4_096)
def _plain(found: str) -> str:
    """Return what one unusual character, entity, code or tag stands for; empty for what isn't seen."""
    if found[0] == "<":
        return ""
    if found[0] == "%" and len(found) == 3:
        return chr(int(found[1:], 16))
    if found[0] == "&" and len(found) > 1:
        return "".join(_plain_letter(letter) for letter in html.unescape(found))
    return _plain_letter(found)


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
