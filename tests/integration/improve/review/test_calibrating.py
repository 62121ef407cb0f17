"""What reviewed turns suggest for the thresholds of the next release."""

from __future__ import annotations

from uuid import UUID

import pytest
from tests.integration.improve.insight.logbook import ASSISTANT, RELEASE, Logbook

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.improve.review.calibrating import Calibrated, Calibrations
from steward.improve.review.service import Judgement, Reviews

LEADING = {"double_charge"}


@pytest.fixture
async def logbook(database: PooledDatabase, fixed_clock: FixedClock) -> Logbook:
    """An empty logbook."""
    made = Logbook(database, fixed_clock)
    await made.begin()
    return made


class Judged:
    """Turns of one conversation, each judged by one person."""

    def __init__(self, logbook: Logbook, database: PooledDatabase, clock: FixedClock) -> None:
        self._logbook = logbook
        self._reviews = Reviews(database=database, clock=clock)
        self._calibrations = Calibrations(database)
        self._reviewer: UUID | None = None

    async def add(self, count: int, *, right: bool, weight: float = 1.0, **changed: object) -> None:
        """Store turns with a confidence of 0.9, and what a person found."""
        self._reviewer = self._reviewer or await self._logbook.account()
        conversation = await self._logbook.conversation()
        values = {"intent": "double_charge", "confidence": 0.9, "out_of_scope": False, **changed}
        for _ in range(count):
            turn = await self._logbook.turn(conversation, **values)
            judgement = Judgement(intent_right=right, weight=weight)
            await self._reviews.record(turn, judgement, reviewer=self._reviewer)

    async def calibrated(self) -> Calibrated:
        """Return what a bound of 5 % gives."""
        return await self._calibrations.of(
            ASSISTANT, RELEASE, with_workflow=LEADING, offer_from=0.55, most_wrong=0.05
        )


@pytest.fixture
def judged(logbook: Logbook, database: PooledDatabase, fixed_clock: FixedClock) -> Judged:
    """Nobody has judged anything."""
    return Judged(logbook, database, fixed_clock)


class TestCalibrations:
    async def test_nothing_judged_suggests_nothing(self, judged: Judged) -> None:
        found = await judged.calibrated()
        assert (found.bounded.judged, found.bounded.possible, found.suggestions) == (0, False, {})

    async def test_raises_the_threshold_above_what_was_wrong(self, judged: Judged) -> None:
        await judged.add(85, right=True)
        await judged.add(15, right=False, confidence=0.6)
        found = await judged.calibrated()
        assert found.wrong_now == pytest.approx(0.15)
        assert found.suggestions == {"offer_workflow": 0.61}
        assert (found.bounded.done, found.bounded.wrong, found.even) == (85, 0, True)

    async def test_what_leads_nowhere_and_other_traffic_does_not_count(self, judged: Judged) -> None:
        await judged.add(90, right=True)
        await judged.add(10, right=False, intent="thanks")
        await judged.add(10, right=False, out_of_scope=True)
        await judged.add(10, right=False, simulated=True)
        await judged.add(10, right=False, release_id="f" * 64)
        found = await judged.calibrated()
        assert (found.bounded.judged, found.bounded.wrong, found.wrong_now) == (110, 0, 0.0)

    async def test_says_where_turns_were_picked_unevenly(self, judged: Judged) -> None:
        await judged.add(3, right=True)
        await judged.add(3, right=True, weight=20.0)
        assert not (await judged.calibrated()).even

    async def test_counts_questions_that_helped(self, judged: Judged, logbook: Logbook) -> None:
        for number in range(40):
            conversation = await logbook.conversation()
            await logbook.turn(conversation, outcome="asked", reason="weak_evidence")
            await logbook.turn(conversation, outcome="answered" if number % 4 else "handed_over")
        found = await judged.calibrated()
        assert (found.questions, found.question_helps) == (40, 0.75)
        assert found.suggestions == {"question_helps": 0.75}
