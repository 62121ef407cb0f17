"""How the company writes dates, money and hidden addresses for its customers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal


def day_text(day: date) -> str:
    """Return "11 June"."""
    return f"{day.day} {day:%B}"


def weekday_text(day: date) -> str:
    """Return "Thursday 11 June"."""
    return f"{day:%A} {day_text(day)}"


def pounds(amount: Decimal) -> str:
    """Return "£42.50"."""
    return f"£{amount:.2f}"


def hidden_email(email: str) -> str:
    """Return "p***@mail.example"."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"
