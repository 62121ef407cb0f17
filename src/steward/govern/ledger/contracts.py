"""What the ledger takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from steward.govern.ledger.errors import BadEntry

Detail = str | int | bool | None
GENESIS = bytes(32)
"""What stands as `previous` in the first link."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed, before it's written.

    Attributes:
        actor: who did it: `account:<id>`, `key:<id>`, `assistant`, `system`.
        deed: what was done, as `noun.verb`: `account.disabled`, `action.sent`.
        subject: what it was done to, as `kind:<id>`.
        details: more about it; ids, digests, names of things; never a customer's data.

    Raises:
        BadEntry: a field is empty, or a detail is of a type or holds a character that has no canonical form.
    """

    actor: str
    deed: str
    subject: str
    details: Mapping[str, Detail]

    def __post_init__(self) -> None:
        for field, value in (("actor", self.actor), ("deed", self.deed), ("subject", self.subject)):
            if not value:
                raise BadEntry(field, "is empty")
            _refuse_unstorable(field, value)
        for name, detail in self.details.items():
            _refuse_unstorable("details", name)
            if isinstance(detail, str):
                _refuse_unstorable(f"details.{name}", detail)
            elif detail is not None and not isinstance(detail, int):
                raise BadEntry(
                    f"details.{name}", f"is a {type(detail).__name__}, not a str, int, bool or None"
                )


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as stored. `digest` covers everything else that stands here."""

    id: UUID
    at: datetime
    actor: str
    deed: str
    subject: str
    details: Mapping[str, Detail]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """An entry's place in the chain.

    `form` is 2; 1 for rows whose link and entry share one digest, as they were written before batches.
    """

    position: int
    entry: UUID
    form: int
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with its place in the chain; `position` is None until it's linked."""

    position: int | None
    id: UUID
    at: datetime
    actor: str
    deed: str
    subject: str
    details: Mapping[str, Detail]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain as somebody saw it; kept elsewhere, it proves that nothing was cut off."""

    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """One key's signature; Ed25519 (RFC 8032)."""

    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: links `first` to `position`, the last one's digest and their Merkle root."""

    first: int
    position: int
    at: datetime
    head: bytes
    root: bytes
    signature: Signature


@dataclass(frozen=True, slots=True)
class Closing:
    """The signed end of an export: which rows the file holds, and the period that was asked for.

    `head` is the digest of the last row, or of the row that an empty file begins behind; `since` and `until`
    stand as in the file's first line.
    """

    since: str | None
    until: str | None
    first: int
    last: int
    count: int
    at: datetime
    head: bytes
    signature: Signature


class Signed(Protocol):
    """What a signer gives."""

    @property
    def public_key(self) -> bytes:
        """The key, 32 bytes."""
        ...

    @property
    def signature(self) -> bytes:
        """The signature, 64 bytes."""
        ...


class Signer(Protocol):
    """Signs with the installation's key."""

    async def public_key(self) -> bytes:
        """Return the public key, 32 bytes."""
        ...

    async def sign(self, message: bytes) -> Signed:
        """Return the signature of a message."""
        ...


@dataclass(frozen=True, slots=True)
class Tail:
    """Committed entries that aren't linked yet."""

    entries: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """The ledger at a glance."""

    head: Head
    tail: Tail
    signed: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Attributes:
        ok: whether nothing is wrong.
        rows: links that were checked and are whole, up to the first fault.
        first_bad_position: where it breaks first; None also where a faulty entry has no place in the chain.
        reason: what is wrong there, in a sentence.
        head_digest: the digest of the last link that is whole.
        entry: the entry that is wrong, where one is.
        checkpoints: signed heads that were checked.
        signed_to: the position up to which the chain is signed.
        tail: entries that wait to be linked.
    """

    ok: bool
    rows: int
    first_bad_position: int | None
    reason: str | None
    head_digest: bytes
    entry: UUID | None = None
    checkpoints: int = 0
    signed_to: int = 0
    tail: int = 0


def _refuse_unstorable(field: str, value: str) -> None:
    if "\x00" in value:
        raise BadEntry(field, "holds a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise BadEntry(field, "holds half of a surrogate pair")
