"""Records of the knowledge package: what goes in, what is stored, what a search returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import NewType, Protocol

import numpy as np
from numpy.typing import NDArray

SnapshotId = NewType("SnapshotId", str)
PassageId = NewType("PassageId", str)
DocumentId = NewType("DocumentId", str)
Vector = NDArray[np.float32]

TRAIL = " › "
"""What stands between the parts of a heading path."""


class Audience(IntEnum):
    """Who may be shown a document; each reader sees its own level and those below."""

    PUBLIC = 0
    CUSTOMER = 1
    AGENT = 2
    INTERNAL = 3


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document as it was written.

    `path` names it within the knowledge base and its ending tells its kind; `content` has no front
    matter. Empty `groups` means everybody of the audience. It is found from `valid_from` to
    `valid_until`, both days included.
    """

    path: str
    content: bytes
    title: str | None = None
    audience: Audience = Audience.PUBLIC
    groups: tuple[str, ...] = ()
    owner: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    review_by: date | None = None
    source: str | None = None


class BlockKind(StrEnum):
    """What a block of text is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, a list item or a table row.

    `text` is one line, for an item with its marker in front. `level` is a heading's level or an
    item's depth, counted from 1. Items of one list and rows of one table share a `group`.
    """

    kind: BlockKind
    text: str
    level: int = 1
    group: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of a file: the title it found, if any, and its blocks in order."""

    title: str | None
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class CleanDocument:
    """A document as plain text with its structure; `title` is never empty."""

    path: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class PassageText:
    """A piece of a document: its place in it, its heading path (the title first) and its text."""

    ordinal: int
    heading: str
    body: str

    @property
    def text(self) -> str:
        """Heading path and body, as they are embedded and indexed."""
        return f"{self.heading}\n{self.body}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found.

    `dense` is the cosine with the question clipped to 0..1, `lexical` the share of the question's
    weighted words that it holds, `score` their convex sum.
    """

    id: PassageId
    document_path: str
    title: str
    heading: str
    body: str
    source_url: str | None
    ordinal: int
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that fit a question, best first, and how strong they are as evidence (0..1)."""

    passages: tuple[Passage, ...]
    evidence: float


class Searcher(Protocol):
    """Finds passages in one snapshot."""

    async def find(
        self,
        text: str,
        vector: Vector,
        *,
        audience: Audience,
        groups: Sequence[str],
        today: date,
        limit: int,
    ) -> Found:
        """Return at most `limit` passages that the reader may see today, best first."""
        ...
