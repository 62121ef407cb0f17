"""Splitting text into sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.base.language.sentences import is_list_item, sentence_spans, sentences


class TestSentences:
    @pytest.mark.parametrize(
        "expected",
        [
            ["We charge £42.50 a month.", "It is due on the 1st."],
            ["Call Mr. Smith or Dr. Jones.", "They know."],
            ["Use a browser, e.g. Firefox or Chrome.", "Then sign in."],
            ["Some devices, i.e. Older ones, need 2.4 GHz.", "Others don't."],
            ["See invoice No. 5 of 3 Jan. 2026.", "I said no.", "Five is enough."],
            ["Go to https://help.example.com/a.b?c=d.", "Choose your plan."],
            ["Write to billing@northline.example.", "We answer in 2 days."],
            ["Really?!", "Yes…", "It works."],
            ["Wait... it starts by itself.", "Good."],
            ['He said "It is down."', "Then it came back."],
            ["(Both are free.)", "Ask us."],
            ["We open at 9 a.m. on weekdays.", "Not on Sundays."],
            ["J. Smith signed it.", "So did I.", "You may too."],
            ["Version 2.4.1 is out.", "£5 is the price."],
            ["Yahoo! is a company.", "So is Northline."],
            ["It costs approx. £5.", "That's all."],
        ],
    )
    def test_sentences_on_one_line(self, expected: list[str]) -> None:
        assert list(sentences(" ".join(expected))) == expected

    def test_list_items_are_sentences_with_their_markers(self) -> None:
        text = "You need:\n- a phone\n- a code. It lasts 10 minutes.\n1. Open the app.\n2) Tap Bills."
        assert sentences(text) == (
            "You need:",
            "- a phone",
            "- a code.",
            "It lasts 10 minutes.",
            "1. Open the app.",
            "2) Tap Bills.",
        )

    def test_a_wrapped_sentence_is_one(self) -> None:
        text = "The refund arrives within\n3 working days, and\nwe tell you.\nAsk us."
        assert sentences("The refund arrives\nwithin three working days.\nAsk us.") == (
            "The refund arrives\nwithin three working days.",
            "Ask us.",
        )
        assert sentences(text)[-1] == "Ask us."

    def test_a_blank_line_always_parts(self) -> None:
        assert sentences("No full stop\n\nhere either") == ("No full stop", "here either")

    @pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
    def test_nothing_has_no_sentences(self, text: str) -> None:
        assert sentences(text) == ()

    @settings(deadline=None)
    @given(st.text(alphabet=st.sampled_from(" \n.!?…abcZ19£-*\"')(e.g.,:"), max_size=200))
    def test_nothing_is_lost_or_said_twice(self, text: str) -> None:
        spans = sentence_spans(text)
        position = 0
        for span in spans:
            assert text[position : span.start].strip() == ""
            assert text[span.start : span.end] == text[span.start : span.end].strip() != ""
            position = span.end
        assert text[position:].strip() == ""


class TestIsListItem:
    @pytest.mark.parametrize("line", ["- a", "* a", "• a", "1. a", "12) a", "(a) b", "  - a"])
    def test_items(self, line: str) -> None:
        assert is_list_item(line)

    @pytest.mark.parametrize("line", ["a", "-5 degrees", "2026 was good", "1.5 times"])
    def test_other_lines(self, line: str) -> None:
        assert not is_list_item(line)
