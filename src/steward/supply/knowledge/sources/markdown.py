"""Markdown: headings, paragraphs, lists and tables as blocks of plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from steward.supply.knowledge.contracts import Block, BlockKind, Reading
from steward.supply.knowledge.sources.plain import decode

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)
_SPACE = re.compile(r"\s+")


def read(content: bytes, path: str) -> Reading:
    """Read Markdown; front matter is skipped, the first level-one heading is the title.

    Raises:
        UnreadableDocument: it isn't UTF-8 text.
    """
    return read_text(decode(content, path))


def read_text(text: str) -> Reading:
    """Read Markdown that is text already."""
    tokens = _parser().parse(_FRONT_MATTER.sub("", text, count=1))
    blocks = _Blocks().take(tokens)
    title = next((b.text for b in blocks if b.kind is BlockKind.HEADING and b.level == 1), None)
    return Reading(title, tuple(blocks))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Blocks:
    """Walks the tokens once; keeps where it is in lists and tables."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._numbers: list[int | None] = []
        self._marker: str | None = None
        self._group = 0
        self._header: list[str] = []
        self._cells: list[str] = []
        self._in_cell = False
        self._in_header = False
        self._heading: int | None = None

    def take(self, tokens: Sequence[Token]) -> list[Block]:
        for token in tokens:
            handler = getattr(self, f"_{token.type}", None)
            if handler is not None:
                handler(token)
        return self._blocks

    def _heading_open(self, token: Token) -> None:
        self._heading = int(token.tag[1])

    def _heading_close(self, token: Token) -> None:
        self._heading = None

    def _bullet_list_open(self, token: Token) -> None:
        self._open_list(None)

    def _ordered_list_open(self, token: Token) -> None:
        self._open_list(int(token.attrs.get("start", 1)))

    def _open_list(self, number: int | None) -> None:
        if not self._numbers:
            self._group += 1
        self._numbers.append(number)

    def _bullet_list_close(self, token: Token) -> None:
        self._numbers.pop()

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, token: Token) -> None:
        number = self._numbers[-1]
        self._marker = "- " if number is None else f"{number}. "
        if number is not None:
            self._numbers[-1] = number + 1

    def _list_item_close(self, token: Token) -> None:
        self._marker = None

    def _table_open(self, token: Token) -> None:
        self._group += 1
        self._header = []

    def _thead_open(self, token: Token) -> None:
        self._in_header = True

    def _thead_close(self, token: Token) -> None:
        self._in_header = False

    def _td_open(self, token: Token) -> None:
        self._in_cell = True

    _th_open = _td_open

    def _td_close(self, token: Token) -> None:
        self._in_cell = False

    _th_close = _td_close

    def _tr_open(self, token: Token) -> None:
        self._cells = []

    def _tr_close(self, token: Token) -> None:
        if self._in_header:
            self._header = self._cells
        else:
            self._add(BlockKind.ROW, row_text(self._header, self._cells), 1)

    def _inline(self, token: Token) -> None:
        text = _plain(token.children or ())
        if self._heading is not None:
            self._add(BlockKind.HEADING, text, self._heading)
        elif self._in_cell:
            self._cells.append(text)
        else:
            self._paragraph(text)

    def _paragraph(self, text: str) -> None:
        if not self._numbers:
            self._add(BlockKind.PARAGRAPH, text, 1)
        elif self._marker is not None:
            self._add(BlockKind.ITEM, self._marker + text, len(self._numbers))
            self._marker = None
        elif self._blocks:
            last = self._blocks.pop()
            self._add(last.kind, f"{last.text} {text}", last.level)

    def _fence(self, token: Token) -> None:
        for line in token.content.splitlines():
            self._paragraph(line)

    _code_block = _fence

    def _html_block(self, token: Token) -> None:
        self._paragraph(_TAG.sub(" ", token.content))

    def _add(self, kind: BlockKind, text: str, level: int) -> None:
        text = _SPACE.sub(" ", text).strip()
        if text:
            group = self._group if kind in (BlockKind.ITEM, BlockKind.ROW) else 0
            self._blocks.append(Block(kind, text, level, group))


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """Write a table row so that it can be read alone: "Code: A-05; Meaning: locked"."""
    parts = []
    for index, cell in enumerate(cells):
        name = header[index] if index < len(header) else ""
        if cell:
            parts.append(f"{name}: {cell}" if name else cell)
    return "; ".join(parts)


def _plain(tokens: Sequence[Token]) -> str:
    """Return the words of inline tokens: no emphasis, no link targets, pictures by their description."""
    parts: list[str] = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(_plain(token.children or ()))
        elif token.type == "html_inline" and token.content.lower().startswith("<br"):
            parts.append(" ")
    return "".join(parts)
