"""Compares two releases: which files differ, by how much, and what that means in words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from steward.supply.assistant.folder import Folder
from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.identity import makers_of

MOST_LINES: Final = 20_000
"""Files beyond this aren't compared line by line; difflib's time grows with the square."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs; line counts are None for binary and very long files."""

    path: str
    kind: Literal["added", "changed", "removed"]
    lines_added: int | None
    lines_removed: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs from one release to another; `summary` holds one phrase per meaning."""

    before: ReleaseId
    after: ReleaseId
    files: tuple[FileChange, ...]
    summary: tuple[str, ...]


def changed_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[FileChange, ...]:
    """Return the files that differ, sorted by path."""
    return tuple(
        _change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def _change(path: str, before: bytes | None, after: bytes | None) -> FileChange:
    kind: Literal["added", "changed", "removed"] = (
        "added" if before is None else "removed" if after is None else "changed"
    )
    try:
        old = (before or b"").decode().splitlines()
        new = (after or b"").decode().splitlines()
    except UnicodeDecodeError:
        return FileChange(path, kind, None, None)
    if len(old) + len(new) > MOST_LINES:
        return FileChange(path, kind, None, None)
    added = removed = 0
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return FileChange(path, kind, added, removed)


def in_words(
    before: Folder, after: Folder, old_manifest: Mapping[str, Any], new_manifest: Mapping[str, Any]
) -> tuple[str, ...]:
    """Say what differs in the words of the folder: intents, workflows, documents, thresholds."""
    return (
        *_named("category", before.intents.categories, after.intents.categories, _name),
        *_named("intent", before.intents.intents, after.intents.intents, _name),
        *_kept("workflow", before.workflows, after.workflows),
        *_named("risk rule", before.guardrails.risks, after.guardrails.risks, _name),
        *_named("system", before.connectors.systems, after.connectors.systems, _name),
        *_kept("prompt", before.prompts, after.prompts),
        *_named("document", before.documents, after.documents, lambda document: str(document.path)),
        *_named("case", before.cases, after.cases, _name),
        *_parts(before, after),
        *_makers(old_manifest, new_manifest),
    )


def _name(part: Any) -> str:
    return str(part.name)


def _named(kind: str, old: Any, new: Any, key: Callable[[Any], str]) -> Iterator[str]:
    yield from _kept(kind, {key(part): part for part in old}, {key(part): part for part in new})


def _kept(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"{kind} {name} added"
        elif name not in new:
            yield f"{kind} {name} removed"
        elif old[name] != new[name]:
            yield f"{kind} {name} changed"


def _parts(before: Folder, after: Folder) -> Iterator[str]:
    """Parts without names of their own are compared key by key."""
    parts = (
        ("assistant.yaml", before.assistant, after.assistant),
        ("guardrails.yaml", before.guardrails, after.guardrails),
        ("desk.yaml", before.desk, after.desk),
        ("rollout.yaml", before.rollout, after.rollout),
    )
    for file, old, new in parts:
        for key in type(old).model_fields:
            if (file, key) != ("guardrails.yaml", "risks") and getattr(old, key) != getattr(new, key):
                yield f"{key} in {file} changed"
    if before.governance != after.governance:
        yield "governance changed"
    if before.intents.out_of_scope != after.intents.out_of_scope:
        yield "out-of-scope messages changed"


def _makers(old_manifest: Mapping[str, Any], new_manifest: Mapping[str, Any]) -> Iterator[str]:
    old, new = makers_of(old_manifest), makers_of(new_manifest)
    for what in ("encoder", "retrieval", "trainer", "splitter", "seed"):
        if getattr(old, what) != getattr(new, what):
            yield f"{what} changed"
