"""Live probes of controls that a folder alone can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from steward.app.probes import confirms, masks, overrides, settles, verifies
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

CONFIRM = "confirm:"


@pytest.fixture(scope="module")
def northline(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The sample as it is shipped."""
    folder = tmp_path_factory.mktemp("probes") / "northline"
    initialise(folder, "northline")
    return read_folder(folder)


def without_question(directory: Path) -> Folder:
    """Return the sample with a workflow that tells what it does and doesn't ask."""
    folder = directory / "northline"
    initialise(folder, "northline")
    path = folder / "workflows" / "restart_line.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(CONFIRM))
    end = next(number for number in range(place + 1, len(lines)) if not lines[number].startswith(" "))
    lines[place:end] = ["confirm: I restart the line of account {account} now."]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_folder(folder)


class TestFolderProbes:
    def test_the_sample_shows_all_of_them(self, northline: Folder) -> None:
        for probe in (masks, verifies, confirms, overrides, settles):
            assert probe(northline).live, probe.__name__

    def test_a_workflow_that_asks_nothing_confirms_nothing(self, tmp_path: Path) -> None:
        shown = confirms(without_question(tmp_path))
        assert not shown.live
        assert "workflow 'restart_line' asks nothing before it acts" in shown.sentence
