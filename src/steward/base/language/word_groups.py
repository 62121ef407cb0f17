"""Words in groups: which of a text's words a head knows, whatever the text is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

LONGEST: Final = 8000
"""Characters read of a text."""
_WORD = re.compile(r"[a-z0-9'-]+")


def words_of(text: str) -> list[str]:
    """Return a text's words of Latin letters and digits in lower case; heads may share the list."""
    return _WORD.findall(text[:LONGEST].lower().replace("’", "'"))


class WordGroups:
    """Groups of words; a word may be in several."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        """Take the words of each group, apart by white space; `_` joins two that follow each other."""
        terms: dict[str, tuple[int, ...]] = {}
        for place, words in enumerate(groups.values()):
            for term in dict.fromkeys(words.split()):
                terms[term] = (*terms.get(term, ()), place)
        self.groups_of: Mapping[str, tuple[int, ...]] = terms
        self._begin_pairs = frozenset(term.split("_")[0] for term in terms if "_" in term)

    def places(self, words: Sequence[str]) -> dict[str, list[int]]:
        """Return where each word and pair that is in some group stands, a pair by its first word."""
        terms, begin_pairs = self.groups_of, self._begin_pairs
        found: dict[str, list[int]] = {}
        for index, word in enumerate(words):
            if word in terms:
                found.setdefault(word, []).append(index)
            if word in begin_pairs and index + 1 < len(words):
                pair = f"{word}_{words[index + 1]}"
                if pair in terms:
                    found.setdefault(pair, []).append(index)
        return found
