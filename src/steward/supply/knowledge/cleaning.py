"""Turns a source document into plain text with structure, by the reader of its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath

from steward.supply.knowledge.contracts import BlockKind, CleanDocument, Reading, SourceDocument
from steward.supply.knowledge.errors import UnknownKind, UnreadableDocument

_SOURCES = "steward.supply.knowledge.sources"
READERS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".csv": "csv_faq",
    ".txt": "plain",
}
"""File ending to the module that reads it."""


def clean(document: SourceDocument) -> CleanDocument:
    """Read a document's bytes. Slow for PDF and HTML: on the event loop use `clean_all`.

    Raises:
        UnknownKind: no reader knows the file's ending.
        UnreadableDocument: its reader can't make text of it, or there is no text in it.
    """
    path = PurePosixPath(document.path)
    name = READERS.get(path.suffix.lower())
    if name is None:
        raise UnknownKind(document.path, READERS)
    read: Callable[[bytes, str], Reading] = import_module(f"{_SOURCES}.{name}").read
    reading = read(document.content, document.path)
    if all(block.kind is BlockKind.HEADING for block in reading.blocks):
        raise UnreadableDocument(document.path, "has no text below its headings")
    title = document.title or reading.title or _words(path.stem)
    return CleanDocument(document.path, title, reading.blocks)


async def clean_in_thread(document: SourceDocument) -> CleanDocument:
    """Read a document beside the event loop; raises as `clean` does."""
    return await asyncio.to_thread(clean, document)


def _words(stem: str) -> str:
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
