"""PDF files: their text without the lines that every page repeats (pypdfium2)."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence

from steward.supply.knowledge.contracts import Reading
from steward.supply.knowledge.errors import UnreadableDocument
from steward.supply.knowledge.sources import plain

# PDFium isn't thread-safe: one document at a time in this process.
_pdfium = threading.Lock()
_DIGITS = re.compile(r"\d+")
# A line at a page's edge that stands on more than half of the pages, numbers aside, is furniture.
_EDGE_LINES = 2
_REPEATED_SHARE = 0.5
# Fewer characters a page than this is a scan with a stamp, not text.
_CHARACTERS_PER_PAGE = 20


def read(content: bytes, path: str) -> Reading:
    """Read the text of a PDF.

    Raises:
        UnreadableDocument: it is damaged, asks for a password, or holds only pictures of text.
    """
    pages = _pages(content, path)
    if sum(map(len, pages)) < _CHARACTERS_PER_PAGE * len(pages):
        raise UnreadableDocument(
            path, "holds pictures of text only; run text recognition over it, or give its text as Markdown"
        )
    lines = [[line.strip() for line in page.splitlines()] for page in pages]
    return plain.read_text("\n".join(_paragraphs(_without_furniture(lines))))


def _pages(content: bytes, path: str) -> list[str]:
    import pypdfium2

    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            reason = "asks for a password" if "assword" in str(error) else "is no readable PDF file"
            raise UnreadableDocument(path, f"{reason}; save it again without protection") from error
        try:
            return [page.get_textpage().get_text_bounded().replace("\x02", "-") for page in document]
        finally:
            document.close()


def _without_furniture(pages: Sequence[list[str]]) -> list[str]:
    """Return the pages' lines in order, without repeated headers, footers and page numbers."""
    pages = [[line for line in page if line] for page in pages]
    seen = Counter(shape for page in pages for shape in {_shape(line) for line in _edges(page)})
    repeated = {shape for shape, count in seen.items() if count > 1 and count > _REPEATED_SHARE * len(pages)}
    kept: list[str] = []
    for page in pages:
        for index, line in enumerate(page):
            at_edge = index < _EDGE_LINES or index >= len(page) - _EDGE_LINES
            if not (at_edge and (_shape(line) in repeated or line.isdigit())):
                kept.append(line)
    return kept


def _edges(page: list[str]) -> list[str]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line.lower())


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Put a blank line wherever the page's own line breaks show that a paragraph ended.

    PDFs have no paragraphs. A line far shorter than the widest that ends a sentence, and a short
    line that reads like a heading, are followed by a new one.
    """
    width = max((len(line) for line in lines), default=0)
    out: list[str] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if line.endswith("-") and following[:1].islower():
            out.append(line)
            continue
        heading = plain.looks_like_heading(line) and len(line) < 0.7 * width
        ended_before = not out or out[-1] == "" or out[-1][-1:] in ".!?:"
        if heading and ended_before and following and not following[:1].islower():
            out.extend(["", line])
            continue
        out.append(line)
        if line[-1:] in ".!?" and len(line) < 0.8 * width:
            out.append("")
    return _joined_hyphens(out)


def _joined_hyphens(lines: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].endswith("-") and line[:1].islower():
            joined[-1] = joined[-1][:-1] + line
        else:
            joined.append(line)
    return joined
