"""The daily round: what is old goes, what is held or open stays, and a broken round is gone on with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.integration.govern.test_key_rotation import is_blocked
from tests.integration.retention.conftest import House
from tests.prove.planting import PEOPLE, Planted, plant

from steward.base.db.partitions import drop_months_before, keep_months_ahead
from steward.base.ids import first_id_at
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.retention.contracts import DataKind
from steward.govern.retention.errors import AlreadyHeld, BadHoldReason, NoSuchCustomer, NotHeld
from steward.serve.turn.purging import STAYS

ALL = dict.fromkeys(DataKind, 100)


async def planted(
    house: House, days: int, *, person: int = 0, conversations: int = 3, state: str = "closed"
) -> Planted:
    """Plant conversations that ended so many days ago; their turns' ids tell that time too."""
    now = house.clock.now()
    house.clock.advance(timedelta(days=-days))
    gone = await plant(
        house.database, house.vault, house.clock, house.ground, PEOPLE[person],
        conversations=conversations, state=state,
    )  # fmt: skip
    house.clock.advance(now - house.clock.now())
    async with house.database.write() as session:
        for turn_id in gone.turns:
            fresh = UUID(int=first_id_at(now - timedelta(days=days)).int | (turn_id.int & ((1 << 62) - 1)))
            await session.execute("update turn set id = %s where id = %s", (fresh, turn_id))
    return gone


