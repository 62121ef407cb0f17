"""Names and addresses that nothing announces, found by the trained tagger of a release."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_UNLISTED: Final = 6.5
"""Least margins, set on trained rows and two live bots' messages: of words that no list of names holds,"""
_UNLISTED_USUAL: Final = 6.0
"""of such words that are in use otherwise,"""
_LOWER_USUAL: Final = 9.0
"""of those in lower case, surnames that are words too among them,"""
_LOWER_KNOWN: Final = 5.0
"""of given names in lower case that are words of ordinary messages,"""
_LOWER: Final = 3.0
"""of other given names in lower case and of surnames with a capital,"""
_LISTED: Final = 1.0
"""and of given names with a capital."""

_MOST_LOWER: Final = 3
"""Words of a name in lower case."""
_ABBREVIATION: Final = 4
"""Letters up to which a word all in capitals, among others that aren't, is rather an abbreviation."""
_FEWEST_OF_SLIP: Final = 4
"""Letters from which a word may be an ordinary one mistyped; shorter ones are near too many."""


class TaggedNames:
    """A `Recogniser` around the tagger."""

    def __init__(self, tagger: NameTagger, *, is_own_word: Callable[[str], bool] | None = None) -> None:
        """Take the tagger, and what tells the assistant's own words.

        Args:
            tagger: the release's.
            is_own_word: whether a lower-case word stands in what the assistant knows. Words that all do,
                a product or a place, are a name only where they're written with capitals, one is a given
                name and the tagger is sure.
        """
        self._tagger = tagger
        self._is_own_word = is_own_word

    def find(self, text: str) -> Iterator[Span]:
        """Find names and addresses; each stands within the text and holds a letter."""
        folded = fold(text)
        for tagged in self._tagger.tag(folded.text):
            piece = folded.text[tagged.start : tagged.end]
            words = _WORD.findall(piece.lower())
            if tagged.label == "NAME":
                found = self._is_name(tagged, words, lower=piece == piece.lower()) and not (
                    tagged.margin < _SURE and _is_abbreviation(piece, folded.text)
                )
            else:
                found = self._is_address(tagged, words)
            if words and found:
                start, end = folded.original(tagged.start, tagged.end)
                yield Span(start, end, _KINDS[tagged.label], squeezed(piece) or piece)

    def _is_name(self, tagged: Tagged, words: Sequence[str], *, lower: bool) -> bool:
        if all(word in NOT_NAMES for word in words):
            return False
        if tagged.margin < _least(tagged.signs, lower=lower) or (lower and _is_clause(tagged.signs)):
            return False
        if lower and not any(tagged.signs) and all(map(self._is_mistyped, words)):
            return False
        given = any(GIVEN in signs for signs in tagged.signs)
        return (given and not lower and tagged.margin >= _SURE) or not self._is_own(words)

    def _is_address(self, tagged: Tagged, words: Sequence[str]) -> bool:
        if not STREET_WORDS.isdisjoint(words):
            return True
        if tagged.margin >= _SURE:
            return not self._is_own(words)
        return tagged.has_digit and not self._is_mostly_own(words)

    def _is_mistyped(self, word: str) -> bool:
        return len(word) >= _FEWEST_OF_SLIP and self._tagger.is_slip(word)

    def _is_mostly_own(self, words: Sequence[str]) -> bool:
        own = self._is_own_word
        return own is not None and 2 * sum(map(own, words)) > len(words)

    def _is_own(self, words: Sequence[str]) -> bool:
        return self._is_own_word is not None and all(map(self._is_own_word, words))


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the different words of texts in lower case, as `is_own_word` is asked for them."""
    return frozenset(word for text in texts for word in _WORD.findall(fold(text).text.lower()))


def _is_abbreviation(piece: str, text: str) -> bool:
    """Tell whether a short word all in capitals stands in a text that isn't shouted."""
    return piece.isupper() and piece.isalpha() and len(piece) <= _ABBREVIATION and not text.isupper()


def _is_clause(signs: Sequence[str]) -> bool:
    """Tell whether words in lower case are too many, or too little known, for a name: another language."""
    listed = sum(GIVEN in sign or SURNAME in sign for sign in signs)
    return len(signs) > _MOST_LOWER or (len(signs) == _MOST_LOWER and listed < _MOST_LOWER)


def _least(signs: Sequence[str], *, lower: bool) -> float:
    """Return the margin that a name needs, by the lists that hold its words."""
    given = any(GIVEN in sign for sign in signs)
    usual = all(KNOWN in sign or GENERAL in sign for sign in signs)
    if not given and not any(SURNAME in sign for sign in signs):
        return (_LOWER_USUAL if lower else _UNLISTED_USUAL) if usual else _UNLISTED
    if not lower:
        return _LISTED if given else _LOWER
    if usual and not given:
        return _LOWER_USUAL
    return _LOWER_KNOWN if all(KNOWN in sign for sign in signs) else _LOWER
