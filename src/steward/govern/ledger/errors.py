"""Errors of the ledger.

InvalidInput
└── BadEntry        the entry has no canonical form
OperationalError
└── BrokenLedger    rows that were to be signed aren't as they were written
"""

from __future__ import annotations

from steward.base.errors import InvalidInput, OperationalError


class BadEntry(InvalidInput):
    """An entry can't be written as it stands."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"The ledger entry's {field} {problem}.")
        self.field = field


class BrokenLedger(OperationalError):
    """No head is signed over rows that don't fit together."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"The ledger's head isn't signed: {fault}. `steward ledger verify` checks the whole ledger; "
            "signing goes on once the rows are as they were, from a backup."
        )
        self.fault = fault
