"""Hourly roll-ups and the live figures read from them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.integration.improve.insight.logbook import ASSISTANT, Logbook

from steward.base.db.pool import PooledDatabase
from steward.improve.insight.contracts import By, Method
from steward.improve.insight.errors import KpiNotFound
from steward.improve.insight.first_page import FirstPage
from steward.improve.insight.live import Live, Slice
from steward.improve.insight.rollups import RollUps, stretches
from steward.improve.review.service import Judgement, Reviews


@pytest.fixture
def lately(logbook: Logbook) -> Slice:
    """Traffic since yesterday."""
    return Slice(since=logbook.clock.now() - timedelta(days=1), assistant=ASSISTANT)


class TestRefresh:
    """Touched hours only, and nothing twice."""

    async def test_untouched_hours_are_left_alone(self, logbook: Logbook, roll_ups: RollUps) -> None:
        await logbook.turn(await logbook.conversation())
        logbook.clock.advance(timedelta(hours=3))
        await logbook.turn(await logbook.conversation())
        assert (await roll_ups.refresh()).hours == 2
        logbook.clock.advance(timedelta(minutes=20))
        await logbook.turn(await logbook.conversation())
        assert (await roll_ups.refresh()).hours == 1

    async def test_refreshing_again_changes_nothing(
        self, logbook: Logbook, roll_ups: RollUps, database: PooledDatabase
    ) -> None:
        await logbook.turn(await logbook.conversation())
        await roll_ups.refresh()
        before = await _everything(database)
        await roll_ups.refresh()
        assert await _everything(database) == before

    async def test_several_at_once_count_once(
        self, logbook: Logbook, database: PooledDatabase, live: Live, lately: Slice
    ) -> None:
        for _ in range(5):
            await logbook.turn(await logbook.conversation())
        jobs = [RollUps(database=database, clock=logbook.clock) for _ in range(4)]
        await asyncio.gather(*(job.refresh() for job in jobs))
        figure = await live.figure("error_rate", lately)
        assert (figure.value, figure.n) == (0.0, 5)

    async def test_a_late_survey_reaches_its_hour(
        self, logbook: Logbook, roll_ups: RollUps, live: Live, lately: Slice
    ) -> None:
        talk = await logbook.conversation()
        await roll_ups.refresh()
        logbook.clock.advance(timedelta(hours=20))
        await logbook.rate(talk, 5)
        figure = await live.figure("csat", lately)
        assert (figure.value, figure.so_far, figure.immature) == (None, 5.0, 1)

    async def test_a_recontact_reaches_the_hour_of_the_first(
        self, logbook: Logbook, roll_ups: RollUps, live: Live, lately: Slice
    ) -> None:
        customer = await logbook.customer()
        await logbook.conversation(customer)
        await roll_ups.refresh()
        logbook.clock.advance(timedelta(hours=8))
        await logbook.conversation(customer)
        assert (await live.figure("repeat_rate", lately)).so_far == 0.5

    async def test_a_measure_matures_by_time_alone(self, logbook: Logbook, live: Live) -> None:
        talk = await logbook.conversation()
        await logbook.rate(talk, 4)
        traffic = Slice(since=logbook.clock.now())
        early = await live.figure("csat", traffic)
        logbook.clock.advance(timedelta(hours=73))
        late = await live.figure("csat", traffic)
        assert (early.value, early.immature) == (None, 1)
        assert (late.value, late.n, late.immature) == (4.0, 1, 0)

    async def test_a_silent_conversation_ends_by_itself(self, logbook: Logbook, live: Live) -> None:
        await logbook.conversation(state="open", closed_at=None)
        traffic = Slice(since=logbook.clock.now())
        assert (await live.figure("escalation_rate", traffic)).immature == 1
        logbook.clock.advance(timedelta(minutes=40))
        figure = await live.figure("escalation_rate", traffic)
        assert (figure.value, figure.n, figure.immature) == (0.0, 1, 0)

    async def test_a_review_reaches_its_hour(
        self, logbook: Logbook, roll_ups: RollUps, live: Live, database: PooledDatabase
    ) -> None:
        talk = await logbook.conversation()
        turns = [await logbook.turn(talk) for _ in range(2)]
        traffic = Slice(since=logbook.clock.now())
        await roll_ups.refresh()
        logbook.clock.advance(timedelta(days=2))
        reviews, reviewer = Reviews(database=database, clock=logbook.clock), await logbook.account()
        await reviews.record(turns[0], Judgement(grounded=True, weight=30), reviewer=reviewer)
        await reviews.record(turns[1], Judgement(grounded=False, weight=10), reviewer=reviewer)
        figure = await live.figure("hallucination_rate", traffic)
        assert (figure.so_far, figure.immature) == (0.25, 1)

    async def test_simulated_traffic_is_apart(self, logbook: Logbook, live: Live, lately: Slice) -> None:
        await logbook.conversation(simulated=True)
        assert (await live.figure("escalation_rate", lately)).n == 0
        simulated = Slice(since=lately.since, simulated=True)
        assert (await live.figure("escalation_rate", simulated)).n == 1


class TestParts:
    """A KPI by hour, category, release and arm."""

    async def test_by_category(self, logbook: Logbook, live: Live, lately: Slice) -> None:
        await logbook.conversation()
        await logbook.handover(await logbook.conversation(category="internet"))
        parts = await live.parts("escalation_rate", lately, by=By.CATEGORY)
        assert [(part.part, part.figure.value) for part in parts] == [("billing", 0.0), ("internet", 1.0)]

    async def test_by_hour(self, logbook: Logbook, live: Live, lately: Slice) -> None:
        talk, start = await logbook.conversation(), logbook.clock.now()
        await logbook.turn(talk, total_ms=100.0)
        logbook.clock.advance(timedelta(hours=1))
        await logbook.turn(talk, total_ms=900.0)
        parts = await live.parts("turn_ms_p95", lately, by=By.HOUR)
        assert [part.part for part in parts] == [start, start + timedelta(hours=1)]
        assert [part.figure.value for part in parts] == [
            pytest.approx(100, rel=0.01), pytest.approx(900, rel=0.01)
        ]  # fmt: skip

    async def test_a_proportion_has_wilsons_interval(
        self, logbook: Logbook, live: Live, lately: Slice
    ) -> None:
        await logbook.conversation()
        figure = await live.figure("escalation_rate", lately)
        assert figure.method is Method.WILSON
        assert figure.low == 0.0
        assert figure.high == pytest.approx(0.7935, abs=1e-4)

    async def test_nothing_is_not_zero(self, logbook: Logbook, live: Live, lately: Slice) -> None:
        figure = await live.figure("csat", lately)
        assert (figure.value, figure.n, figure.method) == (None, 0, Method.NONE)

    async def test_unknown_names_are_refused(self, live: Live, lately: Slice) -> None:
        with pytest.raises(KpiNotFound, match="did you mean 'escalation_rate'"):
            await live.figure("escalaton_rate", lately)


class TestFirstPage:
    """The figures of the first page."""

    async def test_figures(self, logbook: Logbook, database: PooledDatabase) -> None:
        talk, handed = await logbook.conversation(), await logbook.conversation(category=None)
        await logbook.turn(talk)
        await logbook.turn(handed, outcome="handed_over", category=None)
        await logbook.handover(handed)
        await logbook.rate(talk, 5)
        figures = await FirstPage(database=database, clock=logbook.clock).figures()
        assert (figures.csat.value, figures.csat.n) == (5.0, 1)
        assert (figures.csat_response_rate.value, figures.escalation.value) == (0.5, 0.5)
        assert (figures.containment.value, figures.containment.n) == (0.5, 2)
        assert figures.turn_ms.p50 == pytest.approx(500, rel=0.01)
        assert float(figures.cost_total) == pytest.approx(0.002)
        assert figures.currency == "GBP"
        assert figures.outcomes == {"answered": 1, "handed_over": 1}
        assert figures.categories == {"billing": 1, "none": 1}
        assert [(line.conversations, line.turns, line.handed_over) for line in figures.hours] == [(2, 2, 1)]
        assert (figures.turns, figures.waiting, figures.open) == (2, 1, 0)

    async def test_shows_what_just_happened(self, logbook: Logbook, database: PooledDatabase) -> None:
        page = FirstPage(database=database, clock=logbook.clock)
        assert (await page.figures()).turns == 0
        logbook.clock.advance(timedelta(seconds=30))
        await logbook.turn(await logbook.conversation(state="open", closed_at=None))
        figures = await page.figures()
        assert (figures.turns, figures.escalation.n, figures.open) == (1, 1, 1)


class TestStretches:
    """Hours are rolled up in stretches of a day at most."""

    def test_neighbours_are_joined(self, logbook: Logbook) -> None:
        start = logbook.clock.now()
        hours = [start + timedelta(hours=i) for i in (0, 1, 2, 5)]
        assert stretches(hours) == [
            (start, start + timedelta(hours=3)), (start + timedelta(hours=5), start + timedelta(hours=6))
        ]  # fmt: skip

    def test_no_stretch_is_longer_than_a_day(self, logbook: Logbook) -> None:
        hours = [logbook.clock.now() + timedelta(hours=i) for i in range(30)]
        assert [int((end - start) / timedelta(hours=1)) for start, end in stretches(hours)] == [24, 6]


async def _everything(database: PooledDatabase) -> list[tuple[object, ...]]:
    async with database.read() as session:
        return await session.all("select * from kpi_hour order by kpi, hour, cell, mature")
