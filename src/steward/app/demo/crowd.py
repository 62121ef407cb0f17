"""What simulated customers of the sample know about themselves: invented accounts with their postcodes."""

from __future__ import annotations

from collections.abc import Mapping

from steward.app.demo.offer import read_customers
from steward.supply.assistant.folder import Folder

SAMPLE = "northline"
NEW_ADDRESS = {"new_address": "9 Quarry Lane, Sheffield", "new_postcode": "S8 9ZX", "month": "latest"}
"""What everybody in the crowd answers who moves, or wants a bill."""


def facts_of(folder: Folder) -> tuple[Mapping[str, str], ...]:
    """Return what the sample's invented customers know; nothing for other assistants."""
    if folder.name != SAMPLE:
        return ()
    return tuple(
        {name: str(customer[name]) for name in ("account", "postcode", "name")} | NEW_ADDRESS
        for customer in read_customers().values()
    )
