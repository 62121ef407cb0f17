"""What the tagger of names looks at: words, their form, their neighbours.

Training and serving call the same functions, so a feature means the same in both.
"""

from __future__ import annotations

import re
import unicodedata
from binascii import crc32
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

GIVEN: Final = "g"
SURNAME: Final = "s"
KNOWN: Final = "u"
"""Usual words: those of ordinary messages."""
GENERAL: Final = "v"
"""Words of a general vocabulary, names among them."""

_TOKEN = re.compile(r"(?<=[^\W\d_])['’][^\W\d_]{1,40}|[^\W\d_]{1,40}|\d{1,20}|\n\s*|([^\w\s])\1*|_+")
_LONGEST_RUN = 4
_LINE_END = "¶"


class Token(NamedTuple):
    """A word, a number, a sign or a line's end, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Lists of words by sign (`GIVEN`, `SURNAME`, `KNOWN`, `GENERAL`), kept as CRC-32 of `folded` words."""

    marks: Mapping[str, frozenset[int]]

    def signs(self, word: str) -> str:
        """Return the signs of the lists that hold a word."""
        mark = crc_of(folded(word))
        return "".join(sign for sign, marks in self.marks.items() if mark in marks)


def tokens_of(text: str) -> list[Token]:
    """Return a text's tokens in order; white space other than a line's end is left out."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        piece = match[0]
        if piece[0] == "\n":
            found.append(Token(_LINE_END, start, start + 1))
        else:
            shown = piece if piece.isalnum() or piece[0] in "'’" else piece[:_LONGEST_RUN]
            found.append(Token(shown, start, end))
    return found


def mood_of(tokens: Sequence[Token]) -> str:
    """Return how capitals are used: none (`l`), all (`u`), only the first (`f`) or mixed (`m`)."""
    words = [token.text for token in tokens if token.text[-1].isalpha()]
    if not words or not any(word[0].isupper() for word in words):
        return "l"
    letters = "".join(words)
    if len(letters) > 3 and letters.isupper():
        return "u"
    return "m" if any(word[0].isupper() for word in words[1:]) else "f"


def crc_of(word: str) -> int:
    """Return a word's CRC-32, as lexicons keep it."""
    return crc32(word.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8_192)
def folded(word: str) -> str:
    """Return a word in lower case without accents and edges."""
    lower = word.lower()
    if not lower.isascii():
        lower = "".join(
            letter for letter in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(letter)
        )
    return lower.lstrip("'’")


@lru_cache(maxsize=8_192)
def shape_of(word: str) -> str:
    """Return a word's form: `Xx`, `XX`, `X`, `xx`, `xX`, the length of a number, or the sign itself."""
    first = word[0]
    if first.isdigit():
        return f"d{min(len(word), 7)}"
    if first in "'’" and len(word) > 1:
        return "'" + shape_of(word[1:])
    if not first.isalpha():
        return first
    if len(word) == 1:
        return "X" if first.isupper() else "x"
    if word.isupper():
        return "XX"
    if first.isupper():
        return "Xx" if word[1:].islower() else "XxX"
    return "xx" if word.islower() else "xX"


def plain_form(word: str, lexicon: Lexicon) -> tuple[str, str, str]:
    """Return a word's lower case, form and signs: what joint features are made from."""
    return folded(word) or word, shape_of(word), lexicon.signs(word)


def word_features(word: str, mood: str, lexicon: Lexicon) -> list[str]:
    """Return what a word says about its own label."""
    lower, shape, signs = plain_form(word, lexicon)
    features = ["b", f"h{shape}{mood}", f"g{signs}{shape}", f"k{signs}{mood}"]
    if not word[-1].isalpha():
        return [*features, f"w{lower}"]
    features += [f"w{lower}", f"x{lower}{shape}", f"n{min(len(lower), 9)}"]
    features += [f"e{lower[-size:]}" for size in (1, 2, 3, 4) if len(lower) > size]
    features += [f"a{lower[:size]}" for size in (2, 3) if len(lower) > size]
    return features


def neighbour_features(word: str, lexicon: Lexicon) -> list[str]:
    """Return what a word says about the labels of those beside it, without the offset."""
    lower, shape, signs = plain_form(word, lexicon)
    features = [f"w{lower}", f"h{shape}", f"g{signs}{shape[:1]}"]
    if word[-1].isalpha():
        features.append(f"e{lower[-3:]}")
    return features


def joint_features(kinds: Sequence[tuple[str, str, str]], place: int, mood: str) -> Iterator[str]:
    """Yield what a place and the words around it say together.

    Args:
        kinds: `plain_form` of every token.
        place: which token.
        mood: `mood_of` the text.
    """
    count = len(kinds)
    lower, shape, signs = kinds[place]
    before = kinds[place - 1] if place else ("^", "^", "^")
    earlier = kinds[place - 2] if place > 1 else ("^", "^", "^")
    after = kinds[place + 1] if place + 1 < count else ("$", "$", "$")
    later = kinds[place + 2] if place + 2 < count else ("$", "$", "$")
    yield f"B{earlier[0]} {before[0]}"
    yield f"C{before[0]} {shape}{signs}"
    yield f"D{before[0]} {after[0]}"
    yield f"E{before[1]}{shape}{after[1]}"
    yield f"F{before[2]}/{signs}/{after[2]}{shape}"
    yield f"G{before[0]} {lower}"
    yield f"H{after[0]} {shape}{signs}"
    yield f"I{after[0]} {later[0]}"
    if place == 0:
        yield f"J{shape}{signs}{mood}"
    if count <= 6:
        yield f"K{count}{shape}{signs}"
        yield f"L{count} {place}{mood}{signs}"
    if place + 1 == count:
        yield f"M{before[1]}{shape}{signs}"
