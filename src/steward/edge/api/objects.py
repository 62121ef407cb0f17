"""Records of services as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from math import isfinite
from typing import Any

from steward.edge.api.answers import moment


def fields_of(record: object) -> Any:
    """Return a dataclass, and all it holds, as plain JSON values; bytes become hexadecimal.

    JSON knows no infinity: an unbounded number becomes null.
    """
    if is_dataclass(record):
        return {field.name: fields_of(getattr(record, field.name)) for field in fields(record)}
    match record:
        case float():
            return record if isfinite(record) else None
        case None | bool() | int():
            return record
        case Enum():
            return record.value
        case str():
            return record
        case datetime():
            return moment(record)
        case bytes():
            return record.hex()
        case Mapping():
            return {str(key): fields_of(value) for key, value in record.items()}
        case Sequence() | frozenset():
            return [fields_of(item) for item in record]
        case _:
            return str(record)
