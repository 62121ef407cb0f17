"""Cutting a model's stream into sentences with their citations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steward.serve.turn.drafts import draft_of, take_sentences

STREAM = "It takes 3 to 5 days. [1] You hear from us by e-mail, e.g. tomorrow. [2, 3] Anything else?"


class TestTakeSentences:
    def test_keeps_marks_with_the_sentence_before_them(self) -> None:
        sentences, rest = take_sentences(STREAM)
        assert [sentence.strip() for sentence in sentences] == [
            "It takes 3 to 5 days. [1]",
            "You hear from us by e-mail, e.g. tomorrow. [2, 3]",
        ]
        assert rest.strip() == "Anything else?"

    def test_waits_for_what_follows_a_full_stop(self) -> None:
        assert take_sentences("It takes 5 days. ") == ([], "It takes 5 days. ")

    def test_a_numbered_step_is_no_sentence_of_its_own(self) -> None:
        sentences, rest = take_sentences("1. Tap Bills and go on")
        assert (sentences, rest) == ([], "1. Tap Bills and go on")

    @given(st.text(alphabet="ab .!?\n[1]", max_size=80))
    def test_loses_and_adds_no_letter(self, text: str) -> None:
        sentences, rest = take_sentences(text)
        assert "".join("".join([*sentences, rest]).split()) == "".join(text.split())

    @given(st.lists(st.integers(1, 9), max_size=12))
    def test_arrives_at_the_same_sentences_however_the_stream_is_cut(self, sizes: list[int]) -> None:
        taken: list[str] = []
        buffer, place = "", 0
        for size in [*sizes, len(STREAM)]:
            buffer += STREAM[place : place + size]
            place += size
            sentences, buffer = take_sentences(buffer)
            taken += sentences
        assert [draft_of(sentence).text for sentence in taken] == [
            draft_of(sentence).text for sentence in take_sentences(STREAM)[0]
        ]


class TestDraftOf:
    def test_takes_marks_out_and_keeps_their_order(self) -> None:
        draft = draft_of("Refunds take 5 days [2][1, 2].\n")
        assert draft.text == "Refunds take 5 days."
        assert draft.cited == (2, 1)
        assert draft.ending == "\n"
