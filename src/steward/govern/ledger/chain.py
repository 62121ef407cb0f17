"""The arithmetic of the chain: how digests are made, and how links are checked one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from steward.base.digests import canonical_json
from steward.govern.ledger.contracts import GENESIS, Checkpoint, Entry, Head, Link, Verdict, Written
from steward.govern.ledger.errors import BadEntry
from steward.govern.ledger.merkle import Growing
from steward.govern.ledger.signatures import is_trusted

FORM_SHARED = 1


def entry_digest(entry: Entry, *, id: UUID, at: datetime) -> bytes:
    """Return SHA-256 over the canonical JSON of everything an entry says."""
    return _sha256({"id": str(id), **_said(entry, at)})


def link_digest(*, position: int, entry: UUID, digest: bytes, previous: bytes) -> bytes:
    """Return SHA-256 over a link: its position, its entry with the entry's digest, and the link before."""
    return _sha256(
        {"position": position, "entry": str(entry), "digest": digest.hex(), "previous": previous.hex()}
    )


def shared_digest(entry: Entry, *, position: int, at: datetime, previous: bytes) -> bytes:
    """Return the one digest of a row that was chained in its own transaction (form 1)."""
    return _sha256({"position": position, **_said(entry, at), "previous": previous.hex()})


class Walk:
    """Checks links in order of position, one at a time, up to the first fault.

    Args:
        remembered: heads that were seen before and kept elsewhere.
        public_key: the key that checkpoints must be signed with; None takes the first one's own for all.
        start: where to begin: a head that is known to be good, and the walk goes on behind it.
    """

    def __init__(
        self,
        remembered: Sequence[Head] = (),
        *,
        public_key: bytes | None = None,
        start: Head | None = None,
    ) -> None:
        self._remembered = {head.position: head.digest for head in remembered}
        self._seen_last = max(self._remembered, default=0)
        self._public_key = public_key
        begins = start or Head(0, GENESIS)
        self._position = self._signed_to = begins.position
        self._previous = begins.digest
        self._before_previous: bytes | None = None
        self._tree = Growing()
        self._rows = self._checkpoints = 0
        self._fault: tuple[int | None, UUID | None, str] | None = None

    @property
    def has_fault(self) -> bool:
        """Whether nothing more is judged."""
        return self._fault is not None

    @property
    def public_key(self) -> bytes | None:
        """The key that signed heads have to be of, once one is known."""
        return self._public_key

    def take(self, link: Link, entry: Written | None, checkpoint: Checkpoint | None = None) -> None:
        """Check the next link with its entry, and the checkpoint that ends with it; after a fault nothing."""
        if self._fault is not None:
            return
        fault = self._fault_of(link, entry)
        if fault is not None:
            self._fault = fault
            return
        self._rows += 1
        self._position = link.position
        self._before_previous, self._previous = self._previous, link.digest
        self._tree.add(link.digest)
        if checkpoint is not None:
            self._take_checkpoint(checkpoint)

    def ends(self, newest: Checkpoint | None) -> None:
        """Take that no link is left; `newest` is the last signed head there is."""
        if self._fault is not None:
            return
        seen = max(self._seen_last, newest.position if newest else 0)
        if newest and newest.position > self._position and not is_trusted(newest, self._public_key):
            self._fault = (
                newest.position,
                None,
                f"the signature of the head of row {newest.position} is wrong",
            )
        elif seen > self._position:
            who = "was signed" if newest and newest.position >= seen else "was seen before"
            self._fault = (
                self._position + 1,
                None,
                f"the ledger ends at position {self._position}, but {seen} {who}",
            )

    def unsigned(self, last: int) -> None:
        """Take that rows up to `last` have no signed head behind them where one has to be."""
        if self._fault is None:
            self._fault = (last, None, f"no signed head covers rows {self._signed_to + 1} to {last}")

    def stray(self, entry: UUID, at: datetime) -> None:
        """Take that an entry stands neither in the chain nor among those that wait to be linked."""
        if self._fault is None:
            how = "it was put in by hand, or its link was removed"
            self._fault = (None, entry, f"entry {entry} of {_text(at)} stands outside the chain: {how}")

    def waits(self, id: UUID, digest: bytes, entry: Written | None) -> None:
        """Check an entry that waits to be linked."""
        if self._fault is not None:
            return
        if entry is None:
            self._fault = (None, id, f"entry {id} is missing; it waited to be linked")
        elif digest != entry.digest or digest != _own_digest(entry):
            self._fault = (None, id, f"entry {id} was changed before it was linked")

    def verdict(self, *, tail: int = 0) -> Verdict:
        """Return what was found."""
        position, entry, reason = self._fault or (None, None, None)
        found = Verdict(self._fault is None, self._rows, position, reason, self._previous)
        return replace(
            found, entry=entry, checkpoints=self._checkpoints, signed_to=self._signed_to, tail=tail
        )

    def _fault_of(self, link: Link, entry: Written | None) -> tuple[int, UUID | None, str] | None:
        expected = self._position + 1
        if link.position != expected:
            missing = (
                f"row {expected} is"
                if link.position == expected + 1
                else f"rows {expected} to {link.position - 1} are"
            )
            return expected, None, f"{missing} missing: the next row is {link.position}"
        if link.previous != self._previous:
            if self._before_previous is not None and link.previous == self._before_previous:
                return (
                    expected - 1,
                    None,
                    f"row {expected - 1} was put in: row {expected} follows the one before it",
                )
            return expected, link.entry, f"row {expected} doesn't follow row {expected - 1}"
        if entry is None:
            return expected, link.entry, f"the entry of row {expected} is missing"
        if entry.digest != _recomputed(link, entry):
            return expected, entry.id, f"the entry of row {expected} was changed after it was written"
        if link.digest != _link_recomputed(link, entry):
            return expected, entry.id, f"the link of row {expected} was changed after it was written"
        if self._remembered.get(link.position, link.digest) != link.digest:
            return expected, entry.id, f"row {expected} isn't the one that was seen before"
        return None

    def _take_checkpoint(self, checkpoint: Checkpoint) -> None:
        position = checkpoint.position
        fault = None
        if checkpoint.first != self._signed_to + 1:
            fault = (
                f"the signed head of row {position} begins at {checkpoint.first}, not {self._signed_to + 1}"
            )
        elif checkpoint.head != self._previous or checkpoint.root != self._tree.root():
            fault = f"the signed head of row {position} is of other rows than those that are here"
        elif self._public_key not in (None, checkpoint.signature.public_key):
            fault = f"the head of row {position} is signed with a key that isn't this installation's"
        elif not is_trusted(checkpoint, self._public_key):
            fault = f"the signature of the head of row {position} is wrong"
        if fault is not None:
            self._fault = (position, None, fault)
            return
        self._checkpoints += 1
        self._public_key = self._public_key or checkpoint.signature.public_key
        self._signed_to = position
        self._tree = Growing()


def _recomputed(link: Link, entry: Written) -> bytes | None:
    if link.form != FORM_SHARED:
        return _own_digest(entry)
    said = _entry_of(entry)
    if said is None:
        return None
    return shared_digest(said, position=link.position, at=entry.at, previous=link.previous)


def _own_digest(entry: Written) -> bytes | None:
    said = _entry_of(entry)
    return None if said is None else entry_digest(said, id=entry.id, at=entry.at)


def _entry_of(entry: Written) -> Entry | None:
    try:
        return Entry(entry.actor, entry.deed, entry.subject, entry.details)
    except BadEntry:
        return None


def _link_recomputed(link: Link, entry: Written) -> bytes:
    if link.form == FORM_SHARED:
        return entry.digest
    return link_digest(position=link.position, entry=link.entry, digest=entry.digest, previous=link.previous)


def _said(entry: Entry, at: datetime) -> dict[str, object]:
    return {
        "at": _text(at),
        "actor": entry.actor,
        "deed": entry.deed,
        "subject": entry.subject,
        "details": dict(entry.details),
    }


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _sha256(value: dict[str, object]) -> bytes:
    return hashlib.sha256(canonical_json(value)).digest()
