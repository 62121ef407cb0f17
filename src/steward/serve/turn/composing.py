"""From verified sentences to words with citation marks."""

from __future__ import annotations

from collections.abc import Sequence

from steward.serve.conversations.contracts import Citation, MessageRole
from steward.serve.turn.answering import Sentence
from steward.serve.turn.course import Course
from steward.serve.turn.guard import nearly_equal


def compose(course: Course, sentences: Sequence[Sentence]) -> tuple[str, tuple[Citation, ...]]:
    """Write sentences with their citation marks, numbered in the order of first use."""
    known = course.findings.citations
    fresh: list[Citation] = []
    text = ""
    for sentence in sentences:
        marks = ""
        for passage in sentence.cited:
            citation = next((item for item in known if item.passage == passage.id), None)
            if citation is None:
                citation = Citation(
                    len(known) + 1, passage.document_path, passage.id, passage.title, passage.source_url
                )
                known.append(citation)
                fresh.append(citation)
            marks += f" [{citation.index}]"
        text += f"{sentence.text}{marks}{sentence.ending}"
    return text.rstrip(), tuple(fresh)


def said_before(course: Course, text: str) -> bool:
    """Tell whether nearly the same question would get the same answer a second time."""
    plain, received = text.strip(), course.received
    if not plain or course.findings.sent:
        return False
    if not any(nearly_equal(received.text, earlier) for earlier in received.customer_texts):
        return False
    said = (said.text for said in received.history if said.role is MessageRole.ASSISTANT)
    return any(plain in earlier for earlier in said)
