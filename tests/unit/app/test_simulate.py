"""What `steward simulate` takes and tells."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from steward.app.commands.simulate import USUAL_CONVERSATIONS, Asked, folder_for, in_words
from steward.app.sample_customers import facts_of
from steward.app.settings import read_settings
from steward.base.errors import InvalidInput
from steward.improve.simulation.tally import Tally, quantile
from steward.supply.assistant.reading import read_folder


class TestAsked:
    def test_stops_somewhere_by_itself(self) -> None:
        assert Asked().most_conversations == USUAL_CONVERSATIONS

    def test_goes_on_for_its_time(self) -> None:
        assert Asked(duration_s=60.0).most_conversations is None

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"per_second": 0.0}, "per-second"),
            ({"returns": 0.5}, "returns"),
            ({"at_once": 0}, "at-once"),
            ({"day_s": 0.0}, "day"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, wrong: dict[str, float], named: str) -> None:
        with pytest.raises(InvalidInput, match=named):
            replace(Asked(), **wrong)  # type: ignore[arg-type]


class TestFolderFor:
    def test_is_the_installed_sample_where_there_is_no_other(self, tmp_path: Path) -> None:
        assert folder_for(Asked(), read_settings(data_dir=tmp_path)).name == "northline"


class TestFactsOf:
    def test_are_the_samples_accounts(self) -> None:
        with as_file(files("steward.supply.assistant") / "templates" / "northline") as folder:
            facts = facts_of(read_folder(folder))

        assert {"account", "postcode", "name"} <= set(facts[0])
        assert all(each["account"].startswith("NL-") for each in facts)


class TestInWords:
    def test_tells_faults_by_name(self) -> None:
        tally = Tally(started=3, finished=2)
        tally.outcomes.update(answered=2)
        tally.endings.update(answered=1, handed_over=1)
        tally.refused(502, "messages")

        told = in_words(tally.summary(seconds=4.0, seed=1))

        assert "2 conversations of 0 customers" in told
        assert "escalation: 0.5" in told
        assert "502 on messages: 1" in told
        assert told.endswith("refusals:   none")


class TestQuantile:
    def test_is_the_nearest_rank(self) -> None:
        assert quantile([float(value) for value in range(100)], 0.95) == 95.0

    def test_is_none_without_values(self) -> None:
        assert quantile([], 0.5) is None
