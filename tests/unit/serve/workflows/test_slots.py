"""Reading values from what customers write."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.workflows.slots import read_slot
from steward.supply.assistant.schema.workflow import Slot

TODAY = date(2026, 3, 2)


def read(text: str, **slot: Any) -> str | None:
    return read_slot(
        Slot.model_validate({"name": "it", "title": "It", "ask": "It?", **slot}), text, today=TODAY
    )


class TestReadSlot:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("it's nl-204816.", "NL-204816"), ("NL-204816", "NL-204816"), ("204816", None), ("", None)],
    )
    def test_patterns_are_found_inside_a_sentence(self, text: str, value: str | None) -> None:
        found = read(text, pattern=r"[Nn][Ll]-\d{6}")
        assert (found.upper() if found else None) == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("tomorrow", "2026-03-03"),
            ("2026-04-05", "2026-04-05"),
            ("on 5/4/26", "2026-04-05"),
            ("5th of April", "2026-04-05"),
            ("April 5, 2027", "2027-04-05"),
            ("31/02/2026", None),
            ("soon", None),
        ],
    )
    def test_dates(self, text: str, value: str | None) -> None:
        assert read(text, type="date") == value

    @pytest.mark.parametrize(
        ("text", "value"), [("£1,250.50 please", "1250.50"), ("20", "20"), ("much", None)]
    )
    def test_money(self, text: str, value: str | None) -> None:
        assert read(text, type="money") == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("TV please", "tv"),
            ("2", "landline"),
            ("land", "landline"),
            ("tv and landline", None),
            ("radio", None),
        ],
    )
    def test_choices(self, text: str, value: str | None) -> None:
        assert read(text, type="choice", choices=["broadband", "landline", "tv"]) == value

    @pytest.mark.parametrize(("text", "value"), [("yes", "yes"), ("no", "no"), ("perhaps", None)])
    def test_yes_and_no(self, text: str, value: str | None) -> None:
        assert read(text, type="yes_no") == value

    @given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    def test_every_date_in_its_canonical_form_is_itself(self, day: date) -> None:
        assert read(f"from {day.isoformat()} on", type="date") == day.isoformat()

    @pytest.mark.parametrize(
        "kind", ["text", "number", "money", "date", "email", "phone", "choice", "yes_no"]
    )
    @given(text=st.text(max_size=60))
    def test_no_text_breaks_it(self, kind: str, text: str) -> None:
        read(text, type=kind, choices=["one", "two"])
