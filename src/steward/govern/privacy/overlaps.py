"""What further recognisers found, joined with what the rules found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from steward.govern.privacy.contracts import Kind, Span
from steward.govern.privacy.scanning import squeezed

_ABSORBED: Final = frozenset({Kind.ADDRESS, Kind.POSTCODE, Kind.NAME, Kind.NUMBER, Kind.FRAGMENT, Kind.PHONE})
"""Kinds of the rules that may be a part of what a recogniser found: a number in an address, for instance."""
_EDGES: Final = " \t\r\n.,;:!?()[]{}\"'-–—/"


def added(spans: Sequence[Span], extra: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return the rules' finds and further ones, in order, without overlaps.

    A further find covers rules' finds that may be a part of it; around others it is cut.

    Args:
        spans: the rules' finds, without overlaps.
        extra: further finds, in any order; those outside the text are left out.
        text: what they point into.
    """
    solid = [span for span in spans if span.kind not in _ABSORBED]
    soft = [span for span in spans if span.kind in _ABSORBED]
    pieces = [piece for span in extra for piece in _around(span, solid, text)]
    return tuple(sorted([*solid, *_united(soft, pieces, text)], key=lambda span: span.start))


def _around(span: Span, solid: Sequence[Span], text: str) -> Iterator[Span]:
    """Yield the parts of a find that no solid one covers, without punctuation at their edges."""
    if not 0 <= span.start < span.end <= len(text):
        return
    position = span.start
    for other in solid:
        if other.end <= position or other.start >= span.end:
            continue
        yield from _trimmed(span, position, other.start, text)
        position = other.end
    if position == span.start:
        yield span
    else:
        yield from _trimmed(span, position, span.end, text)


def _trimmed(span: Span, start: int, end: int, text: str) -> Iterator[Span]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    piece = text[start:end]
    numbered = any(letter.isdigit() for letter in piece)
    if any(letter.isalpha() for letter in piece) and (numbered or span.kind != Kind.ADDRESS):
        yield Span(start, end, span.kind, squeezed(piece) or piece)


def _united(soft: Sequence[Span], pieces: Sequence[Span], text: str) -> Iterator[Span]:
    """Yield one span over each group of overlapping ones; the longest gives the kind."""
    ordered = sorted([*soft, *pieces], key=lambda span: (span.start, -span.end))
    group: list[Span] = []
    end = -1
    for span in ordered:
        if group and span.start >= end:
            yield _over(group, end, text)
            group = []
        end = max(end, span.end) if group else span.end
        group.append(span)
    if group:
        yield _over(group, end, text)


def _over(group: Sequence[Span], end: int, text: str) -> Span:
    start = group[0].start
    widest = max(group, key=lambda span: span.end - span.start)
    if (widest.start, widest.end) == (start, end):
        return widest
    return Span(start, end, widest.kind, squeezed(text[start:end]) or text[start:end])
