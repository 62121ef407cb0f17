"""Names and addresses that nothing announces, found by the trained tagger of a release."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from steward.base.language.name_features import GENERAL, GIVEN, KNOWN, SURNAME
from steward.base.language.names import NameTagger, Tagged
from steward.govern.privacy.contracts import Kind, Span
from steward.govern.privacy.folding import fold
from steward.govern.privacy.names import NOT_NAMES
from steward.govern.privacy.places import STREET_WORDS
from steward.govern.privacy.scanning import squeezed

_KINDS: Final = {"NAME": Kind.NAME, "ADDRESS": Kind.ADDRESS}
_WORD = re.compile(r"[^\W\d_]+")
_SURE: Final = 8.0
"""Margin above which an address needs no number, and a name may be one of the assistant's words."""
_UNLISTED: Final = 3.5
"""Least margin of a name of which no list of names holds a word, and of one that is in use as a word."""
_UNLISTED_USUAL: Final = 6.0


class TaggedNames:
    """A `Recogniser` around the tagger."""

    def __init__(self, tagger: NameTagger, *, is_own_word: Callable[[str], bool] | None = None) -> None:
        """Take the tagger, and what tells the assistant's own words.

        Args:
            tagger: the release's.
            is_own_word: whether a lower-case word stands in what the assistant knows. A single word that
                does, a product or a place, is a name only where the tagger is sure.
        """
        self._tagger = tagger
        self._is_own_word = is_own_word

    def find(self, text: str) -> Iterator[Span]:
        """Find names and addresses; each stands within the text and holds a letter."""
        folded = fold(text)
        for tagged in self._tagger.tag(folded.text):
            piece = folded.text[tagged.start : tagged.end]
            words = _WORD.findall(piece.lower())
            if words and (self._is_name if tagged.label == "NAME" else self._is_address)(tagged, words):
                start, end = folded.original(tagged.start, tagged.end)
                yield Span(start, end, _KINDS[tagged.label], squeezed(piece) or piece)

    def _is_name(self, tagged: Tagged, words: Sequence[str]) -> bool:
        if all(word in NOT_NAMES for word in words):
            return False
        if not any(GIVEN in signs or SURNAME in signs for signs in tagged.signs):
            usual = any(KNOWN in signs or GENERAL in signs for signs in tagged.signs)
            if tagged.margin < (_UNLISTED_USUAL if usual else _UNLISTED):
                return False
        return len(words) > 1 or tagged.margin >= _SURE or not self._is_own(words)

    def _is_address(self, tagged: Tagged, words: Sequence[str]) -> bool:
        if not STREET_WORDS.isdisjoint(words):
            return True
        return (tagged.margin >= _SURE or tagged.has_digit) and not self._is_own(words)

    def _is_own(self, words: Sequence[str]) -> bool:
        return self._is_own_word is not None and all(map(self._is_own_word, words))
