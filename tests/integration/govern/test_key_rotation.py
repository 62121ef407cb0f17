"""Rotation of the master key on a real database: nothing is lost, nobody stops, it goes on after a break."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.govern.transit_server import TOKEN, TransitServer, transit_server

from steward.app.master_keys import WRAPPED
from steward.base.clock import FixedClock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.errors import (
    KeyGiven,
    KeyInUse,
    KeyServiceRefused,
    KeyServiceUnavailable,
    NoSuchKey,
    WrongMasterKey,
)
from steward.govern.privacy.key_keeping import LOCK, FileKeys, GivenKeys, KeyKeeping, KeySource, ServiceKeys
from steward.govern.privacy.master_key import FILE_NAME, MasterKey
from steward.govern.privacy.rotation import Rotation
from steward.govern.privacy.transit import Transit, TransitKeys
from steward.govern.privacy.vault import Vault
from steward.supply.releases.signing import Signing

_DETECTOR = Detector()
_TEXT = "write to maya@example.com"


class Broken(Exception):
    """Stands for whatever ends a rotation half way."""


class Watched(FileKeys):
    """Looks, while a key is taken out, whether another process could add one."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        super().__init__(data_dir)
        self._database = database
        self.others_could_add: list[bool] = []

    async def drop(self, session: WriteSession, key_id: str) -> None:
        async with self._database.write() as other:
            row = await other.one("select pg_try_advisory_xact_lock(%s)", [LOCK])
        assert row is not None
        self.others_could_add.append(row[0])
        await super().drop(session, key_id)


@pytest.fixture
def engine() -> Iterator[TransitServer]:
    with transit_server() as server:
        yield server


@pytest.fixture
async def service(engine: TransitServer) -> AsyncIterator[TransitKeys]:
    keys = TransitKeys(Transit(url=engine.url, key="steward", token=TOKEN, pause_s=0.0))
    yield keys
    await keys.close()


@pytest.fixture
def source(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path)


async def customers(database: Database, vault: Vault, count: int) -> list[CustomerId]:
    made = []
    for number in range(count):
        async with database.write() as session:
            customer = await vault.open_customer(session, reference=f"c-{number}", verified=False)
            await vault.mask(session, customer, _TEXT, detector=_DETECTOR)
        made.append(customer)
    return made


async def read(database: Database, vault: Vault, customer: CustomerId) -> str:
    async with database.read() as session:
        return await vault.unmask(
            session, customer, "write to [EMAIL_1]", purpose=Purpose.OWN_WORDS, actor="system"
        )


async def fresh_vault(database: Database, source: KeySource, clock: FixedClock) -> Vault:
    """A process that has just started."""
    keeping = KeyKeeping(database, source)
    vault = Vault(await keeping.open(), clock, renew=keeping.renew)
    async with database.read() as session:
        await vault.check(session)
    return vault


async def found_again(database: Database, vault: Vault, reference: str) -> CustomerId:
    async with database.write() as session:
        return await vault.open_customer(session, reference=reference, verified=False)


async def is_blocked(database: Database) -> bool:
    """Tell whether somebody waits for what another transaction holds."""
    async with database.read() as session:
        return await session.one("select 1 from pg_locks where not granted") is not None


