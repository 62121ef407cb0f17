"""What can be wrong with knowledge.

InvalidInput
├── UnknownKind           a file whose kind no reader knows
└── UnreadableDocument    a file that its reader can't make text of
NotFound
└── NoSuchSnapshot
"""

from __future__ import annotations

from collections.abc import Iterable

from steward.base.errors import InvalidInput, NotFound


class UnknownKind(InvalidInput):
    """A file whose kind no reader knows."""

    def __init__(self, path: str, supported: Iterable[str]) -> None:
        kinds = ", ".join(sorted(supported))
        super().__init__(
            f"knowledge document '{path}' is of a kind that can't be read; supported are {kinds}"
        )
        self.path = path


class UnreadableDocument(InvalidInput):
    """A file that can't be turned into text."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"knowledge document '{path}' {reason}")
        self.path = path


class NoSuchSnapshot(NotFound):
    """A snapshot that was never published here."""

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(f"knowledge snapshot {snapshot_id} isn't in this database; publish it first")
