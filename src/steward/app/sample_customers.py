"""The sample's invented customers: who can be played, and what simulated customers know of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from steward.supply.assistant.folder import Folder

SAMPLE = "northline"
MADE_UP = {"new_address": "9 Quarry Lane, Sheffield", "new_postcode": "S8 9ZX", "month": "latest"}
"""What every simulated customer answers who moves, or wants a bill."""


def read_customers() -> Mapping[str, Mapping[str, Any]]:
    """Return the invented customers by account number."""
    from ruamel.yaml import YAML

    text = (files("steward.app.demo") / "customers.yaml").read_text(encoding="utf-8")
    customers = YAML(typ="safe", pure=True).load(text)["customers"]
    return {customer["account"]: customer for customer in customers}


def facts_of(folder: Folder) -> tuple[Mapping[str, str], ...]:
    """Return what the sample's invented customers know; nothing for other assistants."""
    if folder.name != SAMPLE:
        return ()
    return tuple(
        {name: str(customer[name]) for name in ("account", "postcode", "name")} | MADE_UP
        for customer in read_customers().values()
    )
