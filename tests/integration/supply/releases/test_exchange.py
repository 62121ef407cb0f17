"""Releases move between installations: signed, trusted, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from tests.conftest import TestDatabase, clone

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.db.embedded import EmbeddedServer
from steward.base.db.pool import PooledDatabase
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.errors import WrongMasterKey
from steward.govern.privacy.master_key import MasterKey
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.releases.errors import (
    BadKeyName,
    BadParcel,
    CannotDerive,
    KeyNameTaken,
    NoSuchKey,
    UntrustedParcel,
)
from steward.supply.releases.exchange import Exchange
from steward.supply.releases.service import Releases
from steward.supply.releases.signing import Signing, is_signed, key_text, release_message

CLERK = "account:0190"


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation does with releases, on a database of its own."""

    database: Database
    releases: Releases
    signing: Signing
    exchange: Exchange

    async def deeds(self) -> list[str]:
        """Return the deeds in the ledger, in their order."""
        async with self.database.read() as session:
            return [row[0] for row in await session.all("select deed from ledger order by id")]

    async def count(self, table: str) -> int:
        """Count a table's rows."""
        async with self.database.read() as session:
            row = await session.one(f"select count(*) from {table}")
        assert row is not None
        return int(row[0])


def installed(database: Database, clock: FixedClock, embedder: Any, secret: bytes) -> Installation:
    ledger = Ledger(clock)
    signing = Signing(database, master_key=MasterKey(secret), clock=clock, ledger=ledger)
    releases = Releases(
        database, embedder=embedder, clock=clock, knowledge=Knowledge(database, clock), ledger=ledger,
        signing=signing,
    )  # fmt: skip
    exchange = Exchange(database, releases=releases, signing=signing, clock=clock, ledger=ledger)
    return Installation(database, releases, signing, exchange)


@pytest.fixture
def london(database: Database, fixed_clock: FixedClock, workshop: Any) -> Installation:
    return installed(database, fixed_clock, workshop.embedder, b"l" * 32)


