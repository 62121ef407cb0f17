"""Looks up dotted names in the values of a workflow's run: slots, results of checks and steps, claims."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

PATH = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*"
"""How a value is named: a slot (`account`), or a field of a result (`duplicate.amount`)."""
NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\Z")


def look_up(values: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None where it's missing or empty on the way."""
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def as_decimal(value: Any) -> Decimal | None:
    """Read a number exactly; None where the value isn't one. Text counts when it is all number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, (int, Decimal)):
        number = Decimal(value)
    elif isinstance(value, str) and NUMBER.match(value.strip()):
        number = Decimal(value.strip())
    else:
        return None
    return number if number.is_finite() else None


def as_text(value: Any) -> str:
    """Write a value as customers read it.

    Raises:
        TypeError: the value is a mapping or a thing that has no words.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date)):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, Mapping):
        raise TypeError("a group of values can't be written in a text; name one of its fields")
    return str(value)
