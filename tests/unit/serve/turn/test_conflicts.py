"""Sentences that go against their evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.turn.conflicts import conflict_of
from steward.serve.turn.faults import Fault

PASSAGE = (
    "Top-up credit can't be refunded. Refunds may take up to five days. Repairs are free for customers on "
    "Fibre 500. You need to be at home for the visit. We never ask for your PIN. You don't have to pay a fee "
    "for leaving early. You can cancel an order before it is dispatched."
)


class TestConflictOf:
    @pytest.mark.parametrize(
        "claim",
        [
            "Top-up credit can be refunded.",
            "Repairs are charged for customers on Fibre 500.",
            "Repairs aren't free for customers on Fibre 500.",
            "You don't need to be at home for the visit.",
            "We always ask for your PIN.",
            "We ask for your PIN.",
            "You have to pay a fee for leaving early.",
            "You can't cancel an order before it is dispatched.",
            "You can cancel an order after it is dispatched.",
        ],
    )
    def test_finds_the_opposite(self, claim: str) -> None:
        assert conflict_of(claim, [PASSAGE]) is Fault.CONTRADICTS

    def test_finds_what_is_said_for_certain(self) -> None:
        assert conflict_of("Refunds always take up to five days.", [PASSAGE]) is Fault.OVERSTATES

    @pytest.mark.parametrize(
        "claim",
        [
            "Top-up credit cannot be refunded.",
            "No, top-up credit can't be refunded.",
            "Refunds may take up to five days.",
            "Refunds take up to five days.",
            "Repairs are free for customers on Fibre 500, not just on Sundays.",
            "We won't ever ask for your PIN.",
            "Our shops are closed on Sundays.",
            "Never pay in cash.",
        ],
    )
    def test_leaves_other_words_alone(self, claim: str) -> None:
        assert conflict_of(claim, [PASSAGE]) is None

    @given(
        st.lists(
            st.sampled_from("we never always can can't refund free charge fee pay not".split()), max_size=12
        )
    )
    def test_a_sentence_never_goes_against_itself(self, words: list[str]) -> None:
        text = " ".join(words)
        assert conflict_of(text, [text]) is None
