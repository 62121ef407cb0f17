"""Whether a text tells what it must keep: an assistant's instructions, or a secret that stands in them.

A secret is looked for as it stands, and as it's told by one who was asked to hide it: spaced, spelled
letter by letter, in number words, backwards, in rot13, base64 or hexadecimal, down the first letters of
lines, its words apart, or in part. Instructions are found by runs of words that they share with the
text, and, as a model also tells them in words of its own, by how one speaks of one's instructions.
"""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Self

RUN = 8
"""Consecutive words shared with the instructions from which a text counts as telling them."""
_SHORT_RUN = 4
_SHARE_OF_RUNS = 0.6
"""Share of a text's short runs that stand in the instructions from which it counts as telling them."""
_FEWEST_SHORT_RUNS = 3
_FEWEST_LETTERS = 4
"""Letters and digits of a secret from which it's found inside a word; a shorter one stands alone."""
_FEWEST_ACROSS_WORDS = 6
"""Letters and digits of a secret from which it's found across the gaps between words."""
_PART_OF_SECRET = 0.6
_FEWEST_IN_PART = 8
_WINDOW = 12
"""Words within which the words of a secret count as told together."""
_WORD = re.compile(r"\w+")
_DIGIT_WORDS = {
    word: str(digit) for digit, word in enumerate("zero one two three four five six seven eight nine".split())
} | {"oh": "0", "nought": "0"}
_LETTER = re.compile(r"""(?<!\w)["'“‘«`(\[]?(\w)["'”’»`)\]]?(?!\w)""")
_QUOTED_LETTER = re.compile(r"""["'“‘«`](\w)["'”’»`]""")
_LEET = str.maketrans("013457@$", "oieastas")
_TELLS = re.compile(
    r"\b(?:my|the|these|those|all)\s+(?:\w+\s+){0,2}(?:instructions?|directives|prompt)(?:\s+\w+){0,4}\s*"
    r"(?:are|is|were|was|say|says|state|read|reads)\b\s*(?:as\s+follows|that|to|:|not|:?\s*[\"“\n])"
    r"|\bhere(?:\s+are|['’]s|\s+is)\s+(?:my|the|all|these|those)(?:\s+\w+){0,2}\s+(?:instructions?|system\s+prompt|directives)\b"
    r"|\b(?:my|the|this)\s+system\s+(?:prompt|message)\b"
    r"|\bi(?:['’]ve|\s+have|\s+was|\s+am|['’]m)\s+(?:been\s+)?(?:instructed|told|programmed)\s+(?:to|not\s+to|never\s+to)\b"
    r"|\bmy\s+(?:instructions|prompt|programming|guidelines)\s+(?:tells?|says?|requires?|forbids?|states?)\b",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"\b(?:pass\s?-?\s?(?:word|code|phrase)|access\s+code|secret(?:\s+(?:code|word|key))?|api\s+key|pin)\b"
    r"(?:\s+\w+){0,3}?\s*(?:is|are|:|=|of)?\s*[\"'“‘`]([^\"'”’`\n]{3,80})[\"'”’`]",
    re.IGNORECASE,
)


class Leak(StrEnum):
    """What a text tells."""

    SECRET = "secret"  # noqa: S105 - a word, not a secret
    INSTRUCTIONS = "instructions"
    TALK_OF_INSTRUCTIONS = "talk of instructions"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one release must keep to itself, prepared once."""

    runs: frozenset[tuple[str, ...]]
    short_runs: frozenset[tuple[str, ...]]
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, instructions: str, secrets: Iterable[str] = ()) -> Self:
        """Prepare instructions and secrets; what the instructions call a password or code is one too."""
        words = _words(instructions)
        told = (match.group(1) for match in _KEPT.finditer(instructions))
        return cls(
            frozenset(_runs(words, RUN)),
            frozenset(_runs(words, _SHORT_RUN)),
            tuple(dict.fromkeys(secret for secret in chain(secrets, told) if secret.strip())),
        )

    def leak_in(self, text: str) -> Leak | None:
        """Return what a text tells, the worst first; None for nothing."""
        if any(tells_secret(text, secret) for secret in self.secrets):
            return Leak.SECRET
        words = _words(text)
        if not self.runs.isdisjoint(_runs(words, RUN)):
            return Leak.INSTRUCTIONS
        short = _runs(words, _SHORT_RUN)
        shared = sum(run in self.short_runs for run in short)
        if shared >= _FEWEST_SHORT_RUNS and shared >= _SHARE_OF_RUNS * len(short):
            return Leak.INSTRUCTIONS
        return Leak.TALK_OF_INSTRUCTIONS if speaks_of_instructions(text) else None


def speaks_of_instructions(text: str) -> bool:
    """Tell whether a text speaks as one tells one's own instructions."""
    return _TELLS.search(text) is not None


def tells_secret(text: str, secret: str) -> bool:
    """Tell whether a text holds a secret, as it stands or in one of the forms named above."""
    bare = secret.strip()
    if not bare:
        return False
    if (len(bare) >= _FEWEST_LETTERS and bare in text) or _alone(text, bare):
        return True
    wanted = _squeezed(secret)
    if len(wanted) < _FEWEST_LETTERS:
        told_apart = bool(wanted) and wanted in _spelled(_QUOTED_LETTER, text)
        return told_apart or _alone(_plain(text), _plain(bare))
    held = _squeezed(text) if len(wanted) >= _FEWEST_ACROSS_WORDS else _plain(text)
    forms = {wanted, wanted[::-1], codecs.encode(wanted, "rot13")}
    return (
        any(form in held or form in held.translate(_LEET) for form in forms)
        or wanted in _spelled(_LETTER, text)
        or wanted in _digits(text)
        or wanted in _first_letters(text)
        or any(code in text for code in _encoded(secret))
        or _words_apart(text, secret)
        or _in_part(held, wanted)
    )


def _alone(text: str, wanted: str) -> bool:
    """Tell whether something stands in a text by itself, not inside a word."""
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


def _encoded(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "replace")
    whole = base64.b64encode(raw).decode().rstrip("=")
    return whole[: len(raw) * 8 // 6], raw.hex(), raw.hex().upper(), raw.hex(" "), raw.hex(" ").upper()


def _words_apart(text: str, secret: str) -> bool:
    """Tell whether a secret of several words is told word by word, close together."""
    wanted = set(_words(secret))
    if len(wanted) < 2 or sum(map(len, wanted)) < 2 * _FEWEST_LETTERS:
        return False
    words = _words(text)
    places = [place for place, word in enumerate(words) if word in wanted]
    return any(wanted.issubset(words[place : place + _WINDOW]) for place in places)


def _in_part(held: str, wanted: str) -> bool:
    """Tell whether most of a long secret stands in a text in one piece."""
    length = max(_FEWEST_IN_PART, round(len(wanted) * _PART_OF_SECRET))
    return any(wanted[at : at + length] in held for at in range(len(wanted) - length + 1))


def _spelled(letter: re.Pattern[str], text: str) -> str:
    return "".join(letter.findall(_plain(text)))


def _digits(text: str) -> str:
    words = (word for word in _words(text) if word != "and")
    return "".join(word if word.isdigit() else _DIGIT_WORDS.get(word, " ") for word in words)


def _first_letters(text: str) -> str:
    return "".join(found.group()[0] for line in _plain(text).splitlines() if (found := _WORD.search(line)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(_plain(text))


def _runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
