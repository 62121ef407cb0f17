from __future__ import annotations

from random import Random

import pytest

from steward.improve.simulation.wording import Style, with_typos, written

TEXT = "Please send invoice INV-731204 again"


class TestWritten:
    @pytest.mark.parametrize("style", list(Style))
    def test_is_repeatable(self, style: Style) -> None:
        assert written(TEXT, style, Random(1)) == written(TEXT, style, Random(1))

    def test_is_unchanged_when_plain(self) -> None:
        assert written(TEXT, Style.PLAIN, Random(1)) == TEXT

    def test_is_in_capitals_when_shouted(self) -> None:
        assert written(TEXT, Style.SHOUTING, Random(1)) == TEXT.upper()

    def test_is_without_pleasantries_when_short(self) -> None:
        assert written("Please help, my line is down.", Style.SHORT, Random(1)) == "help, my line is down"

    def test_greets_and_ends_its_sentence_when_polite(self) -> None:
        said = written(TEXT, Style.POLITE, Random(2))

        assert f" {TEXT}." in said
        assert said.startswith(("Hello", "Hi", "Good day"))

    def test_grumbles_when_angry(self) -> None:
        said = written("Where is my refund?", Style.ANGRY, Random(1))

        assert said.startswith("Where is my refund")
        assert len(said) > len("Where is my refund?")


class TestWithTypos:
    @pytest.mark.parametrize("seed", range(20))
    def test_leaves_numbers_and_short_words_alone(self, seed: int) -> None:
        said = with_typos("my bill INV-731204 of 42.50 arrived yesterday evening", Random(seed))

        assert "INV-731204" in said
        assert "42.50" in said
        assert said.startswith("my bill")

    def test_does_nothing_where_no_word_is_long(self) -> None:
        assert with_typos("my bill is", Random(1)) == "my bill is"
