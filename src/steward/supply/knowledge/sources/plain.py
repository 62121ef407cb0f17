"""Plain text: blank lines part paragraphs, bullets and numbers make lists."""

from __future__ import annotations

import re
from collections.abc import Iterable

from steward.base.language.sentences import is_list_item
from steward.supply.knowledge.contracts import Block, BlockKind, Reading
from steward.supply.knowledge.errors import UnreadableDocument

_SPACE = re.compile(r"\s+")
# A line of at most so many words that ends in no punctuation and stands before text is a heading.
HEADING_WORDS = 12


def read(content: bytes, path: str) -> Reading:
    """Read plain text.

    Raises:
        UnreadableDocument: it isn't UTF-8 text.
    """
    return read_text(decode(content, path))


def read_text(text: str) -> Reading:
    """Read plain text that is decoded already."""
    blocks: list[Block] = []
    for group, lines in enumerate(_stretches(text), start=1):
        blocks.extend(_stretch(lines, group))
    return Reading(None, tuple(blocks))


def decode(content: bytes, path: str) -> str:
    """Return the text of UTF-8 bytes with `\\n` as its only line end.

    Raises:
        UnreadableDocument: the bytes aren't UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(path, f"isn't UTF-8 text (byte {error.start}); save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _stretches(text: str) -> Iterable[list[str]]:
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip():
            lines.append(_SPACE.sub(" ", line).strip())
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _stretch(lines: list[str], group: int) -> list[Block]:
    """Turn lines without a blank line between them into blocks, joining what was wrapped."""
    blocks: list[Block] = []
    if len(lines) > 1 and looks_like_heading(lines[0]) and not lines[1][:1].islower():
        blocks.append(Block(BlockKind.HEADING, lines[0], 2))
        lines = lines[1:]
    for line in lines:
        if is_list_item(line):
            blocks.append(Block(BlockKind.ITEM, line, 1, group))
        elif blocks and blocks[-1].kind is not BlockKind.HEADING:
            last = blocks.pop()
            blocks.append(Block(last.kind, f"{last.text} {line}", last.level, last.group))
        else:
            blocks.append(Block(BlockKind.PARAGRAPH, line))
    return blocks


def looks_like_heading(line: str) -> bool:
    """Tell whether a line reads like a heading: short, begun by a capital or digit, no full stop."""
    return (
        len(line.split()) <= HEADING_WORDS
        and len(line) <= 90
        and (line[0].isupper() or line[0].isdigit())
        and line[-1] not in ".,;:!"
        and not is_list_item(line)
    )
