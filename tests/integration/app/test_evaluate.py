"""`steward eval`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.conftest import TestDatabase
from tests.prove.regressions import changed_yaml

from steward.app.commands.evaluate import Options, run_cases, run_comparison
from steward.base.errors import InvalidInput, NotFound
from steward.supply.assistant.initialise import initialise

pytestmark = pytest.mark.timeout(300)

GOOD, BAD = "one_word", "nobody_answers"


@pytest.fixture
def folder(tmp_path: Path, clean_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample with two cases, one of which it can't pass."""
    monkeypatch.setenv("STEWARD_DATABASE_URL", clean_database.app_url)
    monkeypatch.setenv("STEWARD_MIGRATION_DATABASE_URL", clean_database.owner_url)
    place = tmp_path / "northline"
    initialise(place, "northline")
    for file in (place / "cases").glob("*.yaml"):
        if file.stem != "people":
            file.unlink()
    with changed_yaml(place / "cases/people.yaml") as content:
        good = next(case for case in content["cases"] if case["name"] == GOOD)
        bad = {"name": BAD, "turns": [{"customer": "agent", "expect": {"outcome": ["answered"]}}]}
        content["cases"] = [good, bad]
    return place


def options(folder: Path, **given: object) -> Options:
    """Options with everything left as it is but what is given."""
    start: dict[str, object] = {
        "repeats": None, "per_minute": None, "demo": False, "fresh": False,
        "junit": None, "markdown": None, "as_json": False, "data_dir": folder.parent / "data",
    }  # fmt: skip
    return Options(**{**start, **given})  # type: ignore[arg-type]


class TestEval:
    def test_it_tells_by_its_exit_code_and_in_every_form(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_cases(str(folder), options(folder), names=(GOOD,)) == 0
        assert "1 of 1 cases passed" in capsys.readouterr().out

        junit, markdown = folder.parent / "eval.xml", folder.parent / "eval.md"
        written = options(folder, junit=junit, markdown=markdown, as_json=True)
        assert run_cases(str(folder), written, names=()) == 1
        printed = json.loads(capsys.readouterr().out)
        assert [item["case"] for item in printed["results"]] == sorted((GOOD, BAD))
        suite = ElementTree.parse(junit).getroot()
        assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
        assert f"| {BAD} | 0/1 | turn 1: handed_over, not answered |" in markdown.read_text(encoding="utf-8")

        assert run_comparison(str(folder), "1", options(folder)) == 0
        assert "1 case failing on both releases: nobody_answers" in capsys.readouterr().out
        with pytest.raises(NotFound, match="release"):
            run_comparison(str(folder), "77", options(folder))

    def test_numbers_below_one_are_refused(self, folder: Path) -> None:
        with pytest.raises(InvalidInput, match="--repeats is 0"):
            run_cases(str(folder), options(folder, repeats=0), names=())
