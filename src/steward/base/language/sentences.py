"""Splits English text into sentences, without losing a character.

A line break ends a sentence where lines are paragraphs, list items or table rows; it is a mere
space where a sentence was wrapped. Full stops inside amounts, addresses, abbreviations and initials
end nothing. Rules only: a support text has few hard cases, and the same text must always split the
same way, because verification and answering name sentences by their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# After these a full stop never ends a sentence.
_TITLES = (
    "mr mrs ms dr prof rev hon capt cllr sgt messrs mme st e.g eg i.e ie cf vs viz approx ca figs ref refs"
)
# After these it ends none if a digit follows: "No. 5" and "3 Jan. 2026", but "I said no."
_BEFORE_NUMBER = (
    "no nos nr art sec para ch p pp tel ext step fig eq vol min max est "
    "jan feb mar apr may jun jul aug sep sept oct nov dec"
)
_CONTINUES = frozenset(_TITLES.split())
_CONTINUES_BEFORE_NUMBER = frozenset(_BEFORE_NUMBER.split())
_LIST_MARKER = re.compile(r"[ \t]*(?:[-*+•·–]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])[ \t]+")
_END = re.compile(r"""(?:[.!?]+|…)[”’"')\]*_]*(?=\s|$)""")
_OPENING = "\"'“‘([*_"
_WORD_BEFORE = re.compile(r"(\S+)$")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a sentence stands in its text; outer white space is left out."""

    start: int
    end: int


def sentence_spans(text: str) -> tuple[Span, ...]:
    """Return the spans of the sentences of a text, in order.

    Between two spans there is only white space, so nothing is lost. A list item is split like any
    other line, its marker staying with its first sentence.
    """
    spans: list[Span] = []
    for start, end in _lines(text):
        spans.extend(_within(text, start, end))
    return tuple(spans)


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, in order, without outer white space."""
    return tuple(text[span.start : span.end] for span in sentence_spans(text))


def is_list_item(line: str) -> bool:
    """Tell whether a line starts with a bullet or a number."""
    return _LIST_MARKER.match(line) is not None


def _lines(text: str) -> list[tuple[int, int]]:
    """Return stretches of text that no sentence crosses: lines, joined where a sentence was wrapped."""
    stretches: list[tuple[int, int]] = []
    position = 0
    for line in text.splitlines(keepends=True):
        end = position + len(line)
        if not line.strip():
            stretches.append((position, position))
        elif stretches and stretches[-1][0] < position and _wraps(text[slice(*stretches[-1])], line):
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((position, end))
        position = end
    return [stretch for stretch in stretches if stretch[0] < stretch[1]]


def _wraps(before: str, line: str) -> bool:
    """Tell whether a line goes on with the sentence of the stretch before it."""
    last = before.rstrip()
    if not last or last[-1] in ".!?:;…|" or _LIST_MARKER.match(line):
        return False
    first = line.lstrip()[0]
    return first.islower() or last[-1] in ",-(" or last.endswith((" and", " or", " the", " of"))


def _within(text: str, start: int, end: int) -> list[Span]:
    spans: list[Span] = []
    marker = _LIST_MARKER.match(text, start, end)
    begin = start
    position = marker.end() if marker else start
    for match in _END.finditer(text, position, end):
        if _ends(text, begin, match.start(), match.end(), end):
            spans.extend(_trimmed(text, begin, match.end()))
            begin = match.end()
    spans.extend(_trimmed(text, begin, end))
    return spans


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return []
    offset = start + piece.index(stripped[0])
    return [Span(offset, offset + len(stripped))]


def _ends(text: str, begin: int, mark: int, after: int, end: int) -> bool:
    """Tell whether the punctuation at `mark`, closed at `after`, ends the sentence that began at `begin`."""
    following = text[after:end].lstrip()
    if not following:
        return True
    first = following.lstrip(_OPENING)[:1]
    marks = text[mark:after]
    if first.islower():
        return False
    if "…" in marks or marks.startswith(("..", "!", "?")):
        return True
    word_match = _WORD_BEFORE.search(text[begin:mark])
    word = word_match.group(1).lstrip(_OPENING) if word_match else ""
    return not _abbreviates(word, first)


def _abbreviates(word: str, following: str) -> bool:
    """Tell whether a full stop after a word belongs to the word."""
    lowered = word.lower()
    if len(word) == 1 and word.isalpha() and word.isupper() and word != "I":
        return True
    if following.isdigit() and lowered in _CONTINUES_BEFORE_NUMBER:
        return True
    return lowered in _CONTINUES
