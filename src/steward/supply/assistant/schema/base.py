"""What all parts of the assistant folder share: strict models and the names people write."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def is_name(text: str) -> bool:
    """Tell whether a text has the form of a name."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def proper_name(text: str) -> str | None:
    """Return the name that a text was meant to be: `Pay back` gives `pay_back`."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in text.lower())
    name = "_".join(part for part in kept.split("_") if part)[:63].lstrip("0123456789_")
    return name or None


def _exact_decimal(value: Any) -> Any:
    """Read a YAML number by its shortest text, so that 0.1 stays 0.1 and digests agree everywhere."""
    return Decimal(repr(value)) if isinstance(value, float) else value


Amount = Annotated[Decimal, BeforeValidator(_exact_decimal), Field(ge=0)]
Share = Annotated[Decimal, BeforeValidator(_exact_decimal), Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of the folder: frozen, and unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Risk(StrEnum):
    """How bad a mistake would be in a category."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Audience(StrEnum):
    """Who may be shown a document; each sees its own and those before it."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    AGENT = "agent"
    INTERNAL = "internal"
