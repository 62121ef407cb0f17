"""Splits a clean document into passages that can be read, found and cited alone.

A passage never crosses a heading and carries its heading path. Paragraphs, list items and table
rows stay whole; a section that is too long is cut into parts of about equal length between them,
and a single block that is too long between its sentences. A line that ends in a colon stays with
what it introduces. Nothing is lost: the bodies of a section's passages are its blocks in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from steward.base.language.sentences import sentences
from steward.supply.knowledge.contracts import TRAIL, Block, BlockKind, CleanDocument, PassageText

SPLITTER_VERSION = "1"
"""Part of a snapshot's identity: changes whenever the same document would split differently."""

MAX_WORDS = 180
"""Longest passage. With its heading it fits the 256 word pieces that MiniLM reads."""


@dataclass(frozen=True, slots=True)
class _Section:
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Text that isn't cut: `joined` tells that it belongs to the unit before it."""

    text: str
    words: int
    joined: bool


def split(document: CleanDocument) -> tuple[PassageText, ...]:
    """Return the passages of a document in order, each of at most `MAX_WORDS` words."""
    passages: list[PassageText] = []
    for section in _sections(document):
        for body in _bodies(section.blocks):
            passages.append(PassageText(len(passages), section.heading, body))
    return tuple(passages)


def _sections(document: CleanDocument) -> Iterator[_Section]:
    trail: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for block in document.blocks:
        if block.kind is not BlockKind.HEADING:
            blocks.append(block)
            continue
        if blocks:
            yield _Section(_path(document.title, trail), tuple(blocks))
            blocks = []
        trail = [(level, text) for level, text in trail if level < block.level]
        trail.append((block.level, block.text))
    if blocks:
        yield _Section(_path(document.title, trail), tuple(blocks))


def _path(title: str, trail: Sequence[tuple[int, str]]) -> str:
    parts = [title, *(text for _, text in trail if text.casefold() != title.casefold())]
    return TRAIL.join(parts)


def _bodies(blocks: Sequence[Block]) -> list[str]:
    units = [unit for index, block in enumerate(blocks) for unit in _units(block, blocks[index - 1 : index])]
    total = sum(unit.words for unit in units)
    target = total / max(1, ceil(total / MAX_WORDS))
    bodies: list[str] = []
    body, words = "", 0
    for index, unit in enumerate(units):
        ahead = _introduced(units, index)
        full = words and (words + unit.words > MAX_WORDS or (words >= target and not unit.joined))
        if full or (words and ahead and words + ahead > MAX_WORDS and words >= target / 2):
            bodies.append(body)
            body, words = "", 0
        body += (" " if unit.joined and body else "\n" if body else "") + unit.text
        words += unit.words
    return [*bodies, body] if body else bodies


def _introduced(units: Sequence[_Unit], index: int) -> int:
    """Return the words of a line that ends in a colon and of the first thing after it, else 0."""
    if units[index].text.endswith(":") and index + 1 < len(units):
        return units[index].words + units[index + 1].words
    return 0


def _units(block: Block, before: Sequence[Block]) -> list[_Unit]:
    words = len(block.text.split())
    if words <= MAX_WORDS:
        return [_Unit(block.text, words, joined=False)]
    pieces = [piece for sentence in sentences(block.text) for piece in _short(sentence)]
    return [_Unit(piece, len(piece.split()), joined=index > 0) for index, piece in enumerate(pieces)]


def _short(sentence: str) -> list[str]:
    """Cut a sentence longer than a passage between its words."""
    words = sentence.split()
    if len(words) <= MAX_WORDS:
        return [sentence]
    return [" ".join(words[start : start + MAX_WORDS]) for start in range(0, len(words), MAX_WORDS)]
