"""Connectors: paths, addresses and the operation that settles a lost answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, nearest_of
from steward.supply.assistant.schema.connectors import Operation, System
from steward.supply.assistant.texts import TextError, placeholders
from steward.supply.assistant.yaml_nodes import Path

FILE: Final = "connectors.yaml"
KEY: Final = "key"
"""Argument by which a find operation is given the idempotency key."""


def check_connectors(draft: Draft) -> Iterator[Fault]:
    """Yield faults of connectors.yaml."""
    if draft.connectors is None:
        return
    for index, system in enumerate(draft.connectors.systems):
        if not system.url.startswith(("http://", "https://")):
            said = f"url of system '{system.name}' must start with http:// or https://"
            yield draft.fault(FILE, ("systems", index, "url"), said)
        for number, operation in enumerate(system.operations):
            yield from _operation(draft, ("systems", index, "operations", number), system, operation)


def _operation(draft: Draft, path: Path, system: System, operation: Operation) -> Iterator[Fault]:
    yield from _path(draft, path, operation)
    if operation.find is None:
        return
    where = (*path, "find")
    offered = {found.name: found for found in system.operations}
    found = offered.get(operation.find)
    if operation.effect == "read":
        yield draft.fault(
            FILE, where, f"operation '{operation.name}' reads, so there is nothing to find afterwards"
        )
    elif found is None:
        said = f"operation '{operation.name}' is settled by '{operation.find}', which '{system.name}' lacks"
        yield draft.fault(FILE, where, said, nearest=nearest_of(operation.find, offered))
    elif found.effect != "read" or KEY not in found.arguments:
        said = (
            f"'{operation.find}' can't settle '{operation.name}': it must be a read with the argument `{KEY}`"
        )
        yield draft.fault(FILE, where, said)


def _path(draft: Draft, path: Path, operation: Operation) -> Iterator[Fault]:
    where = (*path, "path")
    if not operation.path.startswith("/"):
        yield draft.fault(FILE, where, f"path of operation '{operation.name}' must start with /")
    try:
        named = placeholders(operation.path)
    except TextError as error:
        yield draft.fault(FILE, where, str(error))
        return
    for name in named:
        if name not in operation.arguments:
            said = f"the path names {{{name}}}, which isn't among the arguments of '{operation.name}'"
            yield draft.fault(FILE, where, said, nearest=nearest_of(name, operation.arguments))
