"""Personal data in documents: found with file and line, taken out, or a reason to refuse.

A company's own addresses and numbers belong into documents that customers read, so in those only what no
company publishes counts; in documents for staff everything does. Patterns name further values to keep.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from steward.govern.privacy.bulk import StreamMasker
from steward.govern.privacy.contracts import Kind, Span
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.fragments import NOTHING, Before
from steward.supply.knowledge.cleaning import clean
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.errors import PersonalDocuments, UnknownKind, UnreadableDocument
from steward.supply.knowledge.splitting import split

_NEVER_PUBLISHED: Final = frozenset(
    {
        Kind.CARD, Kind.CARD_CODE, Kind.CARD_EXPIRY, Kind.IBAN, Kind.ACCOUNT, Kind.NATIONAL_ID, Kind.PASSPORT,
        Kind.DATE_OF_BIRTH, Kind.PASSWORD, Kind.ONE_TIME_CODE, Kind.API_KEY,
    }
)  # fmt: skip
_UNCERTAIN: Final = frozenset({Kind.NUMBER, Kind.FRAGMENT, Kind.LITERAL, Kind.POSTCODE})
"""Kinds that mean something only in what a customer says."""
_TEXTS: Final = (".md", ".txt", ".html", ".htm")


class DocumentRule(StrEnum):
    """What happens to personal data in a document."""

    REPORT = "report"
    MASK = "mask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PersonalFind:
    """Personal data at a place: the document's path, the line (None where there are none), and the kind."""

    path: str
    line: int | None
    kind: str


class DocumentMasker:
    """Looks for personal data in documents by a release's rules."""

    def __init__(self, detector: Detector, *, keep: Sequence[str] = ()) -> None:
        """Take the masking rules, and patterns of whole values that documents may show."""
        self._detector = detector
        self._keep = tuple(re.compile(pattern, re.IGNORECASE) for pattern in keep)

    def find(self, document: SourceDocument) -> tuple[PersonalFind, ...]:
        """Return what is personal in a document; one that can't be read has nothing."""
        if document.path.endswith(_TEXTS):
            text = document.content.decode(errors="replace")
            return tuple(
                PersonalFind(document.path, text.count("\n", 0, span.start) + 1, span.kind)
                for span in self._wanted(document.audience).find(text)
            )
        try:
            passages = split(clean(document))
        except (UnknownKind, UnreadableDocument):
            return ()
        wanted = self._wanted(document.audience)
        kinds = {span.kind for passage in passages for span in wanted.find(passage.body)}
        return tuple(PersonalFind(document.path, None, kind) for kind in sorted(kinds))

    def mask(self, document: SourceDocument) -> SourceDocument:
        """Return a document with tokens for what is personal.

        Raises:
            PersonalDocuments: it holds something personal and isn't text.
        """
        found = self.find(document)
        if not found:
            return document
        if not document.path.endswith(_TEXTS):
            raise PersonalDocuments([(document.path, None, found[0].kind)])
        masker = StreamMasker(self._wanted(document.audience))
        text = document.content.decode(errors="replace")
        return replace(document, content=(masker.feed(text) + masker.close()).encode())

    def _wanted(self, audience: Audience) -> _Wanted:
        return _Wanted(self._detector, self._keep, audience)

    def apply(self, documents: Sequence[SourceDocument], rule: DocumentRule) -> list[SourceDocument]:
        """Return documents as they may be published; reads all of them, so off the event loop, please.

        Raises:
            PersonalDocuments: the rule refuses what was found, or something can't be masked.
        """
        if rule is DocumentRule.REPORT:
            return list(documents)
        if rule is DocumentRule.MASK:
            return [self.mask(document) for document in documents]
        found = [item for document in documents for item in self.find(document)]
        if found:
            raise PersonalDocuments([(item.path, item.line, item.kind) for item in found])
        return list(documents)


class _Wanted:
    """A release's rules, limited to what counts in documents of one audience."""

    def __init__(self, detector: Detector, keep: Sequence[re.Pattern[str]], audience: Audience) -> None:
        self._all = detector
        self._kept = keep
        self._open = audience in (Audience.PUBLIC, Audience.CUSTOMER)

    def find(self, text: str, *, before: Before = NOTHING) -> tuple[Span, ...]:
        """Return what counts."""
        found: list[Span] = []
        place = 0
        for line in text.splitlines(keepends=True):
            # What the words of one line say means nothing for numbers in another.
            found += (
                replace(span, start=span.start + place, end=span.end + place)
                for span in self._all.find(line, before=before)
            )
            place += len(line)
        return tuple(span for span in found if self._counts(span, text[span.start : span.end]))

    def _counts(self, span: Span, written: str) -> bool:
        if span.kind in _UNCERTAIN or (self._open and span.kind not in _NEVER_PUBLISHED):
            return False
        if self._open and span.kind == Kind.PASSWORD and not any(sign.isdigit() for sign in written):
            # "Your password is printed on the card": help about passwords is full of such words.
            return False
        if self._open and span.kind == Kind.NATIONAL_ID and written.startswith(("0", "+", "(0")):
            # A telephone number beside the word "national".
            return False
        return not any(pattern.fullmatch(written.strip()) for pattern in self._kept)
