"""A small whole assistant, `spoke`, and ways to read it with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from steward.supply.assistant.collecting import collect
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_files

SPOKE = Path(__file__).parent / "spoke"


@pytest.fixture
def spoke() -> dict[str, bytes]:
    """The files of an assistant without faults."""
    files, faults = collect(SPOKE)
    assert not faults
    return dict(files)


@pytest.fixture
def faults_of() -> Callable[[Mapping[str, bytes]], list[str]]:
    """Read files and return the faults, one line each: `place  sentence ~ nearest`."""

    def read(files: Mapping[str, bytes]) -> list[str]:
        try:
            read_files(files, "spoke")
        except FolderFaults as found:
            return [
                f"{fault.place}  {fault.sentence}" + (f" ~ {fault.nearest}" if fault.nearest else "")
                for fault in found.faults
            ]
        return []

    return read
