"""`connectors.yaml`: the business systems that workflows may call."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Text


class Operation(Part):
    """One call that a system offers."""

    name: Name
    title: Text
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Text
    """Path below the system's address; `{argument}` in it is filled from the arguments, the others
    travel as query (GET, DELETE) or JSON body."""
    effect: Literal["read", "write"]
    arguments: tuple[Name, ...] = ()
    """Names of the arguments it takes."""
    find: Name | None = None
    """For a write: the read operation of the same system that tells what became of an idempotency key
    (argument `key`)."""
    deadline_seconds: Amount = Decimal("5")


class System(Part):
    """A business system reached over HTTP with JSON."""

    name: Name
    title: Text
    url: Text
    """Its address; the setting STEWARD_SYSTEM_<NAME>_URL of an installation overrides it."""
    secret: Text | None = None
    """Name of the secret sent as a bearer token."""
    operations: tuple[Operation, ...] = Field(min_length=1)


class Connectors(Part):
    """The whole of `connectors.yaml`."""

    systems: tuple[System, ...] = ()
