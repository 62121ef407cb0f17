"""A small part of the masking campaign: mixed messages come back, and growing repeats are measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.prove.masking_fuzz import NAME, Message, all_units, check, fuzz, growth_of, mask
from tests.prove.written_forms import values

from steward.govern.privacy.detection import Detector
from steward.govern.privacy.fragments import NOTHING


class TestFuzz:
    def test_mixed_messages_come_back_and_nothing_planted_is_left(self) -> None:
        found = fuzz(7, 250)
        assert found["problems"] == []
        assert found["messages"] == 250

    def test_name_is_what_people_type(self) -> None:
        assert NAME == "masking"


class TestCheck:
    """The campaign can fail."""

    def test_value_that_is_left_is_seen(self) -> None:
        value = values()[0]
        message = Message(f"card {value.forms['plain']}", [(value, "plain")])
        untouched = mask("nothing", Detector(), NOTHING)
        assert "a card (plain) is left" in list(check(message, replace(untouched, text=message.text)))

    def test_text_that_does_not_come_back_is_seen(self) -> None:
        masked = mask("call 07700 900123", Detector(), NOTHING)
        changed = replace(masked, text=masked.text.replace("call", "ring"))
        assert list(check(Message("call 07700 900123"), changed)) == ["it doesn't come back"]


class Spent:
    """Work whose cost grows with a power of the text's length, on a clock of its own."""

    now = 0.0

    def __init__(self, power: int) -> None:
        self._power = power

    def __call__(self, text: str) -> None:
        Spent.now += len(text) ** self._power / 1e5

    @staticmethod
    def clock() -> float:
        return Spent.now


class TestGrowthOf:
    def test_quadratic_cost_is_told_from_linear(self) -> None:
        assert growth_of(Spent(2), "ab", tries=2, clock=Spent.clock)[0] == pytest.approx(4, rel=0.05)
        assert growth_of(Spent(1), "ab", tries=2, clock=Spent.clock)[0] == pytest.approx(2, rel=0.05)

    def test_units_hold_classes_pairs_and_pieces(self) -> None:
        units = all_units()
        assert len(units) > 1_500
        assert {"7", "7 ", "born "} <= set(units)
