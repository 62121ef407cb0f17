"""Telling English from other languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.base.language.which_language import language_of


class TestLanguageOf:
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("Mir wurde diesen Monat zweimal die Rechnung abgebucht", "de"),
            ("Pourquoi ma facture est plus chère que le mois dernier ?", "fr"),
            ("No funciona internet en mi casa desde ayer", "es"),
            ("Mijn internet doet het niet meer sinds gisteren", "nl"),
            ("मेरा इंटरनेट काम नहीं कर रहा है", "hi"),
            ("我的账单被扣了两次", "zh"),
            ("インターネットがつながりません", "ja"),
            ("У меня не работает интернет", "ru"),
        ],
    )
    def test_others(self, text: str, language: str) -> None:
        assert language_of(text) == language

    @pytest.mark.parametrize(
        "text",
        [
            "I was charged twice this month",
            "die hard fans on my TV, no signal",
            "hub red",
            "",
            "123 456",
            "A café in Málaga charged me, what is roaming there",
            "😡😡😡",
        ],
    )
    def test_english_and_too_little_text(self, text: str) -> None:
        assert language_of(text) is None

    @given(st.text(max_size=200))
    def test_no_text_breaks_it(self, text: str) -> None:
        language = language_of(text)
        assert language is None or len(language) == 2
