"""Comparing a sentence with what a turn had said before it was cut off."""

from __future__ import annotations

from steward.serve.turn.drafts import draft_of, plain


class TestPlain:
    def test_marks_and_white_space_do_not_count(self) -> None:
        stored = "It takes 3 days. [1]\nYou hear from us. [2, 3]"
        assert plain(stored) == "It takes 3 days. You hear from us."

    def test_a_sentence_is_found_in_what_was_stored(self) -> None:
        stored = plain(" ".join(["It takes 3 days. [1]", " You hear from us. [2]"]))
        assert plain(draft_of("You hear  from us. [4]").text) in stored
