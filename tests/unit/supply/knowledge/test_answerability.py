"""Signs of a turn that tell whether passages answer a question."""

from __future__ import annotations

from math import isnan

import pytest

from steward.base.language.answerable import NAME, AnswerableHead
from steward.base.language.shipped import shipped
from steward.supply.knowledge.answerability import SIGNS, signs_in_order, signs_of
from steward.supply.knowledge.contracts import Passage, PassageId
from steward.supply.knowledge.lexical import statistics_of

BODIES = (
    "A refund reaches your bank account within five working days.",
    "You can pay your bill by card, direct debit or bank transfer.",
    "The router needs two minutes to start after a power cut.",
    "Roaming is included in forty countries; others cost four pounds a day.",
    "We send the engineer's visit time by text the evening before.",
)
STATISTICS = statistics_of(BODIES)


def found(*scores: float) -> tuple[Passage, ...]:
    """Return passages with these scores, best first."""
    return tuple(
        Passage(
            PassageId(str(place)), f"{place}.md", "Help", "Help", BODIES[place], None, 0,
            score=score, dense=score, lexical=score,
        )
        for place, score in enumerate(scores)
    )  # fmt: skip


GOOD = found(0.8, 0.4, 0.3, 0.3, 0.2)


class TestSignsOf:
    def test_are_those_that_heads_know(self) -> None:
        signs = signs_of("When does my refund arrive?", (), GOOD, STATISTICS)
        assert set(signs) == set(SIGNS)
        assert len(signs_in_order(signs)) == len(SIGNS)

    def test_without_passages_there_are_none(self) -> None:
        assert set(signs_of("When?", (), (), STATISTICS).values()) == {0.0}

    def test_with_too_few_passages_nothing_stands_out_uncommonly(self) -> None:
        assert signs_of("When does my refund arrive?", (), found(0.8), STATISTICS)["gap"] == 0.05

    def test_words_of_the_question_in_the_passages(self) -> None:
        covered = signs_of("Is the refund on my bank account?", (), GOOD, STATISTICS)
        uncovered = signs_of("Do you sell fresh croissants?", (), GOOD, STATISTICS)
        assert covered["in_best"] == 1
        assert covered["pairs_together"] > uncovered["pairs_together"]
        assert uncovered["in_best"] == 0

    def test_a_first_message_has_nothing_before_it(self) -> None:
        signs = signs_of("When does my refund arrive?", (), GOOD, STATISTICS)
        assert isnan(signs["said_before"])
        assert isnan(signs["last_in_best"])

    @pytest.mark.parametrize(
        ("question", "before", "nowhere"),
        [
            ("Does this restaurant deliver?", (), 1.0),
            ("Does this restaurant deliver?", ("Which restaurant is near?", "The Anchor."), 0.0),
            ("Does this restaurant deliver?", ("How do I pay?",), 1.0),
            ("Why is this bill of mine so high?", (), 0.0),
            ("Why did my bill go up, this bill is wrong", (), 0.0),
            ("Why is it slow this month?", (), 0.0),
            ("Is that the same thing?", (), 0.0),
            ("When does a refund arrive?", (), 0.0),
        ],
    )
    def test_what_points_at_something_that_nobody_named(
        self, question: str, before: tuple[str, ...], nowhere: float
    ) -> None:
        assert signs_of(question, before, GOOD, STATISTICS)["points_nowhere"] == nowhere


class TestWithTheShippedHead:
    """What the trained head makes of plain cases."""

    def chance(self, question: str, *before: str) -> float:
        head = AnswerableHead.from_bytes(shipped()[NAME])
        return head.judge(signs_of(question, before, GOOD, STATISTICS)).probability

    def test_what_the_passages_say_is_likelier_than_what_they_do_not(self) -> None:
        assert self.chance("When does a refund reach my bank account?") > self.chance(
            "Do you sell croissants?"
        )

    def test_what_is_clear_is_likelier_than_what_is_left_open(self) -> None:
        assert self.chance("When does the refund arrive?") > self.chance("When does this person arrive?")
