"""Amounts of money: a decimal and its currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€"}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        symbol = SYMBOLS.get(self.currency)
        return f"{symbol}{self.amount:.2f}" if symbol else f"{self.amount:.2f} {self.currency}"
