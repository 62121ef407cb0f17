"""Pieces of the sentences that tell a difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

Part = TypeVar("Part")
SHOWN = 12
"""Names that are told one by one; of more, the first few and their number."""


def pairs(
    before: Mapping[str, Part], after: Mapping[str, Part]
) -> Iterator[tuple[str, Part | None, Part | None]]:
    """Yield each name with what it means before and after, sorted; None where it's missing."""
    for name in sorted({*before, *after}):
        yield name, before.get(name), after.get(name)


def new(kind: str, name: str, more: str = "") -> str:
    """Say that something has come."""
    return f"The {kind} {quoted(name)} is new{more}."


def gone(kind: str, name: str, more: str = "") -> str:
    """Say that something has gone."""
    return f"The {kind} {quoted(name)} is gone{more}."


def quoted(name: str) -> str:
    """Return a name as sentences hold it."""
    return f"'{name}'"


def number_of(count: int, noun: str) -> str:
    """Return a count with its noun: no phrases, 1 phrase, 2 phrases."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def amount(value: object) -> str:
    """Return a value as people read it; decimals without idle zeros."""
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def listed(names: Sequence[str], *, most: int = SHOWN) -> str:
    """Return names in a row: a, b and c; of very many, the first and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
