"""Figures of compared turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from steward.improve.rollout.shadow_results import ShadowTurn, most_telling, page_of

SAME = ShadowTurn(
    turn_id=UUID(int=1), at=datetime(2026, 3, 2, tzinfo=UTC), category="billing",
    baseline_outcome="answered", candidate_outcome="answered", baseline_intent="bill",
    candidate_intent="bill", same_sources=True, same=True, baseline_dropped=0, candidate_dropped=0,
    baseline_cost=Decimal("0.002"), candidate_cost=Decimal("0.001"), baseline_ms=100.0, candidate_ms=80.0,
    currency="EUR",
)  # fmt: skip
WORSE = replace(SAME, turn_id=UUID(int=2), candidate_outcome="handed_over", same=False)
DROPPED = replace(SAME, turn_id=UUID(int=3), candidate_dropped=2)
OTHER_INTENT = replace(SAME, turn_id=UUID(int=4), candidate_intent="refund", same=False)
BETTER = replace(SAME, turn_id=UUID(int=5), baseline_outcome="fell_back", same=False)


class TestPageOf:
    def test_nothing_compared(self) -> None:
        page = page_of([])
        assert (page.compared, page.same.share, page.p50_ms.candidate, page.currency) == (0, None, None, None)

    def test_shares_cost_and_time_side_by_side(self) -> None:
        page = page_of([SAME, WORSE, DROPPED, OTHER_INTENT])
        assert page.same.share == 0.5
        assert page.same_intent.hits == 3
        assert page.same_outcome.hits == 3
        assert page.cost_per_turn.baseline == pytest.approx(0.002)
        assert page.cost_per_turn.candidate == pytest.approx(0.001)
        assert (page.p95_ms.baseline, page.p95_ms.candidate) == (100.0, 80.0)

    def test_verification_is_compared_in_pairs(self) -> None:
        page = page_of([SAME, DROPPED, DROPPED])
        assert (page.failures.only_baseline, page.failures.only_candidate) == (0, 2)
        assert page.failures.p == pytest.approx(0.5)

    def test_changes_are_counted(self) -> None:
        page = page_of([SAME, WORSE, replace(WORSE, turn_id=UUID(int=9)), OTHER_INTENT])
        assert [(item.before, item.after, item.turns) for item in page.outcomes] == [
            ("answered", "handed_over", 2)
        ]


class TestMostTelling:
    def test_worse_outcomes_come_first_and_equal_turns_never(self) -> None:
        shown = most_telling([OTHER_INTENT, SAME, BETTER, DROPPED, WORSE])
        assert [turn.turn_id.int for turn in shown] == [2, 3, 5, 4]