class TestRun:
    async def test_takes_what_is_older_than_its_rule_and_counts_it(self, house: House) -> None:
        await planted(house, 101)
        await planted(house, 99, person=1)
        house.rules.days = {DataKind.MESSAGES: 100, DataKind.FEEDBACK: 50}
        counts = await house.expiring.run()
        assert counts == {"messages": 12, "feedback": 6}
        assert await house.count("message") == 9
        assert await house.count("conversation where claims_sealed is null") == 3
        assert await house.count("turn where decisions is null") == 3

    async def test_leaves_nothing_of_old_customers_when_every_kind_has_a_rule(self, house: House) -> None:
        await planted(house, 101)
        house.rules.days = ALL
        await house.expiring.run()
        for table in ("message", "turn", "conversation", "workflow_run", "action", "review", "assignment"):
            assert await house.count(table) == 0, table
        assert await house.count("customer") == 0
        assert await house.count("vault_token") == 0

    async def test_a_hold_that_was_lifted_keeps_nobody_for_ever(self, house: House) -> None:
        await planted(house, 101)
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        house.rules.days = ALL
        await house.expiring.run()
        assert await house.count("customer") == 1
        await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        await house.expiring.run()
        assert await house.count("customer") == 0
        assert await house.count("legal_hold") == 0

    async def test_keeps_what_has_no_rule(self, house: House) -> None:
        await planted(house, 5000)
        assert await house.expiring.run() == {}
        assert await house.count("message") == 9

    async def test_keeps_what_is_held_and_what_is_open(self, house: House) -> None:
        await planted(house, 200)
        await planted(house, 200, person=1, state="open")
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        house.rules.days = ALL
        await house.expiring.run()
        assert await house.count("message") == 18
        assert await house.count("turn") == 6
        assert await house.count("vault_token where octet_length(value_sealed) = 0") == 0

    async def test_an_emptied_value_gives_its_number_to_nobody_else(self, house: House) -> None:
        gone = await planted(house, 101)
        house.rules.days = {DataKind.VAULT: 100}
        await house.expiring.run()
        customer = CustomerId(gone.customer_id)
        async with house.database.write() as session:
            shown = await house.vault.unmask(
                session, customer, "[EMAIL_1]", purpose=Purpose.OWN_WORDS, actor="customer"
            )
            rows = await session.all(
                "select number from vault_token where kind = 'EMAIL' and customer_id = %s", (customer,)
            )
        assert shown == "[EMAIL_1]"
        assert rows == [(1,)]

    async def test_is_one_entry_of_the_ledger(self, house: House) -> None:
        await planted(house, 101)
        house.rules.days = {DataKind.MESSAGES: 100}
        await house.expiring.run()
        async with house.database.read() as session:
            (row,) = await house.ledger.recent(session, deed="retention.applied")
            assert (await house.ledger.verify(session)).ok
        assert dict(row.details) == {"rows": 12, "messages": 12}

    async def test_goes_on_with_a_round_that_broke_off(self, house: House) -> None:
        await planted(house, 101)
        async with house.database.write() as session:
            await session.execute(
                "insert into retention_run (id, started_at, counts) values (%s, %s, '{\"messages\": 5}')",
                (first_id_at(house.clock.now()), house.clock.now()),
            )
        house.rules.days = {DataKind.MESSAGES: 100}
        assert await house.expiring.run() == {"messages": 17}
        assert await house.count("retention_run") == 1

    async def test_finishes_an_erasure_that_broke_off(self, house: House) -> None:
        gone = await planted(house, 1)
        async with house.database.write() as session:
            await house.erasing._begin(session, [gone.customer_id], ground="request", actor="account:1")
        await house.expiring.run()
        assert await house.count("customer") == 0
        assert [line.state for line in await house.erasing.listed()] == ["done"]

    @pytest.mark.parametrize("days", [36_500, 10**6, 10**12])
    async def test_a_rule_may_be_longer_than_anybody_lives(self, house: House, days: int) -> None:
        await planted(house, 101)
        house.rules.days = dict.fromkeys(DataKind, days)
        assert await house.expiring.run() == {}
        assert {line.rows for line in await house.expiring.due()} == {0}

    async def test_a_hold_keeps_the_list_of_exports_too(self, house: House) -> None:
        await planted(house, 1)
        await house.exporting.export(PEOPLE[0].reference, actor="account:1")
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        house.clock.advance(timedelta(days=101))
        house.rules.days = {DataKind.EXPORTS: 100}
        assert {line.rows for line in await house.expiring.due()} == {0}
        assert await house.expiring.run() == {}
        await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        assert await house.expiring.run() == {"exports": 1}

    async def test_a_hold_keeps_what_a_candidate_would_have_said(self, house: House) -> None:
        gone = await planted(house, 101)
        async with house.database.write() as session:
            await session.execute("update shadow_turn set turn_id = %s where turn_id = %s", [
                (await session.one("select id from turn order by id limit 1") or [None])[0], gone.turns[0],
            ])  # fmt: skip
        kept = f"shadow_turn where turn_id not in {tuple(map(str, gone.turns[1:]))}"
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        house.rules.days = {DataKind.ROLLOUTS: 100}
        await house.expiring.run()
        assert await house.count(kept) == 1
        await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        await house.expiring.run()
        assert await house.count(kept) == 0


class TestSweep:
    async def test_makes_one_round_a_day(self, house: House) -> None:
        assert await house.expiring.sweep() == {}
        assert await house.expiring.sweep() is None
        house.clock.advance(timedelta(hours=24))
        assert await house.expiring.sweep() == {}
        assert len(await house.expiring.rounds()) == 2

    async def test_leaves_the_round_to_the_process_that_makes_it(self, house: House) -> None:
        async with house.database.read() as lease:
            await lease.one("select pg_advisory_lock(%s)", (0x7374_7265_7465_6E74,))
            assert await house.expiring.sweep() is None
            await lease.one("select pg_advisory_unlock(%s)", (0x7374_7265_7465_6E74,))
        assert await house.expiring.sweep() == {}


class TestDue:
    async def test_counts_and_removes_nothing(self, house: House) -> None:
        await planted(house, 101)
        house.rules.days = {DataKind.MESSAGES: 100, DataKind.LEDGER: 10}
        due = {line.purger: line for line in await house.expiring.due()}
        assert (due["messages"].rows, due["messages"].days) == (9, 100)
        assert (due["turns"].rows, due["turns"].days) == (0, None)
        assert due["ledger"].days == 10
        assert await house.count("message") == 9


