"""What `steward intents calibrate` says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from steward.app.commands.calibrate import sentences, write_suggestions
from steward.base.language.conformal import NEVER, Bounded
from steward.improve.review.calibrating import Calibrated
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

FOUND = Calibrated(
    bounded=Bounded(0.701, 400, 320, 8, 0.05),
    now=0.55,
    wrong_now=0.0825,
    even=True,
    questions=12,
    question_helps=None,
)


class TestSentences:
    def test_names_the_value_to_write_and_what_it_stands_on(self) -> None:
        said = "\n".join(sentences(FOUND))
        assert "On 400 judged turns of this release, 8.2% were offered something wrong" in said
        assert "320 would be offered something, 8 of them wrongly" in said
        assert said.endswith("confidence:\n  offer_workflow: 0.71")

    def test_tells_of_uneven_picks_and_of_questions(self) -> None:
        said = "\n".join(sentences(replace(FOUND, even=False, questions=60, question_helps=0.62)))
        assert "different chances" in said
        assert "Of 60 questions back, 62% led to an answer." in said
        assert said.endswith("  question_helps: 0.62")

    def test_says_how_many_are_missing(self) -> None:
        none = replace(FOUND, bounded=Bounded(NEVER, 12, 0, 0, 0.05))
        assert sentences(none)[-1] == "80 turns are the fewest that can."
        never = replace(FOUND, bounded=Bounded(NEVER, 12, 0, 0, 0.0))
        assert sentences(never)[-1] == "No number of turns can."


class TestWriteSuggestions:
    def test_changes_the_values_and_nothing_else(self, tmp_path: Path) -> None:
        place = tmp_path / "ours"
        initialise(place, "blank")
        before = (place / "guardrails.yaml").read_text(encoding="utf-8")
        write_suggestions(place, {"offer_workflow": 0.71, "question_helps": 0.62})
        confidence = read_folder(place).guardrails.confidence
        assert (float(confidence.offer_workflow), float(confidence.question_helps)) == (0.71, 0.62)
        after = (place / "guardrails.yaml").read_text(encoding="utf-8")
        assert [line for line in before.splitlines() if line.lstrip().startswith("#")] == [
            line for line in after.splitlines() if line.lstrip().startswith("#")
        ]

    def test_writes_nothing_that_is_not_allowed(self, tmp_path: Path) -> None:
        place = tmp_path / "ours"
        initialise(place, "blank")
        before = (place / "guardrails.yaml").read_bytes()
        with pytest.raises(FolderFaults, match="guardrails"):
            write_suggestions(place, {"offer_workflow": 1.7})
        assert (place / "guardrails.yaml").read_bytes() == before
