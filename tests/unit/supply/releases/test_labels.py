"""Labels never look like a number or the beginning of an id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.releases.labels import is_label


class TestIsLabel:
    @pytest.mark.parametrize("name", ["stable", "spring-prices", "2026-11", "v1.2", "a_b", "beef-1", "g"])
    def test_names_that_people_give(self, name: str) -> None:
        assert is_label(name)

    @pytest.mark.parametrize(
        "name", ["", "7", "12345678", "beef", "DECADE", "Stable", "-a", "a-", "a b", "a--b", "ü", "s" * 61]
    )
    def test_names_that_could_be_something_else(self, name: str) -> None:
        assert not is_label(name)

    @given(name=st.text(st.sampled_from("0123456789abcdef"), max_size=64))
    def test_no_beginning_of_an_id(self, name: str) -> None:
        assert not is_label(name)
