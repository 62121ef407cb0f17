"""What the ledger takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from steward.govern.ledger.errors import BadEntry

Detail = str | int | bool | None
GENESIS = bytes(32)
"""What stands as `previous` in the first row."""


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
class Row:
    """One row of the ledger as stored."""

    position: int
    at: datetime
    actor: str
    deed: str
    subject: str
    details: Mapping[str, Detail]
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain as somebody saw it; kept elsewhere, it proves that nothing was cut off."""

    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `reason` says in a sentence what is wrong at `first_bad_position`."""

    ok: bool
    rows: int
    first_bad_position: int | None
    reason: str | None
    head_digest: bytes


def _refuse_unstorable(field: str, value: str) -> None:
    if "\x00" in value:
        raise BadEntry(field, "holds a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise BadEntry(field, "holds half of a surrogate pair")
