"""What a person should look at in a knowledge base before publishing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from steward.supply.knowledge.cleaning import clean
from steward.supply.knowledge.contracts import SourceDocument
from steward.supply.knowledge.errors import UnknownKind, UnreadableDocument
from steward.supply.knowledge.splitting import split

SHORTEST_REPEAT_WORDS = 12
"""A passage of fewer words may stand in several documents without a remark."""


class Gravity(StrEnum):
    """Whether a remark stops publishing."""

    FAULT = "fault"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about one document."""

    path: str
    gravity: Gravity
    sentence: str


def check(documents: Sequence[SourceDocument], today: date) -> tuple[Remark, ...]:
    """Return remarks on documents, sorted by path: unreadable, expired, overdue, nobody's, repeated.

    Reads every document, so it is slow for PDF and HTML: off the event loop, please.
    """
    remarks: list[Remark] = []
    first_seen: dict[str, str] = {}
    for document in documents:
        remarks.extend(_about_dates(document, today))
        try:
            passages = split(clean(document))
        except (UnknownKind, UnreadableDocument) as error:
            remarks.append(Remark(document.path, Gravity.FAULT, str(error)))
            continue
        for passage in passages:
            before = first_seen.setdefault(passage.body, document.path)
            if before != document.path and len(passage.body.split()) >= SHORTEST_REPEAT_WORDS:
                sentence = f"says under '{passage.heading}' word for word what '{before}' says"
                remarks.append(Remark(document.path, Gravity.ADVICE, sentence))
    return tuple(sorted(remarks, key=lambda remark: (remark.path, remark.gravity is Gravity.ADVICE)))


def _about_dates(document: SourceDocument, today: date) -> list[Remark]:
    sentences = []
    if document.owner is None:
        sentences.append("has no owner; name the team that keeps it right")
    if document.review_by is None:
        sentences.append("has no review_by; say when somebody looks at it again")
    elif document.review_by < today:
        sentences.append(f"was to be reviewed by {document.review_by.isoformat()}")
    if document.valid_until is not None and document.valid_until < today:
        sentences.append(f"ended on {document.valid_until.isoformat()} and isn't found any more")
    if document.valid_from and document.valid_until and document.valid_until < document.valid_from:
        sentences.append("ends before it begins, so it is never found")
    return [Remark(document.path, Gravity.ADVICE, sentence) for sentence in sentences]