@pytest.fixture
async def second_database(
    embedded_server: EmbeddedServer, worker_id: str, fixed_clock: FixedClock
) -> AsyncIterator[Database]:
    """Another installation's database, dropped afterwards."""
    name = f"second_{worker_id}"
    urls: TestDatabase = clone(embedded_server, name)
    pool = await PooledDatabase.open(urls.app_url, min_size=1, max_size=4)
    yield pool
    await pool.close()
    with psycopg.connect(embedded_server.admin_url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def leeds(second_database: Database, fixed_clock: FixedClock, workshop: Any) -> Installation:
    return installed(second_database, fixed_clock, workshop.embedder, b"b" * 32)


class TestSigning:
    async def test_each_release_is_signed_as_it_is_made(self, london: Installation, workshop: Any) -> None:
        release = await london.releases.create(workshop.folder(), created_by=CLERK)
        async with london.database.read() as session:
            (signature,) = await london.signing.signatures(session, release.id)
        assert signature.public_key == await london.signing.public_key()
        assert is_signed(signature, release_message(release.id))
        assert (await london.releases.show("1")).signed_with == (signature.key_id,)

    async def test_older_releases_are_signed_once(self, london: Installation, workshop: Any) -> None:
        release = await workshop.open().create(workshop.folder(), created_by=CLERK)
        assert (await london.releases.show(release.id)).signed_with == ()
        assert [await london.signing.sign_unsigned() for _ in range(2)] == [1, 0]
        assert len((await london.releases.show(release.id)).signed_with) == 1

    async def test_two_processes_make_one_key(
        self, database: Database, fixed_clock: FixedClock, workshop: Any
    ) -> None:
        both = [installed(database, fixed_clock, workshop.embedder, b"l" * 32) for _ in range(2)]
        keys = await asyncio.gather(*(each.signing.public_key() for each in both))
        assert keys[0] == keys[1]
        assert (await both[0].deeds()).count("release_key.made") == 1

    async def test_the_private_part_is_sealed(
        self, london: Installation, database: Database, fixed_clock: FixedClock, workshop: Any
    ) -> None:
        await london.signing.public_key()
        with pytest.raises(WrongMasterKey):
            await installed(database, fixed_clock, workshop.embedder, b"x" * 32).signing.public_key()

    async def test_trust_is_given_renamed_and_taken(self, london: Installation, leeds: Installation) -> None:
        public = key_text(await leeds.signing.public_key())
        for _ in range(2):
            await london.signing.trust("leeds", public, actor=CLERK)
        await london.signing.trust("leeds-2", public, actor=CLERK)
        assert [key.name for key in await london.signing.trusted()] == ["leeds-2"]
        other = key_text(await london.signing.public_key())
        with pytest.raises(KeyNameTaken, match="is called 'leeds-2' already"):
            await london.signing.trust("leeds-2", other, actor=CLERK)
        with pytest.raises(BadKeyName, match="'This one' can't name a key"):
            await london.signing.trust("This one", other, actor=CLERK)
        await london.signing.distrust("leeds-2", actor=CLERK)
        with pytest.raises(NoSuchKey, match="no trusted key is called 'leeds-2'"):
            await london.signing.distrust("leeds-2", actor=CLERK)
        assert (await london.deeds()).count("release_key.trusted") == 2
        assert "release_key.distrusted" in await london.deeds()


class TestExchange:
    async def test_a_release_arrives_whole(
        self, london: Installation, leeds: Installation, workshop: Any
    ) -> None:
        release = await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        await leeds.signing.trust("london", key_text(await london.signing.public_key()), actor=CLERK)
        imported = await leeds.exchange.take_in(exported.content, file="r.steward", actor=CLERK)
        assert (imported.release.id, imported.signed_by, imported.new) == (release.id, "london", True)
        assert imported.release.snapshot_id == release.snapshot_id
        there, here = [await each.releases.load(release.id) for each in (london, leeds)]
        assert (here.artefacts, here.folder.files) == (there.artefacts, there.folder.files)
        assert (await leeds.releases.show("1")).signed_with == (exported.key_id,)
        assert (await leeds.deeds())[-1] == "release.imported"
        assert (await london.deeds())[-1] == "release.exported"

    async def test_exports_are_the_same_bytes_each_time(self, london: Installation, workshop: Any) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        first, again = [await london.exchange.export("1", actor=CLERK) for _ in range(2)]
        assert first.content == again.content

    async def test_twice_is_once(self, london: Installation, leeds: Installation, workshop: Any) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        await leeds.signing.trust("london", key_text(await london.signing.public_key()), actor=CLERK)
        both = [
            await leeds.exchange.take_in(exported.content, file="r.steward", actor=CLERK) for _ in range(2)
        ]
        assert [each.new for each in both] == [True, False]
        assert await leeds.count("release") == 1

    async def test_its_own_releases_come_back(self, london: Installation, workshop: Any) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        imported = await london.exchange.take_in(exported.content, file="r.steward", actor=CLERK)
        assert (imported.signed_by, imported.new) == ("this installation", False)

    async def test_an_unknown_key_is_refused_with_the_way_to_trust_it(
        self, london: Installation, leeds: Installation, workshop: Any
    ) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        with pytest.raises(UntrustedParcel, match="run `steward release trust NAME PUBLICKEY`"):
            await leeds.exchange.take_in(exported.content, file="r.steward", actor=CLERK)
        assert [await leeds.count(table) for table in ("release", "knowledge_snapshot", "passage")] == [0] * 3

    async def test_a_key_that_is_trusted_no_longer(
        self, london: Installation, leeds: Installation, workshop: Any
    ) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        await leeds.signing.trust("london", key_text(await london.signing.public_key()), actor=CLERK)
        await leeds.signing.distrust("london", actor=CLERK)
        with pytest.raises(UntrustedParcel, match=exported.key_id):
            await leeds.exchange.take_in(exported.content, file="r.steward", actor=CLERK)

    async def test_a_changed_file_leaves_nothing(
        self, london: Installation, leeds: Installation, workshop: Any
    ) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        await leeds.signing.trust("london", key_text(await london.signing.public_key()), actor=CLERK)
        changed = exported.content.replace(b"please cancel my order", b"please double my order")
        assert changed != exported.content
        with pytest.raises(BadParcel, match="nothing was imported"):
            await leeds.exchange.take_in(changed, file="r.steward", actor=CLERK)
        assert await leeds.count("release") == 0

    async def test_another_encoder_is_refused(
        self,
        london: Installation,
        second_database: Database,
        fixed_clock: FixedClock,
        workshop: Any,
        other_embedder: Any,
    ) -> None:
        await london.releases.create(workshop.folder(), created_by=CLERK)
        exported = await london.exchange.export("1", actor=CLERK)
        leeds = installed(second_database, fixed_clock, other_embedder, b"b" * 32)
        await leeds.signing.trust("london", key_text(await london.signing.public_key()), actor=CLERK)
        with pytest.raises(CannotDerive, match="another encoder"):
            await leeds.exchange.take_in(exported.content, file="r.steward", actor=CLERK)
        assert await leeds.count("release") == 0
