"""What can be wrong with knowledge.

InvalidInput
├── PersonalDocuments     documents hold personal data that mustn't be published
├── UnknownKind           a file whose kind no reader knows
└── UnreadableDocument    a file that its reader can't make text of
NotFound
└── NoSuchSnapshot
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steward.base.errors import InvalidInput, NotFound

_SHOWN = 8
"""Places that a sentence names."""


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


class PersonalDocuments(InvalidInput):
    """Documents hold personal data."""

    def __init__(self, found: Sequence[tuple[str, int | None, str]]) -> None:
        places = [
            f"{path}:{line} ({kind})" if line else f"{path} ({kind})" for path, line, kind in found[:_SHOWN]
        ]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        super().__init__(
            f"Documents hold personal data: {', '.join(places)}{more}; take it out, or name what may stand "
            "there under `masking: document_keep` in guardrails.yaml."
        )
        self.found = tuple(found)


class NoSuchSnapshot(NotFound):
    """A snapshot that was never published here."""

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(f"knowledge snapshot {snapshot_id} isn't in this database; publish it first")
