"""A rollout's verdicts in the terminal."""

from __future__ import annotations

import pytest

from steward.app.commands.rollout import verdict_in_words
from steward.improve.rollout.contracts import ALL, Finding, TriggerVerdict


def verdict(low: float | None, high: float | None, *, harm: float | None = 0.1) -> TriggerVerdict:
    return TriggerVerdict(
        "escalation_rate", ALL, Finding.UNKNOWN, 0.02, 0.1, 0.2, harm, low, high, 50, 50, 90
    )


class TestVerdictInWords:
    @pytest.mark.parametrize(
        ("low", "high", "interval"),
        [
            (None, None, "interval not known yet"),
            (0.05, None, "at least +0.05"),
            (None, 0.3, "at most +0.3"),
            (-0.1, 0.3, "-0.1 to +0.3"),
        ],
    )
    def test_an_open_side_is_said(self, low: float | None, high: float | None, interval: str) -> None:
        text = verdict_in_words(verdict(low, high))
        assert f"harm +0.1 ({interval}), margin 0.02, needs about 90 more customers" in text

    def test_without_a_harm_nothing_is_known(self) -> None:
        assert "harm not known yet, margin" in verdict_in_words(verdict(None, None, harm=None))
