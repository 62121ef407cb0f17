"""Turns a source document into plain text with structure, by the reader of its kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePosixPath

from steward.supply.knowledge.contracts import BlockKind, CleanDocument, Reading, SourceDocument
from steward.supply.knowledge.errors import UnknownKind, UnreadableDocument

# PostgreSQL refuses NUL, and no reader wants the others.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
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
    """Read a document's bytes. Slow for PDF and HTML: never call it on the event loop.

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
    blocks = tuple(replace(block, text=_CONTROL.sub("", block.text)) for block in reading.blocks)
    return CleanDocument(document.path, _CONTROL.sub("", title), blocks)


def _words(stem: str) -> str:
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
