"""Texts with values in braces."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.assistant.texts import TextError, ValueMissing, argument, fill, placeholders

plain_text = st.text(max_size=30).map(lambda text: text.replace("{", "").replace("}", ""))


class TestFill:
    def test_puts_values_in(self) -> None:
        values = {"account": "NL-1", "duplicate": {"amount": Decimal("42.50"), "on": date(2026, 11, 3)}}
        text = "I'll refund £{duplicate.amount} of {duplicate.on} to {account}."
        assert fill(text, values) == "I'll refund £42.50 of 3 November 2026 to NL-1."

    @given(before=plain_text, after=plain_text, value=st.text(max_size=30))
    def test_values_are_never_read_again(self, before: str, after: str, value: str) -> None:
        assert fill(f"{before}{{a.b}}{after}", {"a": {"b": value}}) == f"{before}{value}{after}"

    def test_braces_in_a_value_stay(self) -> None:
        assert fill("{a}", {"a": "{b} {{c}}", "b": "no"}) == "{b} {{c}}"

    @given(plain_text)
    def test_text_without_values_stays(self, text: str) -> None:
        assert fill(text, {}) == text

    @given(st.text(max_size=30))
    def test_doubled_braces_give_one(self, text: str) -> None:
        assert fill(text.replace("{", "{{").replace("}", "}}"), {}) == text

    @given(st.text(alphabet="{}ab. ", max_size=20))
    def test_never_fails_otherwise(self, text: str) -> None:
        with suppress(TextError, ValueMissing):
            fill(text, {"a": "x", "b": {"a": 1}})

    @pytest.mark.parametrize(
        ("value", "written"),
        [(True, "yes"), (False, "no"), (0.1, "0.1"), (1e-7, "0.0000001"), (["a", 2], "a, 2"), ("", "")],
    )
    def test_how_values_are_written(self, value: Any, written: str) -> None:
        assert fill("{a}", {"a": value}) == written

    @pytest.mark.parametrize("values", [{}, {"a": None}, {"a": {"b": None}}, {"a": {"b": {"c": 1}}}])
    def test_a_missing_value_is_named(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValueMissing, match=r"\{a\.b\} is missing"):
            fill("for {a.b}", values)


class TestPlaceholders:
    def test_in_order_each_once(self) -> None:
        assert placeholders("{b.c} {a} {b.c} {{no}}") == ("b.c", "a")

    @pytest.mark.parametrize("text", ["{", "}", "{A}", "{a b}", "{a.}", "{}", "{{a}", "{a!r}", "{a[0]}"])
    def test_a_loose_brace_is_refused(self, text: str) -> None:
        with pytest.raises(TextError, match="encloses no value's name"):
            placeholders(text)


class TestArgument:
    def test_a_lone_value_keeps_its_type(self) -> None:
        assert argument("{a.b}", {"a": {"b": Decimal("1.50")}}) == Decimal("1.50")

    def test_a_lone_missing_value_is_none(self) -> None:
        assert argument("{a.b}", {}) is None

    def test_constants_stay(self) -> None:
        assert [argument(value, {}) for value in (5, True, "asked in chat")] == [5, True, "asked in chat"]

    def test_a_value_inside_text_must_be_there(self) -> None:
        with pytest.raises(ValueMissing, match="is missing"):
            argument("ticket {a.b}", {})
