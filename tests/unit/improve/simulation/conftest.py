"""The sample's folder, whose customers are simulated."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from steward.improve.simulation.personas import Population
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder

FACTS = (
    {"account": "NL-204816", "postcode": "NW1 6ZZ"},
    {"account": "NL-118273", "postcode": "M4 7ZX"},
)


@pytest.fixture(scope="session")
def sample() -> Folder:
    """The sample as it is installed."""
    with as_file(files("steward.supply.assistant") / "templates" / "northline") as folder:
        return read_folder(folder)


@pytest.fixture
def population(sample: Folder) -> Population:
    """The sample's customers by seed 7, with accounts."""
    return Population(sample, seed=7, facts=FACTS)
