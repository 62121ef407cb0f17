"""What each KPI counts, on conversations that were told one by one."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from tests.integration.improve.insight.conftest import Observe
from tests.integration.improve.insight.logbook import Logbook

from steward.base.db.pool import PooledDatabase
from steward.improve.insight.contracts import Over, Parameters, Ratio
from steward.improve.insight.kpis import ALL
from steward.improve.insight.tables import TABLES
from steward.improve.insight.transpile import observations_sql


class TestTables:
    """The views are the documented contract."""

    async def test_views_have_the_documented_columns_in_their_kinds(self, database: PooledDatabase) -> None:
        widened = {"integer": "bigint", "smallint": "bigint", "real": "double precision"}
        widened["numeric"] = "double precision"
        for over, columns in TABLES.items():
            async with database.read() as session:
                rows = await session.all(
                    "select column_name, data_type from information_schema.columns where table_name = %s",
                    (over.value,),
                )
            found = {name: widened.get(kind, kind) for name, kind in rows}
            assert found == {column.name: column.kind.value for column in columns}

    def test_a_page_view_is_no_conversation(
        self, admin_connection: psycopg.Connection[tuple[object, ...]]
    ) -> None:
        row = admin_connection.execute("select pg_get_viewdef('conversations')").fetchone()
        assert row is not None
        assert "next_seq > 1" in str(row[0])


class TestObservations:
    """Numerator and denominator per conversation."""

    @pytest.mark.parametrize("kpi", [kpi for kpi in ALL if isinstance(kpi, Ratio)], ids=lambda kpi: kpi.name)
    async def test_every_ratio_is_at_most_one_row_per_conversation(
        self, kpi: Ratio, logbook: Logbook, database: PooledDatabase
    ) -> None:
        told = [await logbook.conversation() for _ in range(2)]
        for conversation in told:
            await logbook.turn(conversation)
            await logbook.turn(conversation, outcome="asked")
        async with database.read() as session:
            rows = await session.all(observations_sql(kpi), {"ids": told, **Parameters().values()})
        assert len({row[0] for row in rows}) == len(rows) <= 2

    async def test_only_asked_conversations_are_read(self, logbook: Logbook, observe: Observe) -> None:
        one, _ = await logbook.conversation(), await logbook.conversation()
        assert await observe("escalation_rate", one) == {one: (0.0, 1.0)}

    async def test_satisfaction_counts_those_who_answered(self, logbook: Logbook, observe: Observe) -> None:
        rated, silent = await logbook.conversation(), await logbook.conversation()
        await logbook.rate(rated, 4)
        assert await observe("csat", rated, silent) == {rated: (4.0, 1.0)}
        assert await observe("survey_response_rate", rated, silent) == {
            rated: (1.0, 1.0), silent: (0.0, 1.0)
        }  # fmt: skip

    async def test_slow_turns_are_a_share_of_the_conversations_turns(
        self, logbook: Logbook, observe: Observe
    ) -> None:
        talk = await logbook.conversation()
        for total_ms in (500.0, 3000.0, 3001.0):
            await logbook.turn(talk, total_ms=total_ms)
        await logbook.turn(talk, total_ms=9000.0, outcome="silent")
        assert await observe("slow_turn_rate", talk) == {talk: (1.0, 3.0)}

    async def test_unknown_prices_do_not_count(self, logbook: Logbook, observe: Observe) -> None:
        priced, unknown = await logbook.conversation(), await logbook.conversation()
        for _ in range(2):
            await logbook.turn(priced)
        await logbook.turn(unknown, cost=None)
        found = await observe("cost_per_conversation", priced, unknown)
        assert list(found) == [priced]
        assert found[priced] == pytest.approx((0.002, 1.0))

    async def test_cost_of_what_failed_is_on_the_resolutions(
        self, logbook: Logbook, observe: Observe
    ) -> None:
        failed = await logbook.conversation(resolved=False)
        await logbook.turn(failed)
        assert (await observe("cost_per_resolution", failed))[failed] == pytest.approx((0.001, 0.0))

    async def test_dropped_sentences_make_a_turn_unverified(self, logbook: Logbook, observe: Observe) -> None:
        talk = await logbook.conversation()
        await logbook.turn(talk, sentences_dropped=2)
        await logbook.turn(talk)
        assert await observe("unverified_rate", talk) == {talk: (1.0, 2.0)}


class TestResolution:
    """Confirmed by the customer, or assumed where nobody complained."""

    @pytest.mark.parametrize(
        ("last", "resolved", "expected"),
        [
            ("answered", None, 1.0),
            ("acted", None, 1.0),
            ("asked", None, 0.0),
            ("refused", None, 0.0),
            ("failed", True, 1.0),
            ("answered", False, 0.0),
        ],
    )
    async def test_last_word_counts_unless_the_customer_said(
        self, last: str, resolved: bool | None, expected: float, logbook: Logbook, observe: Observe
    ) -> None:
        talk = await logbook.conversation(resolved=resolved)
        await logbook.turn(talk, outcome="failed")
        await logbook.turn(talk, outcome=last)
        assert await observe("resolution_rate", talk) == {talk: (expected, 1.0)}

    async def test_a_complaint_undoes_it(self, logbook: Logbook, observe: Observe) -> None:
        rated, thumbed = await logbook.conversation(), await logbook.conversation()
        await logbook.turn(rated)
        await logbook.rate(rated, 2)
        turn = await logbook.turn(thumbed)
        await logbook.thumb(thumbed, turn, "down")
        found = await observe("resolution_rate", rated, thumbed)
        assert found == {rated: (0.0, 1.0), thumbed: (0.0, 1.0)}

    async def test_a_hand_over_resolves_once_a_human_took_it(
        self, logbook: Logbook, observe: Observe
    ) -> None:
        now = logbook.clock.now()
        taken, left = await logbook.conversation(), await logbook.conversation()
        for talk in (taken, left):
            await logbook.turn(talk, outcome="handed_over")
        await logbook.handover(taken, taken_at=now, ended_at=now + timedelta(minutes=3))
        await logbook.handover(left)
        assert await observe("resolution_rate", taken, left) == {taken: (1.0, 1.0), left: (0.0, 1.0)}
        assert await observe("human_minutes", taken, left) == {taken: (3.0, 1.0), left: (0.0, 1.0)}

    async def test_coming_back_on_another_channel_undoes_durability(
        self, logbook: Logbook, observe: Observe
    ) -> None:
        customer = await logbook.customer()
        now = logbook.clock.now()
        first = await logbook.conversation(customer)
        again = await logbook.conversation(customer, opened_at=now + timedelta(days=6), channel="api")
        late = await logbook.conversation(customer, opened_at=now + timedelta(days=14))
        other = await logbook.conversation(customer, opened_at=now + timedelta(days=15), intent="change_plan")
        told = (first, again, late, other)
        for talk in told:
            await logbook.turn(talk)
        durable = await observe("durable_resolution_rate", *told)
        assert [durable[talk][0] for talk in told] == [0.0, 1.0, 1.0, 1.0]
        at_first = await observe("first_contact_resolution", *told)
        assert at_first == {first: (0.0, 1.0), late: (1.0, 1.0), other: (1.0, 1.0)}
        repeats = await observe("repeat_rate", *told)
        assert [repeats[talk][0] for talk in told] == [1.0, 0.0, 0.0, 0.0]


class TestWaiting:
    """From asking for a human, or from the first message, to the first useful answer."""

    async def test_of_the_assistant(self, logbook: Logbook, observe: Observe) -> None:
        talk = await logbook.conversation()
        await logbook.turn(talk, outcome="asked")
        logbook.clock.advance(timedelta(seconds=30))
        await logbook.turn(talk)
        assert await observe("wait_time_s", talk) == {talk: (30.5, 1.0)}

    async def test_of_a_human(self, logbook: Logbook, observe: Observe) -> None:
        talk = await logbook.conversation()
        await logbook.turn(talk, outcome="handed_over")
        await logbook.handover(talk)
        logbook.clock.advance(timedelta(seconds=90))
        await logbook.human_words(talk)
        assert await observe("wait_time_s", talk) == {talk: (90.0, 1.0)}


def test_trigger_definitions_name_one_table_each() -> None:
    assert {kpi.over for kpi in ALL if isinstance(kpi, Ratio)} == set(Over)
