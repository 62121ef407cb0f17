"""Promises that a folder forbids, found as they're written and with small changes.

A phrase also counts with its words inflected ("promised"), with "we" for "I", with contractions written
out, and with up to two words between its own, unless one of those or the word before denies it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from steward.base.language.grounding_text import stem

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")
_MOST_BETWEEN = 2
_WRITTEN_OUT = {
    "i'll": "i will", "we'll": "i will", "i'm": "i am", "we're": "i are", "i've": "i have", "we've": "i have",
    "you'll": "you will", "you're": "you are", "it's": "it is", "that's": "that is", "it'll": "it will",
    "won't": "will not", "can't": "can not", "cannot": "can not", "don't": "do not", "doesn't": "does not",
    "isn't": "is not", "aren't": "are not", "wouldn't": "would not", "couldn't": "could not", "we": "i",
    "our": "my", "us": "me",
}  # fmt: skip
_DENIALS = frozenset("not never no nobody nor neither".split())
_FEWEST_FOR_GAPS = 2
"""Words of a phrase from which other words may stand between its own."""


@dataclass(frozen=True, slots=True)
class Promises:
    """Forbidden phrases, prepared once."""

    literal: re.Pattern[str] | None
    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, phrases: Sequence[str]) -> Self:
        """Prepare a folder's phrases."""
        joined = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
        literal = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if phrases else None
        stemmed = (tuple(_stems(phrase)) for phrase in phrases)
        return cls(literal, tuple(dict.fromkeys(words for words in stemmed if words)))

    def written_in(self, text: str) -> bool:
        """Tell whether a text makes one of the promises as the folder writes it."""
        return self.literal is not None and self.literal.search(text) is not None

    def made_in(self, text: str) -> bool:
        """Tell whether a text makes one of the promises, as it's written or with small changes."""
        if self.written_in(text):
            return True
        words = _stems(text)
        return any(_stands_in(phrase, words) for phrase in self.phrases)


def _stands_in(phrase: Sequence[str], words: Sequence[str]) -> bool:
    most_between = _MOST_BETWEEN if len(phrase) >= _FEWEST_FOR_GAPS else 0
    return any(
        word == phrase[0]
        and (at == 0 or words[at - 1] not in _DENIALS)
        and _goes_on(phrase[1:], words[at + 1 :], most_between)
        for at, word in enumerate(words)
    )


def _goes_on(rest: Sequence[str], words: Sequence[str], most_between: int) -> bool:
    for wanted in rest:
        near = words[: most_between + 1]
        if wanted not in near:
            return False
        place = near.index(wanted)
        if wanted not in _DENIALS and not _DENIALS.isdisjoint(near[:place]):
            return False
        words = words[place + 1 :]
    return True


def _stems(text: str) -> list[str]:
    return [
        part if part in _DENIALS else stem(part)
        for word in _WORD.findall(text.lower().replace("’", "'"))
        for part in _WRITTEN_OUT.get(word, word).split()
    ]
