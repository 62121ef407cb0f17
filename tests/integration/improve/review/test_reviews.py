"""Storing people's judgements of turns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.improve.insight.logbook import Logbook

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.errors import InvalidInput
from steward.base.ids import new_id
from steward.improve.review.service import GuardMarks, Judgement, Reviews
from steward.serve.conversations.errors import TurnNotFound


@pytest.fixture
async def logbook(database: PooledDatabase, fixed_clock: FixedClock) -> Logbook:
    """An empty logbook."""
    made = Logbook(database, fixed_clock)
    await made.begin()
    return made


@pytest.fixture
def reviews(database: PooledDatabase, fixed_clock: FixedClock) -> Reviews:
    """The service."""
    return Reviews(database=database, clock=fixed_clock)


class TestRecord:
    """A judgement of a finished turn."""

    async def test_is_read_back_with_the_reviewers_name(self, logbook: Logbook, reviews: Reviews) -> None:
        turn, account = await logbook.turn(await logbook.conversation()), await logbook.account()
        judgement = Judgement(intent_right=True, grounded=False, weight=12.5)
        await reviews.record(turn, judgement, reviewer=account)
        (review,) = await reviews.of(turn)
        assert (review.judgement, review.reviewer_name) == (judgement, "Rea")

    async def test_the_latest_is_first(self, logbook: Logbook, reviews: Reviews) -> None:
        turn = await logbook.turn(await logbook.conversation())
        one, two = await logbook.account(), await logbook.account()
        await reviews.record(turn, Judgement(grounded=True), reviewer=one)
        logbook.clock.advance(timedelta(minutes=1))
        await reviews.record(turn, Judgement(grounded=False), reviewer=two)
        assert [review.reviewer for review in await reviews.of(turn)] == [two, one]

    async def test_a_reviewer_may_think_again(self, logbook: Logbook, reviews: Reviews) -> None:
        turn, account = await logbook.turn(await logbook.conversation()), await logbook.account()
        await reviews.record(turn, Judgement(misrouted=True), reviewer=account)
        await reviews.record(turn, Judgement(misrouted=False), reviewer=account)
        assert [review.judgement.misrouted for review in await reviews.of(turn)] == [False]

    async def test_needs_a_turn(self, logbook: Logbook, reviews: Reviews) -> None:
        account = await logbook.account()
        with pytest.raises(TurnNotFound, match="There is no turn"):
            await reviews.record(new_id(logbook.clock), Judgement(grounded=True), reviewer=account)

    async def test_must_say_something(self, logbook: Logbook, reviews: Reviews) -> None:
        turn, account = await logbook.turn(await logbook.conversation()), await logbook.account()
        with pytest.raises(InvalidInput, match="the review says nothing"):
            await reviews.record(turn, Judgement(), reviewer=account)

    @pytest.mark.parametrize("weight", [0.0, -1.0, 1e300, float("nan"), float("inf")])
    async def test_weight_must_be_a_positive_number(
        self, weight: float, logbook: Logbook, reviews: Reviews
    ) -> None:
        turn, account = await logbook.turn(await logbook.conversation()), await logbook.account()
        with pytest.raises(InvalidInput, match="weight must be above 0"):
            await reviews.record(turn, Judgement(grounded=True, weight=weight), reviewer=account)


class TestGuardMarks:
    """What the guard stopped, and what people found."""

    async def test_are_counted_for_each_rule(self, logbook: Logbook, reviews: Reviews) -> None:
        account, conversation = await logbook.account(), await logbook.conversation()
        stopped = [await logbook.turn(conversation, guard_rule="injection") for _ in range(3)]
        await logbook.turn(conversation, guard_rule="threat")
        await logbook.turn(conversation)
        await reviews.record(stopped[0], Judgement(guard_right=False), reviewer=account)
        await reviews.record(stopped[1], Judgement(guard_right=True), reviewer=account)
        await reviews.record(stopped[2], Judgement(grounded=True), reviewer=account)
        now = logbook.clock.now()
        marks = await reviews.guard_marks(since=now, until=now + timedelta(days=1))
        assert marks == (GuardMarks("injection", 3, 2, 1), GuardMarks("threat", 1, 0, 0))

    async def test_the_latest_mark_counts(self, logbook: Logbook, reviews: Reviews) -> None:
        turn = await logbook.turn(await logbook.conversation(), guard_rule="injection")
        now = logbook.clock.now()
        for right in (False, True):
            await reviews.record(turn, Judgement(guard_right=right), reviewer=await logbook.account())
            logbook.clock.advance(timedelta(minutes=1))
        marks = await reviews.guard_marks(since=now, until=now + timedelta(days=1))
        assert marks == (GuardMarks("injection", 1, 1, 0),)
