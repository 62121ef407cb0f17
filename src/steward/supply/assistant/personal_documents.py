"""What in a folder's documents is personal, at its place, by the folder's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from steward.govern.privacy.contracts import Recogniser
from steward.govern.privacy.detection import Detector
from steward.supply.assistant.faults import Fault
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.guardrails import Masking
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.personal import DocumentMasker, DocumentRule

_WHAT_THEN: Final = {
    DocumentRule.REPORT: "is published as it is",
    DocumentRule.MASK: "is masked when it is published",
    DocumentRule.REFUSE: "stops publishing",
}


def detector_of(masking: Masking, *, recognisers: Sequence[Recogniser] = ()) -> Detector:
    """Return the folder's masking rules, with further recognisers where it's customers' texts."""
    return Detector(
        keep=[(rule.name, rule.pattern) for rule in masking.keep],
        mask=[(rule.name, rule.pattern) for rule in masking.mask],
        recognisers=recognisers,
    )


def document_masker(masking: Masking) -> DocumentMasker:
    """Return what looks through documents by the folder's rules."""
    return DocumentMasker(detector_of(masking), keep=[rule.pattern for rule in masking.document_keep])


def personal_finds(folder: Folder) -> Iterator[Fault]:
    """Yield one sentence per find: what kind it is and what will happen to it."""
    masking = folder.guardrails.masking
    masker, then = document_masker(masking), _WHAT_THEN[DocumentRule(masking.documents)]
    for document in folder.documents:
        source = SourceDocument(
            path=document.path,
            content=document.content,
            audience=Audience[document.meta.audience.name],
        )
        for found in masker.find(source):
            line = None if found.line is None else found.line + document.front_matter_lines
            said = (
                f"something personal ({found.kind}) stands here and {then}; `document_keep` lets values stand"
            )
            yield Fault(f"knowledge/{found.path}", line, None if line is None else 1, said)
