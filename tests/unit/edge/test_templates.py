"""Values as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from steward.edge.templates import facts, milliseconds, money, named, percent, words


class TestMilliseconds:
    @pytest.mark.parametrize(
        ("value", "shown"), [(None, "–"), (0.42, "0.4 ms"), (12.3, "12 ms"), (1340.0, "1.3 s")]
    )
    def test_three_figures_at_most(self, value: float | None, shown: str) -> None:
        assert milliseconds(value) == shown


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, "–"),
            (Decimal("0E-8"), "0.00 GBP"),
            (Decimal("0.00012345"), "0.00012 GBP"),
            ("12.5", "12.50 GBP"),
        ],
    )
    def test_small_amounts_keep_two_figures(self, value: object, shown: str) -> None:
        assert money(value, "GBP") == shown


class TestPercent:
    def test_nothing_is_a_dash(self) -> None:
        assert percent(None) == "–"
        assert percent(0.125, 1) == "12.5 %"


class TestWords:
    def test_a_name_becomes_words(self) -> None:
        assert words("handed_over") == "handed over"
        assert words(None) == "–"


class TestFacts:
    def test_values_are_named(self) -> None:
        assert facts('{"out_of_scope": false, "alternatives": [["late_fee", 0.25]]}') == (
            "out of scope no · alternatives late_fee 0.25"
        )


class TestNamed:
    def test_markup_in_a_name_is_escaped(self) -> None:
        assert "<b>" not in named("<b>:x")
