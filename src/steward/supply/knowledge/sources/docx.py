"""Word documents: headings, paragraphs, lists and tables by their styles (python-docx)."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from steward.supply.knowledge.contracts import Block, BlockKind, Reading
from steward.supply.knowledge.errors import UnreadableDocument
from steward.supply.knowledge.sources.markdown import row_text

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def read(content: bytes, path: str) -> Reading:
    """Read a .docx file in the order of its body.

    Raises:
        UnreadableDocument: it isn't a .docx file, or it has no text.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(io.BytesIO(content))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UnreadableDocument(path, "is no Word document; save it as .docx") from error
    reader = _Reader()
    for part in document.iter_inner_content():
        reader.take(part)
    if not reader.blocks:
        raise UnreadableDocument(path, "has no text")
    return Reading(reader.title, tuple(reader.blocks))


class _Reader:
    """Turns paragraphs and tables into blocks; numbers the items of numbered lists."""

    def __init__(self) -> None:
        self.title: str | None = None
        self.blocks: list[Block] = []
        self._group = 0
        self._number = 0

    def take(self, part: Any) -> None:
        if hasattr(part, "rows"):
            self._table(part)
        else:
            self._paragraph(_SPACE.sub(" ", part.text).strip(), str(part.style.name or ""))

    def _paragraph(self, text: str, style: str) -> None:
        if not text:
            return
        heading = _HEADING.match(style)
        if style == "Title":
            self.title = self.title or text
            self._add(BlockKind.HEADING, text, 1)
        elif heading:
            self._add(BlockKind.HEADING, text, int(heading.group(1)))
        elif style.startswith("List"):
            self._item(text, numbered="Number" in style)
        else:
            self._add(BlockKind.PARAGRAPH, text)

    def _item(self, text: str, *, numbered: bool) -> None:
        if not self.blocks or self.blocks[-1].kind is not BlockKind.ITEM:
            self._group += 1
            self._number = 0
        self._number += 1
        marker = f"{self._number}. " if numbered else "- "
        self._add(BlockKind.ITEM, marker + text, 1, self._group)

    def _table(self, table: Any) -> None:
        self._group += 1
        rows = [[_SPACE.sub(" ", cell.text).strip() for cell in row.cells] for row in table.rows]
        header = rows[0] if len(rows) > 1 else []
        for cells in rows[1:] if header else rows:
            text = row_text(header, cells)
            if text:
                self._add(BlockKind.ROW, text, 1, self._group)

    def _add(self, kind: BlockKind, text: str, level: int = 1, group: int = 0) -> None:
        if kind is BlockKind.HEADING and level == 1 and self.title is None:
            self.title = text
        self.blocks.append(Block(kind, text, level, group))
