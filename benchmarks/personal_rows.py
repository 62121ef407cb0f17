"""Labelled public texts with personal data, and which of them training may see.

The split is by template, by dialogue or by text, from a digest: no list to keep, the same everywhere.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

TRAINED_PERCENT = 60
"""Share of templates, dialogues and texts that training sees."""

Labelled = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A text, what is labelled in it, and the group that is trained on or measured as a whole."""

    text: str
    spans: tuple[Labelled, ...]
    group: str
    before: str = ""


def is_trained(group: str) -> bool:
    """Tell whether training may see a group of rows."""
    return int(sha256(group.encode()).hexdigest()[:8], 16) % 100 < TRAINED_PERCENT


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file of compressed JSON lines."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def synthetic(data: Path) -> list[Row]:
    """Return generated sentences; a group is a template."""
    found = records(data / "pii" / "presidio_synth.jsonl.xz")
    return [
        Row(str(record["text"]), tuple(map(tuple, record["spans"])), f"template {record['template']}")
        for record in found
    ]


def chat(data: Path) -> list[Row]:
    """Return typed turns of real people, with what was asked before; a group is a dialogue."""
    questions = _questions(data)
    rows = []
    for record in records(data / "pii" / "star_pii_turns.jsonl.xz"):
        dialogue = int(record["dialogue"])
        asked = questions.get(dialogue, ())
        place = int(record["turn"])
        before = asked[place] if place < len(asked) else ""
        spans = tuple(map(tuple, record["spans"]))
        rows.append(Row(str(record["text"]), spans, f"dialogue {dialogue}", before))
    return rows


def tweets(data: Path) -> list[Row]:
    """Return short public posts, words joined by spaces; a group is a text."""
    rows = []
    for record in records(data / "pii" / "wnut17_train_dev.jsonl.xz"):
        text, spans = _joined(record["tokens"], record["tags"])
        rows.append(Row(text, spans, f"text {text}"))
    return rows


def messages(data: Path, name: str) -> list[Row]:
    """Return customers' messages of a file of intents; a group is a text, with spaces and case ignored."""
    found = records(data / "intent" / f"{name}.jsonl.xz")
    texts = dict.fromkeys(str(record["text"]) for record in found)
    return [Row(text, (), f"message {' '.join(text.lower().split())}") for text in texts]


def _questions(data: Path) -> dict[int, tuple[str, ...]]:
    """Return, by dialogue, what the other side had said last before each turn of the user."""
    path = data / "logs" / "star_dialogues.jsonl.xz"
    if not path.is_file():
        return {}
    found: dict[int, tuple[str, ...]] = {}
    for record in records(path):
        asked: list[str] = []
        last = ""
        for event in record["Events"]:
            text = str(event.get("Text", ""))
            if event["Agent"] == "Wizard" and event["Action"] in ("pick_suggestion", "utter") and text:
                last = text
            elif event["Agent"] == "User" and event["Action"] == "utter":
                asked.append(last)
        found[int(record["DialogueID"])] = tuple(asked)
    return found


def _joined(tokens: list[str], tags: list[str]) -> tuple[str, tuple[Labelled, ...]]:
    spans: list[Labelled] = []
    position = 0
    for token, tag in zip(tokens, tags, strict=True):
        end = position + len(token)
        if tag.startswith("I-") and spans and spans[-1][1] == position - 1 and spans[-1][2] == tag[2:]:
            spans[-1] = (spans[-1][0], end, tag[2:])
        elif tag != "O":
            spans.append((position, end, tag[2:]))
        position = end + 1
    return " ".join(tokens), tuple(spans)
