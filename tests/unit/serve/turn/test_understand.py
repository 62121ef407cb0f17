"""Messages that lean on the one before, and how much evidence is enough."""

from __future__ import annotations

import numpy as np
import pytest

from steward.serve.turn.deciding import evidence_needed
from steward.serve.turn.retrieve import aimed
from steward.serve.turn.understand import leans_on_before


class TestLeansOnBefore:
    @pytest.mark.parametrize(
        "text", ["and how long does it take?", "why?", "is there a fee?", "what about TV"]
    )
    def test_short_follow_ups_do(self, text: str) -> None:
        assert leans_on_before(text)

    @pytest.mark.parametrize(
        "text", ["my internet is down", "no thanks", "how can I find the bill that you sent me in October"]
    )
    def test_whole_questions_do_not(self, text: str) -> None:
        assert not leans_on_before(text)


class TestEvidenceNeeded:
    def test_more_where_no_intent_claims_the_message(self) -> None:
        assert evidence_needed(0.3, out_of_scope=False) == 0.3
        assert evidence_needed(0.3, out_of_scope=True) == pytest.approx(0.65)


class TestAimed:
    def test_lies_between_and_has_length_one(self) -> None:
        one, other = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
        mixed = aimed(one, other, 0.5)
        assert np.linalg.norm(mixed) == pytest.approx(1)
        assert mixed[0] > mixed[1] > 0
        assert np.array_equal(aimed(one, other, 0), one)
