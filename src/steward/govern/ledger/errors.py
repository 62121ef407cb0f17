"""Errors of the ledger.

InvalidInput
└── BadEntry    the entry has no canonical form
"""

from __future__ import annotations

from steward.base.errors import InvalidInput


class BadEntry(InvalidInput):
    """An entry can't be written as it stands."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"The ledger entry's {field} {problem}.")
        self.field = field
