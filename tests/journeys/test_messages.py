"""A small seed of the 200 messages: 30 of them, drawn by a fixed seed, against the running demo."""

from __future__ import annotations

import pytest
from tests.journeys.conftest import Demo
from tests.prove.client import Client
from tests.prove.messages import LEAST_ACCEPTABLE, all_messages, ask_all, drawn, line

SEED = 7
DRAWN = 30


class TestMessages:
    def test_there_are_200_with_acceptable_outcomes_from_the_closed_set(self) -> None:
        outcomes = {"answered", "asked", "acted", "handed_over", "refused", "fell_back", "silent"}
        messages = all_messages()
        assert len(messages) == 200
        assert all(message.outcomes and outcomes.issuperset(message.outcomes) for message in messages)

    @pytest.mark.campaign
    async def test_30_of_them(self, demo: Demo) -> None:
        results = await ask_all(Client(demo.url, demo.key), drawn(SEED, DRAWN))
        assert [result.status for result in results] == [200] * DRAWN
        missed = [line(result) for result in results if result.faults]
        assert len(missed) * 200 <= (200 - LEAST_ACCEPTABLE) * DRAWN, missed
        assert "Traceback" not in demo.running.output
