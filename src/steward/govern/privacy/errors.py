"""Errors of privacy.

StewardError
├── Misconfigured
│   ├── BadMasterKey        the key given isn't 32 bytes, or its file can't be read
│   ├── WrongMasterKey      the database was sealed under another key
│   ├── BadPattern          a pattern of the folder doesn't compile
│   └── SealBroken          sealed bytes were changed, or belong to another key or place
└── NotFound
    └── CustomerErased      the customer's key is gone, and with it what it sealed
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Misconfigured, NotFound


class BadMasterKey(Misconfigured):
    """The master key can't be used."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"The master key in {where} {problem}.")
        self.where = where


class WrongMasterKey(Misconfigured):
    """The database belongs to another master key."""

    def __init__(self, given: str, needed: str) -> None:
        super().__init__(
            f"This database was sealed under master key {needed}, but {given} was given; put the old key "
            "back (STEWARD_MASTER_KEY, or master.key in the data directory) or use another database."
        )
        self.given = given
        self.needed = needed


class BadPattern(Misconfigured):
    """A masking pattern isn't a regular expression."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The masking pattern {name!r} isn't a regular expression: {problem}.")
        self.name = name


class CustomerErased(NotFound):
    """The customer was erased, or never was."""

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"Customer {customer_id} has no key: what they said was erased and can't be read.")
        self.customer_id = customer_id


class SealBroken(Misconfigured):
    """Sealed bytes don't open."""

    def __init__(self, context: str) -> None:
        super().__init__(f"Sealed data for {context!r} doesn't open: it was changed or belongs elsewhere.")
        self.context = context
