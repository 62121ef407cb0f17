"""What a message can lean on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from steward.serve.conversations.contracts import MessageRole
from steward.serve.turn.receive import Received, Said


def received(*texts: str) -> Received:
    nothing = cast(Any, SimpleNamespace())
    return Received(
        conversation=nothing, turn_id=nothing, message_id=nothing, text="and how long?", masked_count=0,
        key=nothing, history=tuple(Said(MessageRole.CUSTOMER, text) for text in texts), run=None, claims={},
        asked_back=0,
    )  # fmt: skip


class TestLastMatter:
    @pytest.mark.parametrize("later", ["yes please", "[ACCOUNT_1]", "PL4 8ZN", "thanks", "no thanks", "👍"])
    def test_answers_and_values_are_passed_over(self, later: str) -> None:
        assert received("where is my refund", later).last_matter == "where is my refund"

    def test_the_latest_matter_counts(self) -> None:
        assert received("where is my refund", "internet down").last_matter == "internet down"

    def test_none_at_the_start(self) -> None:
        assert received().last_matter is None
