"""Compares two releases: which files differ, what that means in words, and what it does to cost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.costs import CostChange

MOST_LINES: Final = 20_000
"""Files beyond this aren't compared line by line; difflib's time grows with the square."""


class Area(StrEnum):
    """The part of an assistant that a change is about, in the order in which changes are told."""

    MODELS = "models"
    PROMPTS = "prompts"
    INTENTS = "intents"
    THRESHOLDS = "thresholds"
    GUARDRAILS = "guardrails"
    KNOWLEDGE = "knowledge"
    WORKFLOWS = "workflows"
    SYSTEMS = "systems"
    DESK = "desk"
    ASSISTANT = "assistant"
    ROLLOUT = "rollout"
    CASES = "cases"
    MAKERS = "makers"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, as a sentence that whoever runs the support understands."""

    area: Area
    sentence: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs; line counts are None for binary and very long files."""

    path: str
    kind: Literal["added", "changed", "removed"]
    lines_added: int | None
    lines_removed: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs from one release to another; `summary` holds the sentences of `changes` in their order.

    `cost` is None where a conversation's cost isn't known for both.
    """

    before: ReleaseId
    after: ReleaseId
    files: tuple[FileChange, ...]
    summary: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    cost: CostChange | None = None


def changed_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[FileChange, ...]:
    """Return the files that differ, sorted by path."""
    return tuple(
        _change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """Return how many lines came and how many went."""
    old, new = before.splitlines(), after.splitlines()
    added = removed = 0
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return added, removed


def _change(path: str, before: bytes | None, after: bytes | None) -> FileChange:
    kind: Literal["added", "changed", "removed"] = (
        "added" if before is None else "removed" if after is None else "changed"
    )
    try:
        old, new = (before or b"").decode(), (after or b"").decode()
    except UnicodeDecodeError:
        return FileChange(path, kind, None, None)
    if old.count("\n") + new.count("\n") > MOST_LINES:
        return FileChange(path, kind, None, None)
    return FileChange(path, kind, *changed_lines(old, new))
