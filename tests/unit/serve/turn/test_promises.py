"""Forbidden promises, as they're written and with small changes."""

from __future__ import annotations

import pytest

from steward.serve.turn.promises import Promises

PROMISES = Promises.of(
    ["i promise", "guaranteed refund", "free for life", "we accept liability", "i'll make an exception"]
)


class TestMadeIn:
    @pytest.mark.parametrize(
        "text",
        [
            "I promise that it works.",
            "We promise that it works.",
            "I really do promise it.",
            "As I promised, it works.",
            "You'll get a guaranteed full refund.",
            "It's FREE for all your life.",
            "We accept full liability.",
            "I will happily make an exception for you.",
            "I'll make an exception.",
        ],
    )
    def test_finds_small_changes(self, text: str) -> None:
        assert PROMISES.made_in(text)

    @pytest.mark.parametrize(
        "text",
        [
            "I can't promise that it works.",
            "We never promise a day.",
            "We won't accept liability.",
            "We do not accept any liability.",
            "I can tell you what we once said to somebody about a promise.",
            "The router is free for customers on Fibre 500.",
        ],
    )
    def test_leaves_denials_and_distant_words_alone(self, text: str) -> None:
        assert not PROMISES.made_in(text)

    def test_nothing_is_forbidden_without_phrases(self) -> None:
        assert not Promises.of([]).made_in("I promise.")


class TestWrittenIn:
    def test_tells_the_phrase_from_its_changes(self) -> None:
        assert PROMISES.written_in("Yes, I  promise.")
        assert not PROMISES.written_in("Yes, we promise.")
