"""Everything kept about a person, in clear, for that person."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tests.integration.retention.conftest import MASTER, House
from tests.prove.planting import PEOPLE, plant

from steward.base.db.contracts import ReadSession
from steward.base.db.errors import DatabaseUnavailable
from steward.govern.privacy.purging import KnownCustomers
from steward.govern.retention.contracts import Record
from steward.govern.retention.errors import BeingErased, NoSuchCustomer
from steward.govern.retention.exporting import Exporting, packed
from steward.govern.retention.purging import SqlPurger


async def exported(house: House) -> dict[str, Any]:
    await plant(house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=2)
    await plant(house.database, house.vault, house.clock, house.ground, PEOPLE[1], conversations=1)
    made = await house.exporting.export(PEOPLE[0].reference, actor="account:1")
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        page = archive.read("index.html").decode()
        data: dict[str, Any] = json.loads(archive.read("data.json"))
    for value in PEOPLE[0].values:
        assert value in page
    return data


class TestPacked:
    def test_half_a_surrogate_pair_is_kept_as_an_escape(self) -> None:
        data = {
            "made_at": "now",
            "customers": [
                {"customer": "1", "kept": {"messages": [{"text": "a\ud800b"}]}, "what": {"messages": "words"}}
            ],
        }
        with zipfile.ZipFile(io.BytesIO(packed(data))) as archive:
            assert json.loads(archive.read("data.json")) == data
            assert "a\\ud800b" in archive.read("index.html").decode()


class TestExport:
    async def test_holds_every_kind_in_clear_and_nothing_of_another(self, house: House) -> None:
        data = await exported(house)
        (customer,) = data["customers"]
        kept = customer["kept"]
        empty = {name for name, records in kept.items() if not records}
        assert empty == {"evaluations", "sessions", "holds", "exports"}
        said = kept["messages"][0]["text"]
        for value in (PEOPLE[0].name, PEOPLE[0].email, PEOPLE[0].card, PEOPLE[0].pet):
            assert value in said
        assert kept["conversations"][0]["claims"] == {
            "name": PEOPLE[0].name,
            "account": PEOPLE[0].account,
        }
        assert kept["feedback"][0]["comment"] == f"{PEOPLE[0].name} wasn't helped"
        assert kept["actions"][0]["actions"][0]["arguments"]["email"] == PEOPLE[0].email
        assert kept["turns"][0]["decisions"] == [{"stage": "guard", "reason": f"because of {PEOPLE[0].pet}"}]
        text = json.dumps(data)
        for value in PEOPLE[1].values:
            assert value not in text

    async def test_is_in_the_ledger_with_its_purpose_and_listed(self, house: House) -> None:
        await exported(house)
        async with house.database.read() as session:
            (row,) = await house.ledger.recent(session, deed="personal.exported")
        (line,) = await house.exporting.listed()
        assert row.details["purpose"] == "subject_access"
        assert row.details["file"] == line.digest.hex()
        assert (line.kind, line.made_by) == ("subject", "account:1")

    async def test_counts_without_handing_anything_out(self, house: House) -> None:
        await exported(house)
        (counts,) = (await house.exporting.counts(PEOPLE[0].reference)).values()
        assert (counts["messages"], counts["conversations"], counts["actions"]) == (6, 2, 2)
        assert counts["exports"] == 1

    async def test_refuses_somebody_unknown_or_being_erased(self, house: House) -> None:
        with pytest.raises(NoSuchCustomer, match="Nobody is known"):
            await house.exporting.export("nobody", actor="account:1")
        gone = await plant(house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=1)
        async with house.database.write() as session:
            await house.erasing._begin(session, [gone.customer_id], ground="request", actor="account:1")
        with pytest.raises(BeingErased, match="is being erased"):
            await house.exporting.export(PEOPLE[0].reference, actor="account:1")

    async def test_an_erasure_waits_for_an_export_under_way(self, house: House) -> None:
        person = await plant(
            house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=1
        )
        refused: list[bool] = []

        async def meanwhile(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
            with pytest.raises(DatabaseUnavailable, match="stayed locked"):
                async with house.database.write() as other:
                    await other.one("select id from customer where id = %s for update nowait", (customer_id,))
            refused.append(True)
            return ()

        first = house.purgers[0]
        assert isinstance(first, SqlPurger)
        slow = replace(first, export_with=meanwhile)
        exporting = Exporting(
            database=house.database,
            clock=house.clock,
            ledger=house.ledger,
            customers=KnownCustomers(MASTER),
            purgers=[slow],
        )
        await exporting.export(str(person.customer_id), actor="account:1")
        assert refused == [True]
