"""The planted regressions are folders that `steward check` lets pass: finding them is the gate's work."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from tests.prove.regressions import REGRESSIONS, Regression, page_deleted_anywhere

from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

KINDS = {"document": 5, "intent": 3, "threshold": 4, "workflow": 4, "prompt": 4}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Folder]:
    """The sample's folder, and what it reads as."""
    place = tmp_path_factory.mktemp("sample") / "northline"
    initialise(place, "northline")
    return place, read_folder(place)


class TestRegressions:
    def test_there_are_twenty_of_five_kinds(self) -> None:
        assert {kind: sum(item.kind == kind for item in REGRESSIONS) for kind in KINDS} == KINDS
        assert len({item.name for item in REGRESSIONS}) == len(REGRESSIONS) == 20

    @pytest.mark.parametrize(
        "item",
        [*REGRESSIONS, Regression("anywhere", "anywhere", page_deleted_anywhere)],
        ids=lambda i: i.name,
    )
    def test_each_changes_a_folder_that_stays_sound(
        self, item: Regression, sample: tuple[Path, Folder], tmp_path: Path
    ) -> None:
        place, before = sample
        copy = tmp_path / "northline"
        shutil.copytree(place, copy)
        what = item.plant(copy, random.Random("1"), before)
        assert what
        assert read_folder(copy).files != before.files

    def test_the_seed_chooses_the_target(self, sample: tuple[Path, Folder], tmp_path: Path) -> None:
        place, before = sample
        said = []
        for number, seed in enumerate(("1", "1", "2", "3", "4")):
            shutil.copytree(place, tmp_path / str(number))
            said.append(REGRESSIONS[1].plant(tmp_path / str(number), random.Random(seed), before))
        assert said[0] == said[1]
        assert len(set(said)) > 1
