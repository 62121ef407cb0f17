"""What all recognisers of one text share: the folded text and a cheap first look at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

_WORDS = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"[0-9]")


class Rank:
    """Which kind wins where two finds overlap: the surer one."""

    CHECKED = 100
    """A checksum holds."""
    KNOWN = 95
    """The customer's own value, known beforehand."""
    DECLARED = 90
    """The folder's own pattern."""
    SECRET = 80
    CONTEXT = 70
    """Words beside it say what it is."""
    SHAPE = 60
    """Its form alone says what it is."""
    PLACE = 55
    POSTCODE = 52
    NAME = 50
    PHONE = 40
    PROVISIONAL = 10
    FRAGMENT = 5
    """A piece is of the kind of what it lies in, if that is known."""


class Candidate(NamedTuple):
    """A find in the folded text."""

    start: int
    end: int
    kind: str
    value: str
    rank: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A text ready for recognisers.

    Attributes:
        text: the folded text.
        words: its different words in lower case.
        has_digit: whether it holds a digit.
    """

    text: str
    words: frozenset[str]
    has_digit: bool


Family = Callable[[Scan], Iterable[Candidate]]


def scan(folded: str) -> Scan:
    """Take the first look that lets most recognisers be skipped."""
    return Scan(folded, frozenset(_WORDS.findall(folded.lower())), _DIGIT.search(folded) is not None)


def word_set(words: str) -> frozenset[str]:
    """Return the words of a list written as prose: a hundred of them stay readable that way."""
    return frozenset(words.split())


def squeezed(text: str) -> str:
    """Return the normal form of words: lower case, single spaces, no edges of punctuation."""
    return " ".join(text.casefold().split()).strip(" .,;:!?\"'()")


def compact(text: str) -> str:
    """Return the normal form of codes: letters and digits only, in capitals."""
    return "".join(letter for letter in text if letter.isalnum()).upper()
