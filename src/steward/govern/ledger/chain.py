"""The arithmetic of the chain: how a row's digest is made and how a row is checked against the one before."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from steward.base.digests import canonical_json
from steward.govern.ledger.contracts import GENESIS, Entry, Head, Row, Verdict
from steward.govern.ledger.errors import BadEntry


def digest_of(entry: Entry, *, position: int, at: datetime, previous: bytes) -> bytes:
    """Return SHA-256 over the canonical JSON of everything a row says, the digest before it included."""
    return hashlib.sha256(
        canonical_json(
            {
                "position": position,
                "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "actor": entry.actor,
                "deed": entry.deed,
                "subject": entry.subject,
                "details": dict(entry.details),
                "previous": previous.hex(),
            }
        )
    ).digest()


class Walk:
    """Checks rows in order of position, one at a time, up to the first fault."""

    def __init__(self, remembered: Head | None = None) -> None:
        self._remembered = remembered
        self._previous = GENESIS
        self._rows = 0
        self._fault: tuple[int, str] | None = None

    def take(self, row: Row) -> None:
        """Check the next row; after a fault nothing more is judged."""
        if self._fault is not None:
            return
        fault = self._fault_of(row)
        if fault is not None:
            self._fault = (row.position, fault)
            return
        self._rows += 1
        self._previous = row.digest

    def verdict(self) -> Verdict:
        """Return what was found after the last row."""
        if self._fault is None and self._remembered and self._remembered.position > self._rows:
            missing = self._rows + 1
            seen = self._remembered.position
            self._fault = (missing, f"the ledger ends at position {self._rows}, but {seen} was seen before")
        position, reason = self._fault or (None, None)
        return Verdict(self._fault is None, self._rows, position, reason, self._previous)

    def _fault_of(self, row: Row) -> str | None:
        expected = self._rows + 1
        if row.position != expected:
            return f"position {expected} is missing: the next row is {row.position}"
        if row.previous != self._previous:
            return f"row {row.position} doesn't follow the row before it"
        if row.digest != _recomputed(row):
            return f"row {row.position} was changed after it was written"
        seen = self._remembered
        if seen and seen.position == row.position and seen.digest != row.digest:
            return f"row {row.position} isn't the one that was seen before"
        return None


def _recomputed(row: Row) -> bytes | None:
    try:
        entry = Entry(row.actor, row.deed, row.subject, row.details)
    except BadEntry:
        return None
    return digest_of(entry, position=row.position, at=row.at, previous=row.previous)