class TestMonths:
    async def test_are_dropped_whole_unless_a_turn_has_to_stay(self, house: House, owner_url: str) -> None:
        moment = house.clock.now()
        house.clock.advance(timedelta(days=-200))
        await keep_months_ahead(owner_url, house.clock, ahead=1)
        months = [f"turn_{house.clock.now():%Y_%m}", f"turn_{house.clock.now() + timedelta(days=31):%Y_%m}"]
        house.clock.advance(moment - house.clock.now())
        await planted(house, 200)
        await planted(house, 165, person=1, conversations=1)
        where = "turn where tableoid::regclass::text = '{}'"
        assert [await house.count(where.format(month)) for month in months] == [3, 1]
        await house.holds.place(PEOPLE[1].reference, reason="case 12/26", actor="account:1")
        gone = await drop_months_before(owner_url, "turn", moment - timedelta(days=100), stays=STAYS)
        assert gone == 3
        async with house.database.read() as session:
            left = await session.all("select to_regclass(name) from unnest(%s::text[]) name", (months,))
        assert [row[0] is not None for row in left] == [False, True]
        assert await house.count("turn") == 1
        await house.holds.lift(PEOPLE[1].reference, actor="account:1")
        assert await drop_months_before(owner_url, "turn", datetime(2020, 1, 1, tzinfo=UTC), stays=STAYS) == 0
        assert await drop_months_before(owner_url, "turn", moment - timedelta(days=100), stays=STAYS) == 1


class TestHolds:
    async def test_are_listed_and_in_the_ledger(self, house: House) -> None:
        gone = await planted(house, 1)
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        (hold,) = await house.holds.listed()
        assert (hold.customer_id, hold.reason) == (gone.customer_id, "case 12/26")
        await house.holds.lift(PEOPLE[0].reference, actor="account:2")
        assert await house.holds.listed() == ()
        async with house.database.read() as session:
            deeds = [row.deed for row in await house.ledger.recent(session)]
        assert deeds == ["hold.lifted", "hold.placed"]

    async def test_only_what_was_placed_and_lifted_is_in_the_ledger(self, house: House) -> None:
        first = await planted(house, 1)
        await house.holds.place(str(first.customer_id), reason="case 1", actor="account:1")
        await plant(
            house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=0, verified=False
        )
        both = await house.holds.place(PEOPLE[0].reference, reason="case 2", actor="account:1")
        await house.holds.lift(str(first.customer_id), actor="account:1")
        await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        async with house.database.read() as session:
            told = [(row.deed, row.subject) for row in await house.ledger.recent(session)]
        (second,) = set(both) - {first.customer_id}
        ids = [f"customer:{first.customer_id}", f"customer:{second}"]
        assert sorted(told) == [(deed, each) for deed in ("hold.lifted", "hold.placed") for each in ids]

    async def test_of_a_customer_who_goes_meanwhile_is_refused(self, house: House) -> None:
        async with house.database.write() as session:
            gone = await house.vault.open_customer(session, reference="NL-gone", verified=True)
        async with house.database.write() as session:
            await session.execute("delete from customer where id = %s", (gone,))
            placing = asyncio.create_task(house.holds.place(str(gone), reason="case 1", actor="account:1"))
            while not (placing.done() or await is_blocked(house.database)):
                pass
        with pytest.raises(NoSuchCustomer, match="Nobody is known"):
            await placing

    async def test_refuse_what_makes_no_sense(self, house: House) -> None:
        await planted(house, 1)
        with pytest.raises(BadHoldReason, match="needs a reason"):
            await house.holds.place(PEOPLE[0].reference, reason=" ", actor="account:1")
        with pytest.raises(NoSuchCustomer, match="Nobody is known"):
            await house.holds.place("nobody", reason="case", actor="account:1")
        with pytest.raises(NotHeld, match="nothing to lift"):
            await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        await house.holds.place(PEOPLE[0].reference, reason="case", actor="account:1")
        with pytest.raises(AlreadyHeld, match="already"):
            await house.holds.place(PEOPLE[0].reference, reason="case", actor="account:1")