class TestRotate:
    async def test_everything_is_read_and_found_under_the_new_key(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        keeping = KeyKeeping(database, source)
        before = (await keeping.open()).id
        made = await customers(database, await fresh_vault(database, source, fixed_clock), 5)
        done = await Rotation(database, keeping, clock=fixed_clock, batch=2).rotate(actor="account:1")
        assert done.is_new
        assert done.key_id != before
        assert done.wrapped == {"customer_key": 5, "lookup_key": 1}
        vault = await fresh_vault(database, source, fixed_clock)
        assert [await read(database, vault, customer) for customer in made] == [_TEXT] * 5
        assert await found_again(database, vault, "c-3") == made[3]

    async def test_a_process_that_runs_goes_on(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        running = await fresh_vault(database, source, fixed_clock)
        (customer,) = await customers(database, running, 1)
        running.forget(customer)
        await Rotation(database, KeyKeeping(database, source), clock=fixed_clock).rotate(actor="a")
        assert await read(database, running, customer) == _TEXT
        assert await found_again(database, running, "c-0") == customer

    async def test_keys_of_other_packages_are_wrapped_anew(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        keeping = KeyKeeping(database, source)
        master_key = await keeping.open()
        ledger = Ledger(fixed_clock)
        signing = Signing(database, master_key=master_key, clock=fixed_clock, ledger=ledger)
        public = await signing.public_key()
        tokens = await CustomerTokens.load(database, master_key, fixed_clock, assistant="northline")
        token = tokens.issue_demo("c-1", {})
        await Rotation(database, keeping, clock=fixed_clock, columns=WRAPPED).rotate(actor="a")
        (first, *_) = await Rotation(database, keeping, clock=fixed_clock, columns=WRAPPED).state()
        await Rotation(database, keeping, clock=fixed_clock, columns=WRAPPED).retire(
            master_key.ids[1], actor="a"
        )
        alone = await KeyKeeping(database, source).open()
        assert alone.ids == (first.id,)
        again = Signing(database, master_key=alone, clock=fixed_clock, ledger=ledger)
        assert await again.public_key() == public
        reread = await CustomerTokens.load(database, alone, fixed_clock, assistant="northline")
        assert (await reread.verify(token)).reference == "c-1"

    async def test_broken_off_rotation_goes_on_with_the_same_key(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        made = await customers(database, await fresh_vault(database, source, fixed_clock), 7)
        rotation = Rotation(database, KeyKeeping(database, source), clock=fixed_clock, batch=2)

        def break_off(_: str, rows: int) -> None:
            if rows >= 4:
                raise Broken

        with pytest.raises(Broken):
            await rotation.rotate(actor="a", after_batch=break_off)
        vault = await fresh_vault(database, source, fixed_clock)
        assert [await read(database, vault, customer) for customer in made] == [_TEXT] * 7
        done = await rotation.rotate(actor="a")
        assert not done.is_new
        assert done.wrapped == {"customer_key": 3, "lookup_key": 1}

    async def test_ledger_tells_of_each_step(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        rotation = Rotation(database, KeyKeeping(database, source), clock=fixed_clock)
        await rotation.rotate(actor="account:7")
        async with database.read() as session:
            rows = await Ledger(fixed_clock).recent(session)
        assert {(row.actor, row.deed) for row in rows} >= {
            ("account:7", "master_key.added"),
            ("account:7", "master_key.rotated"),
        }

    async def test_key_of_the_environment_is_changed_by_people(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
        before = GivenKeys({"STEWARD_MASTER_KEY": old})
        (customer,) = await customers(database, await fresh_vault(database, before, fixed_clock), 1)
        rotation = Rotation(database, KeyKeeping(database, before), clock=fixed_clock)
        with pytest.raises(KeyGiven, match="STEWARD_OLD_MASTER_KEYS"):
            await rotation.rotate(actor="a")
        both = GivenKeys({"STEWARD_MASTER_KEY": new, "STEWARD_OLD_MASTER_KEYS": old})
        done = await Rotation(database, KeyKeeping(database, both), clock=fixed_clock).rotate(actor="a")
        assert (done.is_new, done.key_id) == (False, MasterKey(b"n" * 32).id)
        alone = await fresh_vault(database, GivenKeys({"STEWARD_MASTER_KEY": new}), fixed_clock)
        assert await read(database, alone, customer) == _TEXT
        assert await found_again(database, alone, "c-0") == customer

    async def test_database_of_before_the_lookup_key_is_found_again(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
        (customer,) = await customers(database, Vault(MasterKey(b"o" * 32), fixed_clock), 1)
        both = GivenKeys({"STEWARD_MASTER_KEY": new, "STEWARD_OLD_MASTER_KEYS": old})
        vault = await fresh_vault(database, both, fixed_clock)
        assert await found_again(database, vault, "c-0") == customer


class TestRetire:
    async def test_key_in_use_stays(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        keeping = KeyKeeping(database, source)
        key_id = (await keeping.open()).id
        with pytest.raises(KeyInUse, match="the one in use"):
            await Rotation(database, keeping, clock=fixed_clock).retire(key_id, actor="a")

    async def test_key_that_is_needed_stays(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        keeping = KeyKeeping(database, source)
        old = (await keeping.open()).id
        await customers(database, await fresh_vault(database, source, fixed_clock), 2)
        async with database.write() as session:
            await source.add(session)
        with pytest.raises(KeyInUse, match="3 keys are still wrapped"):
            await Rotation(database, keeping, clock=fixed_clock).retire(old, actor="a")

    async def test_key_stays_that_another_process_is_wrapping_by(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        keeping = KeyKeeping(database, source)
        old = (await keeping.open()).id
        behind = await fresh_vault(database, source, fixed_clock)
        rotation = Rotation(database, keeping, clock=fixed_clock)
        await rotation.rotate(actor="a")
        async with database.write() as session:
            await behind.open_customer(session, reference="late", verified=False)
            retiring = asyncio.create_task(rotation.retire(old, actor="a"))
            while not (retiring.done() or await is_blocked(database)):
                pass
        with pytest.raises(KeyInUse, match="1 keys are still wrapped"):
            await retiring
        await rotation.rotate(actor="a")
        await rotation.retire(old, actor="a")
        await found_again(database, await fresh_vault(database, source, fixed_clock), "late")

    async def test_unknown_key_is_named_and_nothing_is_noted(
        self, database: Database, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        with pytest.raises(NoSuchKey, match=r"no master key 'feed'.*key status"):
            await Rotation(database, KeyKeeping(database, source), clock=fixed_clock).retire(
                "feed", actor="a"
            )
        async with database.read() as session:
            assert await Ledger(fixed_clock).recent(session, deed="master_key.retired") == ()

    async def test_no_key_can_be_added_while_one_is_taken_out(
        self, database: Database, tmp_path: Path, fixed_clock: FixedClock
    ) -> None:
        source = Watched(tmp_path, database)
        keeping = KeyKeeping(database, source)
        old = (await keeping.open()).id
        rotation = Rotation(database, keeping, clock=fixed_clock)
        await rotation.rotate(actor="a")
        await rotation.retire(old, actor="a")
        assert source.others_could_add == [False]

    async def test_without_a_needed_key_the_start_is_refused(
        self, database: Database, tmp_path: Path, source: FileKeys, fixed_clock: FixedClock
    ) -> None:
        await customers(database, await fresh_vault(database, source, fixed_clock), 1)
        (tmp_path / FILE_NAME).unlink()
        with pytest.raises(WrongMasterKey, match="put the old key back"):
            await fresh_vault(database, source, fixed_clock)


class TestKeyService:
    def keys(self, service: TransitKeys, clock: FixedClock, directory: Path) -> ServiceKeys:
        return ServiceKeys(service, clock, data_dir=directory, environ={})

    async def test_only_the_sealed_form_is_stored(
        self, database: Database, service: TransitKeys, fixed_clock: FixedClock, tmp_path: Path
    ) -> None:
        source = self.keys(service, fixed_clock, tmp_path)
        (customer,) = await customers(database, await fresh_vault(database, source, fixed_clock), 1)
        assert await read(database, await fresh_vault(database, source, fixed_clock), customer) == _TEXT
        async with database.read() as session:
            rows = await session.all("select sealed from sealed_master_key")
        assert [row[0].split(":")[:2] for row in rows] == [["vault", "v1"]]
        assert not (tmp_path / FILE_NAME).exists()

    async def test_installation_moves_from_a_file_to_the_service(
        self,
        database: Database,
        source: FileKeys,
        service: TransitKeys,
        fixed_clock: FixedClock,
        tmp_path: Path,
    ) -> None:
        made = await customers(database, await fresh_vault(database, source, fixed_clock), 3)
        file_key = MasterKey.load(tmp_path, {}).id
        moved = self.keys(service, fixed_clock, tmp_path)
        rotation = Rotation(database, KeyKeeping(database, moved), clock=fixed_clock)
        assert (await rotation.rotate(actor="a")).wrapped["customer_key"] == 3
        await rotation.retire(file_key, actor="a")
        assert not (tmp_path / FILE_NAME).exists()
        vault = await fresh_vault(database, moved, fixed_clock)
        assert [await read(database, vault, customer) for customer in made] == [_TEXT] * 3
        assert await found_again(database, vault, "c-1") == made[1]

    async def test_rotation_of_the_service_lets_old_versions_be_closed(
        self,
        database: Database,
        engine: TransitServer,
        service: TransitKeys,
        fixed_clock: FixedClock,
        tmp_path: Path,
    ) -> None:
        source = self.keys(service, fixed_clock, tmp_path)
        (customer,) = await customers(database, await fresh_vault(database, source, fixed_clock), 1)
        rotation = Rotation(database, KeyKeeping(database, source), clock=fixed_clock)
        assert await rotation.rotate_service(source, actor="a") == 2
        engine.least_version = 2
        assert (await service.state()).least_version == 2
        assert await read(database, await fresh_vault(database, source, fixed_clock), customer) == _TEXT

    async def test_service_that_is_away_is_named_and_stops_nobody_who_runs(
        self,
        database: Database,
        engine: TransitServer,
        service: TransitKeys,
        fixed_clock: FixedClock,
        tmp_path: Path,
    ) -> None:
        source = self.keys(service, fixed_clock, tmp_path)
        running = await fresh_vault(database, source, fixed_clock)
        (customer,) = await customers(database, running, 1)
        engine.failures = 1_000
        running.forget(customer)
        assert await read(database, running, customer) == _TEXT
        with pytest.raises(KeyServiceUnavailable, match="doesn't answer"):
            await fresh_vault(database, source, fixed_clock)

    async def test_short_trouble_is_asked_again(self, engine: TransitServer, service: TransitKeys) -> None:
        engine.failures = 2
        assert await service.open(await service.seal([b"x" * 32])) == [b"x" * 32]

    async def test_wrong_token_is_told_at_once(self, engine: TransitServer) -> None:
        keys = TransitKeys(Transit(url=engine.url, key="steward", token="no", pause_s=0.0))
        with pytest.raises(KeyServiceRefused, match="status 403"):
            await keys.seal([b"x"])
        await keys.close()
        assert len(engine.requests) == 1

    async def test_changed_ciphertext_is_refused(self, service: TransitKeys) -> None:
        (sealed,) = await service.seal([b"x" * 32])
        broken = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")
        with pytest.raises(KeyServiceRefused, match="refuses"):
            await service.open([broken])

    @pytest.mark.parametrize(("url", "token"), [("http://\u2603", "t"), ("http://127.0.0.1:1", "t\xf6ken")])
    async def test_what_no_request_can_carry_is_told_and_not_shown(self, url: str, token: str) -> None:
        with pytest.raises(KeyServiceRefused, match="signs that a request can't carry") as caught:
            await TransitKeys(Transit(url=url, key="steward", token=token, attempts=1)).state()
        assert "\xf6" not in str(caught.value)

    async def test_nobody_there(self) -> None:
        keys = TransitKeys(Transit(url="http://127.0.0.1:9", key="k", token="t", pause_s=0.0))
        with pytest.raises(KeyServiceUnavailable, match="ConnectError"):
            await keys.state()
        await keys.close()


class TestWrapped:
    def test_contexts_are_those_of_the_packages(self) -> None:
        names = {column.table: column for column in WRAPPED}
        assert names["signing_key"].context("k1") == b"signing_key:k1"
        assert names["account"].context(UUID(int=1)) == f"second_factor:{UUID(int=1)}".encode()
