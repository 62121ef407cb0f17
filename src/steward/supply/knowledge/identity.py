"""Names of documents, passages and snapshots: digests of what they hold, so the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from steward.base.digests import canonical_json, sha256_hex
from steward.supply.knowledge.contracts import (
    CleanDocument,
    DocumentId,
    PassageId,
    PassageText,
    SnapshotId,
    SourceDocument,
)
from steward.supply.knowledge.lexical import LEXICAL_VERSION
from steward.supply.knowledge.splitting import SPLITTER_VERSION


@dataclass(frozen=True, slots=True)
class NamedPassage:
    """A passage with its id and its document."""

    id: PassageId
    document: SourceDocument
    document_id: DocumentId
    title: str
    text: PassageText


def name_passages(
    document: SourceDocument, clean: CleanDocument, passages: Iterable[PassageText]
) -> tuple[NamedPassage, ...]:
    """Give a document's passages their ids; one that says the same twice is kept once.

    A document's id covers its metadata and all its text, so a document that changes in any way is
    another document, and a citation always shows what was there when it was given.
    """
    texts = tuple(passages)
    document_id = DocumentId(
        _digest(
            "document",
            [
                SPLITTER_VERSION,
                document.path,
                clean.title,
                document.audience.name,
                sorted(document.groups),
                document.owner,
                document.source,
                *(
                    day and day.isoformat()
                    for day in (document.valid_from, document.valid_until, document.review_by)
                ),
                [[text.heading, text.body] for text in texts],
            ],
        )
    )
    named: dict[PassageId, NamedPassage] = {}
    for text in texts:
        passage_id = PassageId(_digest("passage", [document_id, text.heading, text.body]))
        named.setdefault(passage_id, NamedPassage(passage_id, document, document_id, clean.title, text))
    return tuple(named.values())


def name_snapshot(passages: Iterable[NamedPassage], encoder: str) -> SnapshotId:
    """Return the id of a snapshot of passages under an encoder, whatever their order."""
    ids = sorted(passage.id for passage in passages)
    return SnapshotId(_digest("snapshot", [LEXICAL_VERSION, encoder, ids]))


def _digest(kind: str, parts: list[object]) -> str:
    return sha256_hex(canonical_json([kind, *parts]))
