"""Whether a question was asked before in nearly the same words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

NEARLY_EQUAL: Final = 0.8
"""Share of words (Jaccard) from which two questions count as the same."""
SAME_QUESTION_HANDS_OVER: Final = 3
_MAY_MISS: Final = 0.201
"""Share of a question's words that a nearly equal one may lack, and a little for rounding."""
_FEWEST_WORDS: Final = 3
_LOOKED_AT: Final = 8000
_WORD = re.compile(r"[^\W_]+")


def nearly_equal(question: str, other: str) -> bool:
    """Tell whether two questions say the same in nearly the same words."""
    return _overlap(_words(question), _words(other)) >= NEARLY_EQUAL


def goes_round(text: str, earlier: Sequence[str]) -> bool:
    """Tell whether a message is the third nearly equal one."""
    if len(earlier) + 1 < SAME_QUESTION_HANDS_OVER:
        return False
    words = _words(text)
    if len(words) < _FEWEST_WORDS:
        return False
    same = sum(
        _may_be_equal(words, before) and _overlap(words, _words(before)) >= NEARLY_EQUAL for before in earlier
    )
    return same + 1 >= SAME_QUESTION_HANDS_OVER


def _may_be_equal(words: frozenset[str], before: str) -> bool:
    """Tell whether a message holds enough of the words, if only as parts of others."""
    if not before.isascii():
        return True
    lowered = before[:_LOOKED_AT].lower()
    missing = 0
    for word in words:
        missing += word not in lowered
        if missing > _MAY_MISS * len(words):
            return False
    return True


def _words(text: str) -> frozenset[str]:
    looked_at = text[:_LOOKED_AT]
    if looked_at.isascii():
        return frozenset(_WORD.findall(looked_at.lower()))
    return frozenset(word.lower() for word in _WORD.findall(looked_at))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one & other) / len(union) if union else 0.0
