"""CSV files of questions and answers: each row becomes a section headed by its question."""

from __future__ import annotations

import csv
import io

from steward.supply.knowledge.contracts import Block, BlockKind, Reading
from steward.supply.knowledge.errors import UnreadableDocument
from steward.supply.knowledge.sources import plain

QUESTION, ANSWER = "question", "answer"


def read(content: bytes, path: str) -> Reading:
    """Read a CSV file with the columns `question` and `answer`, in any case and order.

    Raises:
        UnreadableDocument: a column is missing, or a row has a question without an answer.
    """
    text = plain.decode(content, path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    missing = [name for name in (QUESTION, ANSWER) if name not in names]
    if missing:
        raise UnreadableDocument(path, f"lacks the column '{missing[0]}' in its first line")
    blocks: list[Block] = []
    for row in rows:
        question = " ".join((row[names[QUESTION]] or "").split())
        answer = (row[names[ANSWER]] or "").strip()
        if question and not answer:
            raise UnreadableDocument(path, f"has a question without an answer in line {rows.line_num}")
        if question:
            blocks.append(Block(BlockKind.HEADING, question, 2))
            blocks.extend(plain.read_text(answer).blocks)
    return Reading(None, tuple(blocks))
