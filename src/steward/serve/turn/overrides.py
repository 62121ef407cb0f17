"""Words that ask for a human: exact in any case, or with one letter wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SHORTEST_TYPO = 5
"""Shorter words are matched exactly: one letter more or less makes another word of them."""


class OverrideWords:
    """Finds a release's override words in a message.

    A word with one letter wrong counts unless it is a word of its own ("advised" isn't "adviser"),
    which `is_word` tells.
    """

    def __init__(self, words: Sequence[str], *, is_word: Callable[[str], bool]) -> None:
        self._phrases = sorted(
            (tuple(_WORD.findall(entry.lower())) for entry in words), key=len, reverse=True
        )
        self._singles: list[str] = [phrase[0] for phrase in self._phrases if len(phrase) == 1]
        self._is_word = is_word

    def find(self, text: str) -> str | None:
        """Return the override word or phrase that the text holds, or None."""
        words = [word.lower() for word in _WORD.findall(text)]
        for phrase in self._phrases:
            size = len(phrase)
            if any(tuple(words[start : start + size]) == phrase for start in range(len(words) - size + 1)):
                return " ".join(phrase)
        return next(
            (
                single
                for word in words
                for single in self._singles
                if one_letter_apart(word, single) and not self._is_word(word)
            ),
            None,
        )


def one_letter_apart(word: str, target: str) -> bool:
    """Tell whether a word is the target with one letter added, lost, changed or two swapped."""
    if len(target) < _SHORTEST_TYPO or abs(len(word) - len(target)) > 1 or word == target:
        return False
    start = 0
    while start < min(len(word), len(target)) and word[start] == target[start]:
        start += 1
    rest, wanted = word[start:], target[start:]
    if len(rest) == len(wanted):
        swapped = len(rest) > 1 and rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
        return rest[1:] == wanted[1:] or swapped
    longer, shorter = (rest, wanted) if len(rest) > len(wanted) else (wanted, rest)
    return longer[1:] == shorter
