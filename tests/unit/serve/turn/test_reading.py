"""Typing mistakes put right for understanding, and nothing else touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.turn.reading import Reading, matter_of, mistakes_between, once_each

EXAMPLES = (
    "I was charged twice, I want a refund",
    "my refund hasn't arrived",
    "cancel my contract",
    "my broadband is slow",
    "broadband is down, the wifi works",
    "the wifi password",
    "internet isn't working",
)
DICTIONARY = frozenset(
    "charged twice want refund arrived cancel contract slow down works password internet working "
    "online wife charge offer advice".split()
)
READING = Reading(EXAMPLES, is_word=DICTIONARY.__contains__)
WORDS = st.text(alphabet="abcdef", min_size=1, max_size=9)


class TestRead:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("i was chrged twcie", "i was charged twice"),
            ("cansel my contarct", "cancel my contract"),
            ("refnd not arived", "refund not arrived"),
            ("broadbnd is slow", "broadband is slow"),
            ("INTRENET IS DOWN", "internet IS DOWN"),
        ],
    )
    def test_puts_mistakes_right(self, written: str, read: str) -> None:
        assert READING.read(written) == read

    @pytest.mark.parametrize(
        "text",
        [
            "the wifi is down",
            "charges",
            "an offline box",
            "please ask Contarct about it",
            "somebody wrote about INV-731204",
            "xyzzy plugh",
            "",
        ],
    )
    def test_leaves_words_names_and_strange_words(self, text: str) -> None:
        assert READING.read(text) == text

    @given(st.text(max_size=300))
    def test_never_changes_the_number_of_words(self, text: str) -> None:
        assert len(READING.read(text).split()) == len(text.split())

    def test_takes_what_is_repeated_once(self) -> None:
        text = "My internet is down. " + "Please help me soon. " * 100
        assert READING.read(text) == "My internet is down. Please help me soon."


class TestOnceEach:
    @given(st.text(max_size=200))
    def test_holds_each_sentence_once_and_stays_as_it_is(self, text: str) -> None:
        assert once_each(once_each(text)) == once_each(text)


class TestMistakesBetween:
    @pytest.mark.parametrize(
        ("word", "other", "mistakes"),
        [
            ("agent", "agent", 0),
            ("agnet", "agent", 1),
            ("agennt", "agent", 1),
            ("agt", "agent", 2),
            ("", "ab", 2),
        ],
    )
    def test_counts(self, word: str, other: str, mistakes: int) -> None:
        assert mistakes_between(word, other) == mistakes

    @given(WORDS, WORDS)
    def test_is_symmetric_and_zero_only_for_the_same_word(self, one: str, other: str) -> None:
        assert mistakes_between(one, other) == mistakes_between(other, one)
        assert (mistakes_between(one, other) == 0) == (one == other)


class TestMatterOf:
    @pytest.mark.parametrize(
        ("masked", "matter"),
        [
            ("I live at [ADDRESS_1] and there's no internet", "and there's no internet"),
            ("Hi, I'm [NAME_1], [EMAIL_1], and my bill is wrong", "Hi, and my bill is wrong"),
            ("my number is [PHONE_1], why is there no signal", "why is there no signal"),
            ("Please pay my refund to [IBAN_1]", "Please pay my refund"),
            ("change my e-mail to [EMAIL_1] please", "change my e-mail please"),
            ("my wife [NAME_1] pays the bill", "my wife pays the bill"),
            ("it's [PHONE_1]", "it's 07700 900123"),
            ("Hello, [NAME_1] here", "Hello, Sam here"),
            ("my bill [for May] is wrong", "my bill [for May] is wrong"),
        ],
    )
    def test_leaves_out_what_is_hidden(self, masked: str, matter: str) -> None:
        assert matter_of(masked) == matter

    @given(st.text(alphabet="ab [NAME_1]to,", max_size=120))
    def test_no_token_is_left_in_any_text(self, text: str) -> None:
        assert "[NAME_1]" not in matter_of(text)
