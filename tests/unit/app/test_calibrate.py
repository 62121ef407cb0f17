"""What `steward intents calibrate` says."""

from __future__ import annotations

from dataclasses import replace

from steward.app.commands.calibrate import sentences
from steward.base.language.conformal import NEVER, Bounded
from steward.improve.review.calibrating import Calibrated

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
