"""Answers in the knowledge base's own sentences."""

from __future__ import annotations

from steward.supply.knowledge.contracts import Passage, PassageId
from steward.supply.knowledge.extractive import Quoted, answer_sentences
from steward.supply.knowledge.lexical import statistics_of

LOCKED = (
    "Your account locks for 30 minutes after 5 wrong passwords. It unlocks by itself after that time. "
    "Your broadband goes on working while it's locked."
)
STEPS = "To unlock it now:\n1. Tap Forgotten password.\n2. Open the link.\n3. Set a new password."
FEES = "A late payment costs £5. We ask customers twice before."
RIGHTS = "- a copy of your data\n- deletion of your data"


def passage(
    body: str, *, path: str = "a.md", heading: str = "A", score: float = 0.6, ordinal: int = 0
) -> Passage:
    return Passage(PassageId(body[:8]), path, heading, heading, body, None, ordinal, score, score, score)


def answer(question: str, *passages: Passage, limit: int = 3) -> tuple[Quoted, ...]:
    statistics = statistics_of([LOCKED, STEPS, FEES, RIGHTS])
    return answer_sentences(question, passages, statistics=statistics, limit=limit)


class TestAnswerSentences:
    def test_every_quotation_stands_word_for_word_in_its_passage(self) -> None:
        passages = [passage(LOCKED), passage(STEPS, ordinal=1), passage(FEES, path="b.md", score=0.5)]
        quoted = answer("my account is locked, how do I unlock it", *passages)
        assert quoted
        assert all(each.sentence in passages[each.passage_index].body for each in quoted)

    def test_the_kind_of_fact_asked_for_decides(self) -> None:
        quoted = answer("how much is a late payment", passage(FEES), limit=1)
        assert [each.sentence for each in quoted] == ["A late payment costs £5."]

    def test_steps_are_quoted_whole_with_their_introduction(self) -> None:
        quoted = answer("how do I unlock it now", passage(STEPS), limit=1)
        assert [each.sentence for each in quoted] == [STEPS]

    def test_a_list_without_introduction_names_its_heading(self) -> None:
        quoted = answer("can you delete my data", passage(RIGHTS, heading="Your data › What you can ask for"))
        assert [(each.under, each.sentence) for each in quoted] == [("What you can ask for", RIGHTS)]

    def test_a_sentence_that_leans_on_another_brings_it_along(self) -> None:
        quoted = answer("does it unlock by itself after some time", passage(LOCKED), limit=1)
        assert [each.sentence for each in quoted] == [
            "Your account locks for 30 minutes after 5 wrong passwords.",
            "It unlocks by itself after that time.",
        ]

    def test_sentences_of_a_document_keep_its_order(self) -> None:
        second, first = passage(STEPS, ordinal=1, score=0.62), passage(LOCKED, ordinal=0, score=0.6)
        quoted = answer("account locked wrong password unlock", second, first)
        assert [each.passage_index for each in quoted] == sorted(
            (each.passage_index for each in quoted), reverse=True
        )

    def test_nothing_is_said_twice(self) -> None:
        quoted = answer("how much is a late payment", passage(FEES), passage(FEES, path="b.md", score=0.59))
        assert len({each.sentence for each in quoted}) == len(quoted)

    def test_no_passages_give_no_answer(self) -> None:
        assert answer("anything") == ()

    def test_the_same_question_is_answered_the_same(self) -> None:
        passages = [passage(LOCKED), passage(STEPS, ordinal=1), passage(FEES, path="b.md")]
        assert answer("unlock account", *passages) == answer("unlock account", *passages)
