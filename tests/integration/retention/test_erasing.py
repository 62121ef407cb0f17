"""Erasing a customer: nothing of them is left, others are untouched, and it is proven."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from tests.integration.retention.conftest import MASTER, House
from tests.prove.planting import PEOPLE, Person, Planted, plant

from steward.app.retaining import forgetting
from steward.base.db.contracts import ReadSession
from steward.base.db.presence import Presence
from steward.govern.privacy.errors import CustomerErased
from steward.govern.privacy.vault import Vault
from steward.govern.retention.certificate import Certificate, as_html, as_markdown
from steward.govern.retention.contracts import ERASED_CHANNEL
from steward.govern.retention.errors import (
    ActionsUndecided,
    BadGround,
    NoSuchCustomer,
    NoSuchErasure,
    TurnStillRunning,
    UnderHold,
)
from steward.serve.conversations.contracts import TurnId
from steward.serve.conversations.turn_records import insert_turn, select_turn
from steward.serve.turn.silencing import Silencing

TOUCHED = (
    "message", "turn", "feedback", "handover", "review", "assignment", "shadow_turn", "approval",
    "workflow_run", "conversation", "vault_token", "customer_key", "customer",
)  # fmt: skip


async def planted(house: House, person: Person, conversations: int = 2, *, state: str = "closed") -> Planted:
    return await plant(
        house.database, house.vault, house.clock, house.ground, person,
        conversations=conversations, state=state,
    )  # fmt: skip


async def rows_of(house: House) -> dict[str, int]:
    return {table: await house.count(table) for table in TOUCHED}


def whole_dump(url: str) -> str:
    """Return every row of every table as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class c where c.relkind = 'r' "
            "and c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        parts = []
        for (table,) in tables:
            with connection.cursor() as cursor, cursor.copy(f"copy {table} to stdout".encode()) as copy:
                parts += [bytes(part).decode() for part in copy]
    return "".join(parts)


class TestErase:
    async def test_removes_everything_of_the_customer_and_nothing_of_another(self, house: House) -> None:
        other = await planted(house, PEOPLE[1])
        before = await rows_of(house)
        await planted(house, PEOPLE[0], 3)
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await rows_of(house) == before
        assert certificate.facts["removed"]["messages"] == {"message": 9}
        export = await house.exporting.export(str(other.customer_id), actor="account:1")
        assert export.records > 0

    async def test_leaves_nothing_that_identifies_in_a_dump(self, house: House, owner_url: str) -> None:
        gone = await planted(house, PEOPLE[0])
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        dump = await asyncio.to_thread(whole_dump, owner_url)
        for value in (*PEOPLE[0].values, *map(str, gone.conversations), *map(str, gone.turns)):
            assert value not in dump
        assert not await house.count("action where run_id is not null or arguments_sealed is not null")
        assert await house.count("action") == 2

    async def test_finds_who_proved_the_reference_and_who_typed_it(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        await plant(
            house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=0, verified=False
        )
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert len(certificate.facts["customers"]) == 2
        assert await house.count("customer") == 0

    async def test_finishes_what_was_begun_with_each_alone(self, house: House) -> None:
        first = await planted(house, PEOPLE[0])
        second = await plant(
            house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=1, verified=False
        )
        for each in (first, second):
            async with house.database.write() as session:
                await house.erasing._begin(session, [each.customer_id], ground="request", actor="account:1")
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await house.count("customer") == 0
        assert [line.state for line in await house.erasing.listed()] == ["done", "done"]

    async def test_takes_an_id_as_well(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0])
        certificate = await house.erasing.erase(str(gone.customer_id), ground="request", actor="account:1")
        assert certificate.facts["customers"] == [str(gone.customer_id)]

    async def test_the_key_is_gone_and_who_comes_back_is_somebody_new(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0])
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        house.vault.forget(gone.customer_id)
        async with house.database.write() as session:
            with pytest.raises(CustomerErased, match="has no key"):
                await house.vault.key_for(session, gone.customer_id)
            again = await house.vault.open_customer(session, reference=PEOPLE[0].reference, verified=True)
        assert again != gone.customer_id

    async def test_writes_one_entry_and_the_ledger_verifies(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="objection", actor="account:1")
        async with house.database.read() as session:
            rows = await house.ledger.recent(session, deed="customer.erased")
            verdict = await house.ledger.verify(session)
        assert [row.details["certificate"] for row in rows] == [certificate.digest]
        assert rows[0].details["ground"] == "objection"
        assert verdict.ok

    @pytest.mark.parametrize("named", ["NL-only\udcff", "\ud800", "{not-a-uuid}", "\x00"])
    async def test_odd_references_find_nobody(self, house: House, named: str) -> None:
        with pytest.raises(NoSuchCustomer, match="Nobody is known"):
            await house.erasing.erase(named, ground="request", actor="account:1")

    async def test_a_customer_without_a_word_goes_as_well(self, house: House) -> None:
        async with house.database.write() as session:
            made = await house.vault.open_customer(session, reference="NL-silent", verified=True)
        certificate = await house.erasing.erase("NL-silent", ground="request", actor="account:1")
        assert certificate.facts["customers"] == [str(made)]
        assert certificate.facts["removed"]["vault"] == {"vault_token": 0, "customer_key": 1, "customer": 1}

    async def test_twice_finds_nobody(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        with pytest.raises(NoSuchCustomer, match="Nobody is known"):
            await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")

    async def test_two_at_once_give_the_same_certificate_once(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0])
        both = await asyncio.gather(
            *(house.erasing.erase(str(gone.customer_id), ground="request", actor="a") for _ in range(2)),
            return_exceptions=True,
        )
        certificates = [each for each in both if isinstance(each, Certificate)]
        assert certificates
        assert len({each.content for each in certificates}) == 1
        assert all(isinstance(each, Certificate | NoSuchCustomer) for each in both)
        assert await house.count("ledger_entry where deed = 'customer.erased'") == 1


