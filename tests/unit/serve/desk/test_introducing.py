"""The name of whoever writes a reply, told from names of customers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.desk.introducing import own_names


def found(text: str, claims: dict[str, str] | None = None) -> list[str]:
    return [text[start:end] for start, end in own_names(text, claims or {})]


class TestOwnNames:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("Hello, Sam here. I see both payments.", ["Sam"]),
            ("Hi Maya, my name is Sam Okafor and I'll help", ["Sam Okafor"]),
            ("I'm Priya, give me a moment", ["Priya"]),
            ("This is Jo from the billing team", ["Jo"]),
            ("It's done.\nKind regards,\nSam", ["Sam"]),
        ],
    )
    def test_a_writer_who_says_it(self, text: str, names: list[str]) -> None:
        assert found(text) == names

    @pytest.mark.parametrize(
        "text",
        [
            "Thanks, Maya",
            "This is Maya's line",
            "I spoke to Maya Patel",
            "Hello Maya!",
            "I'm glad",
            "Dear Maya",
        ],
    )
    def test_names_of_others(self, text: str) -> None:
        assert found(text) == []

    def test_a_customers_known_name_is_theirs(self) -> None:
        assert found("Hello, Maya here on file", {"name": "Maya Patel"}) == []

    @given(st.text(max_size=300))
    def test_lie_within_any_text(self, text: str) -> None:
        assert all(0 <= start < end <= len(text) for start, end in own_names(text, {}))