class TestRefusals:
    async def test_a_ground_that_is_none(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        with pytest.raises(BadGround, match="isn't a ground"):
            await house.erasing.erase(PEOPLE[0].reference, ground="Mrs Smith asked", actor="account:1")

    async def test_a_hold(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        await house.holds.place(PEOPLE[0].reference, reason="case 12/26", actor="account:1")
        before = await rows_of(house)
        with pytest.raises(UnderHold, match="lift it before"):
            await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await rows_of(house) == before
        await house.holds.lift(PEOPLE[0].reference, actor="account:1")
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await house.count("legal_hold") == 0

    async def test_an_action_of_which_nobody_knows(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0])
        async with house.database.write() as session:
            await session.execute("update action set state = 'unknown' where run_id = %s", (gone.runs[0],))
        with pytest.raises(ActionsUndecided, match="1 of this customer's actions"):
            await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await house.count("message") == 6
        assert await house.count("erasure") == 0


class TestTurnsInFlight:
    async def test_are_waited_for_and_the_conversation_is_closed_to_them(
        self, house: House, app_url: str
    ) -> None:
        gone = await planted(house, PEOPLE[0], 1, state="open")
        presence = await Presence.open(app_url)
        try:
            await hold(house, gone, presence.instance)
            with pytest.raises(TurnStillRunning, match="still running after 30 s"):
                await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
            assert await house.count("conversation where state = 'closed'") == 1
            assert await house.count("message") == 3
            await hold(house, gone, None)
            await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
            assert await house.count("message") == 0
        finally:
            await presence.close()

    async def test_of_a_dead_process_keep_nobody_waiting(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0], 1, state="open")
        await hold(house, gone, 4711)
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert await house.count("conversation") == 0

    async def test_leave_no_row_behind_when_they_end_later(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0], 1)
        async with house.database.read() as session:
            row = await select_turn(session, gone.turns[0])
        assert row is not None
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        async with house.database.write() as session:
            await insert_turn(session, row)
        assert await house.count("turn") == 0


async def hold(house: House, gone: Planted, holder: int | None) -> None:
    async with house.database.write() as session:
        await session.execute(
            "update conversation set turn_id = %s, turn_holder = %s where customer_id = %s",
            (None if holder is None else TurnId(uuid4()), holder, gone.customer_id),
        )


class TestCertificate:
    async def test_is_genuine_and_a_changed_one_is_not(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        assert certificate.is_genuine()
        forged = certificate.content.replace(b'"ground":"request"', b'"ground":"unlawful"')
        assert forged != certificate.content
        assert not Certificate(forged, certificate.public_key, certificate.signature).is_genuine()
        assert Certificate.from_json(certificate.as_json()) == certificate

    async def test_lists_models_exports_backups_and_what_stays(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        export = await house.exporting.export(PEOPLE[0].reference, actor="account:1")
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        facts = certificate.facts
        assert facts["models"] == [
            {
                "name": "intent head",
                "trained_on": "the assistant folder",
                "data_digest": "r1",
                "customers_data": False,
            }
        ]
        assert [copy["digest"] for copy in facts["exports"]] == [export.digest.hex()]
        assert facts["backups"] == {"days": 30, "gone_by": "2026-04-01T12:00:00+00:00"}
        assert {kept["what"]: kept["rows"] for kept in facts["kept"]}["action"] == 2
        page = as_markdown(certificate)
        assert "| messages | message | 6 |" in page
        assert "no customer’s data was among it" in page
        shown = as_html(certificate)
        assert certificate.digest in shown
        assert shown.count("<table>") == 1
        assert "<tr><th>data</th><th>table</th><th>rows</th></tr><tr><td>" in shown

    async def test_is_given_again(self, house: House) -> None:
        await planted(house, PEOPLE[0])
        certificate = await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        (line,) = await house.erasing.listed()
        assert await house.erasing.certificate(line.id) == certificate
        with pytest.raises(NoSuchErasure, match="no finished erasure"):
            await house.erasing.certificate(uuid4())


class Alone:
    """The only process there is."""

    instance = 1

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        return instance == self.instance


class TestForgetting:
    async def test_another_process_drops_the_key_at_once(self, house: House) -> None:
        gone = await planted(house, PEOPLE[0])
        other = Vault(MASTER, house.clock)
        async with house.database.read() as session:
            await other.key_for(session, gone.customer_id)
        forget = forgetting(other, Silencing(database=house.database, liveness=Alone(), clock=house.clock))
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def note(payload: str) -> None:
            await forget(payload)
            heard.put_nowait(payload)

        listening = asyncio.create_task(house.database.listen(ERASED_CHANNEL, note))
        while True:  # until it listens
            async with house.database.write() as session:
                await session.notify(ERASED_CHANNEL, str(uuid4()))
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.get(), 0.1)
                break
        await house.erasing.erase(PEOPLE[0].reference, ground="request", actor="account:1")
        async with asyncio.timeout(10):
            while await heard.get() != str(gone.customer_id):
                pass
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        async with house.database.read() as session:
            with pytest.raises(CustomerErased, match="has no key"):
                await other.key_for(session, gone.customer_id)
