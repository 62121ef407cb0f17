"""The ledger on a real database: one chain under concurrency, signed heads, and proof of tampering."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from tests.conftest import TestDatabase

from steward.app.commands.ledger import run_verify
from steward.base.clock import FixedClock
from steward.base.db.contracts import Database, ReadSession
from steward.base.errors import InvalidInput, Misconfigured, Unavailable
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.contracts import Detail, Entry, Head, Signature, Verdict
from steward.govern.ledger.errors import BrokenLedger
from steward.govern.ledger.proofs import (
    NotProvableYet,
    export,
    fault_of_proof,
    proof_json,
    proof_of,
    verify_lines,
)
from steward.govern.ledger.service import Ledger
from steward.govern.ledger.witness import FileWitness, UrlWitness, heads_in, witness_of
from steward.supply.releases.signing import key_text

_DETAILS: dict[str, Detail] = {
    "role": "admin",
    "count": 3,
    "big": 2**70,
    "yes": True,
    "nothing": None,
    "name": 'é "quoted" \\ 🙂',
}


class Key:
    """A signer with a key in memory."""

    def __init__(self, seed: bytes = b"k" * 32) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    async def public_key(self) -> bytes:
        return self.public

    async def sign(self, message: bytes) -> Signature:
        return Signature(self.public, self._key.sign(message))


KEY = Key()


@pytest.fixture
def ledger(fixed_clock: FixedClock) -> Ledger:
    return Ledger(fixed_clock)


@pytest.fixture
def chainer(database: Database, fixed_clock: FixedClock) -> Chainer:
    return Chainer(database, fixed_clock, signer=KEY)


async def append(database: Database, ledger: Ledger, subject: str = "account:1") -> UUID:
    async with database.write() as session:
        return await ledger.append(session, Entry("account:9", "account.disabled", subject, _DETAILS))


async def verdict(database: Database, ledger: Ledger, *remembered: Head, start: int = 1) -> Verdict:
    async with database.read() as session:
        return await ledger.verify(session, remembered=remembered, public_key=KEY.public, start=start)


async def positions(database: Database, ledger: Ledger) -> list[int | None]:
    async with database.read() as session:
        return [row.position for row in await ledger.recent(session)]


class TestAppend:
    async def test_waits_in_the_tail_until_it_is_linked(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        await append(database, ledger)
        async with database.read() as session:
            before = await ledger.state(session)
        assert (before.head.position, before.tail.entries, before.tail.oldest_at) == (0, 1, fixed_clock.now())
        assert await chainer.link() == 1
        async with database.read() as session:
            after = await ledger.state(session)
        assert (after.head.position, after.tail.entries) == (1, 0)

    async def test_one_that_stands_still_keeps_nobody_out(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        async with database.write() as slow:
            late = await ledger.append(slow, Entry("a", "b.c", "late:1", {}))
            early = await append(database, ledger)
            assert await chainer.link() == 1
        assert await chainer.link() == 1
        async with database.read() as session:
            found = {row.id: row.position for row in await ledger.recent(session)}
        assert found == {early: 1, late: 2}
        assert (await verdict(database, ledger)).ok

    async def test_rolled_back_deed_leaves_no_entry(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        with pytest.raises(RuntimeError, match="crash"):
            await append_and_crash(database, ledger)
        assert await chainer.link() == 0
        assert await positions(database, ledger) == []

    async def test_application_cannot_change_a_row(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        await append(database, ledger)
        await chainer.finish()
        for table in ("ledger_entry", "ledger_link", "ledger_checkpoint"):
            for statement in (f"delete from {table}", f"truncate {table}", f"drop table {table}"):
                with pytest.raises(Misconfigured, match="lacks a right"):
                    await execute(database, statement)
        for change in (
            "update ledger_entry set actor = 'x'",
            "update ledger_link set position = 9",
            "update ledger_checkpoint set head = ''",
            "update ledger_tail set digest = ''",
        ):
            with pytest.raises(Misconfigured, match="lacks a right"):
                await execute(database, change)

    async def test_not_even_the_owner_changes_a_row_by_chance(
        self, database: Database, ledger: Ledger, owner_url: str
    ) -> None:
        await append(database, ledger)
        async with await psycopg.AsyncConnection.connect(owner_url) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                await connection.execute("delete from ledger_entry")


class TestLink:
    async def test_two_chainers_at_once_make_one_chain(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        other = Chainer(database, fixed_clock)
        writing = [append(database, ledger, f"x:{place}") for place in range(40)]
        linking = [one.link() for _ in range(5) for one in (chainer, other)]
        await asyncio.gather(*writing, *linking)
        await asyncio.gather(chainer.finish(), other.finish())
        found = await verdict(database, ledger)
        assert (found.ok, found.rows, found.tail) == (True, 40, 0)

    async def test_one_that_dies_in_a_batch_leaves_nothing_half_done(
        self, database: Database, ledger: Ledger, chainer: Chainer, clean_database: TestDatabase
    ) -> None:
        for _ in range(3):
            await append(database, ledger)
        blocked = await psycopg.AsyncConnection.connect(clean_database.admin_url)
        async with blocked:
            # The batch stops at the deletion from the tail, with its links written.
            await blocked.execute("lock table ledger_tail in share mode")
            dying = asyncio.create_task(chainer.link())
            await until_waiting(clean_database.admin_url)
            await end_waiting(clean_database.admin_url)
            with pytest.raises((Unavailable, Misconfigured)):
                await dying
        assert await positions(database, ledger) == [None, None, None]
        assert await chainer.link() == 3
        assert (await verdict(database, ledger)).rows == 3


class TestSign:
    async def test_covers_what_was_linked_since(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        for size in (3, 2):
            for _ in range(size):
                await append(database, ledger)
            await chainer.finish()
        assert await chainer.sign() is None
        found = await verdict(database, ledger)
        assert (found.ok, found.checkpoints, found.signed_to) == (True, 2, 5)

    async def test_waits_for_a_minute_or_many_links(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        await append(database, ledger)
        await chainer.finish()
        await append(database, ledger)
        await chainer.link()
        assert await chainer.sign(only_when_due=True) is None
        fixed_clock.advance(timedelta(seconds=61))
        signed = await chainer.sign(only_when_due=True)
        assert signed is not None
        assert (signed.first, signed.position) == (2, 2)

    async def test_another_key_is_found(
        self, database: Database, ledger: Ledger, fixed_clock: FixedClock
    ) -> None:
        await append(database, ledger)
        await Chainer(database, fixed_clock, signer=Key(b"f" * 32)).finish()
        assert "isn't this installation's" in str((await verdict(database, ledger)).reason)


class TestRecheck:
    """No head is signed over rows that aren't as they were written."""

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("update ledger_entry set actor = 'account:8' where {4}", "entry of row 4 was changed"),
            ("delete from ledger_entry where {3}", "the entry of row 3 is missing"),
            ("update ledger_link set digest = set_byte(digest, 0, 7) where position = 4", "link of row 4"),
            (
                "update ledger_link set previous = set_byte(previous, 0, 7) where position = 3",
                "doesn't follow",
            ),
            ("delete from ledger_link where position = 3", "row 3 is missing"),
            ("update ledger_checkpoint set at = at + interval '1 second'", "head of row 2 isn't signed"),
            ("delete from ledger_link where position > 1", "ends at position 1, but 2 was signed"),
        ],
    )
    async def test_refuses_and_tells(
        self,
        database: Database,
        ledger: Ledger,
        chainer: Chainer,
        clean_database: TestDatabase,
        statement: str,
        says: str,
    ) -> None:
        registry = CollectorRegistry()
        chainer.count_into(registry)
        ids: list[UUID | None] = [None, *[await append(database, ledger) for _ in range(2)]]
        await chainer.finish()
        ids += [await append(database, ledger) for _ in range(2)]
        await chainer.link()
        assert registry.get_sample_value("steward_ledger_broken") == 0
        await tamper(clean_database.admin_url, statement.format(*(f"id = '{id}'" for id in ids)))
        with pytest.raises(BrokenLedger, match=says):
            await chainer.sign()
        with capture_logs() as logs:
            await chainer.finish()
        assert [line["event"] for line in logs] == ["ledger_broken"]
        assert registry.get_sample_value("steward_ledger_broken") == 1
        async with database.read() as session:
            state = await ledger.state(session)
            fault = await ledger.fault_of_unsigned(session, public_key=KEY.public)
        assert state.signed is not None
        assert state.signed.position == 2
        assert says in str(fault)

    async def test_an_entry_changed_before_it_is_linked_is_never_signed(
        self, database: Database, ledger: Ledger, chainer: Chainer, clean_database: TestDatabase
    ) -> None:
        await append(database, ledger)
        await tamper(clean_database.admin_url, "update ledger_entry set subject = 'account:2'")
        await chainer.link()
        with pytest.raises(BrokenLedger, match="entry of row 1 was changed"):
            await chainer.sign()

    async def test_goes_on_once_the_row_is_as_it_was(
        self, database: Database, ledger: Ledger, chainer: Chainer, clean_database: TestDatabase
    ) -> None:
        registry = CollectorRegistry()
        chainer.count_into(registry)
        await append(database, ledger)
        await chainer.link()
        for actor, broken in (("account:8", 1), ("account:9", 0)):
            await tamper(clean_database.admin_url, f"update ledger_entry set actor = '{actor}'")
            await chainer.finish()
            assert registry.get_sample_value("steward_ledger_broken") == broken
        assert (await verdict(database, ledger)).signed_to == 1

    async def test_several_that_sign_at_once_make_one_row_of_heads(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        other = Chainer(database, fixed_clock, signer=KEY)
        for _ in range(3):
            await append(database, ledger)
            await chainer.link()
            await asyncio.gather(*(one.sign() for one in (chainer, other) for _ in range(4)))
        found = await verdict(database, ledger)
        assert (found.ok, found.checkpoints, found.signed_to) == (True, 3, 3)


class TestRun:
    async def test_links_and_signs_until_it_is_cancelled(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        async with asyncio.timeout(20):
            running = asyncio.create_task(chainer.run())
            for place in (1, 2):
                await append(database, ledger)
                await until_signed(database, ledger, place)
                fixed_clock.advance(timedelta(seconds=61))
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert (await verdict(database, ledger)).checkpoints == 2

    async def test_goes_on_linking_what_it_no_longer_signs(
        self,
        database: Database,
        ledger: Ledger,
        chainer: Chainer,
        clean_database: TestDatabase,
        fixed_clock: FixedClock,
    ) -> None:
        registry = CollectorRegistry()
        chainer.count_into(registry)
        await append(database, ledger)
        await chainer.link()
        await tamper(clean_database.admin_url, "update ledger_entry set actor = 'account:8'")
        with capture_logs() as logs:
            async with asyncio.timeout(20):
                running = asyncio.create_task(chainer.run())
                while not registry.get_sample_value("steward_ledger_broken"):
                    await positions(database, ledger)
                await append(database, ledger)
                while None in await positions(database, ledger):
                    pass
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        assert [line["event"] for line in logs] == ["ledger_broken"]
        assert (await verdict(database, ledger)).signed_to == 0


class TestVerify:
    @pytest.mark.parametrize(
        ("statement", "bad", "says"),
        [
            ("update ledger_entry set actor = 'account:8' where {2}", 2, "entry of row 2 was changed"),
            ("update ledger_entry set at = at + interval '1 microsecond' where {3}", 3, "was changed"),
            ("""update ledger_entry set details = details || '{{"count": 4}}' where {1}""", 1, "was changed"),
            (
                "update ledger_entry set digest = set_byte(digest, 5, get_byte(digest, 5) # 1) where {2}",
                2,
                "",
            ),
            (
                "update ledger_link set digest = set_byte(digest, 0, 7) where position = 2",
                2,
                "",
            ),
            ("update ledger_link set form = 1 where position = 2", 2, "was changed"),
            ("delete from ledger_link where position = 2", 2, "row 2 is missing"),
            ("delete from ledger_entry where {3}", 3, "the entry of row 3 is missing"),
            ("update ledger_checkpoint set signature = set_byte(signature, 9, 0)", 4, "signature"),
            ("update ledger_checkpoint set position = 2", 2, "other rows"),
            ("update ledger_checkpoint set position = 9", 9, "signature"),
            (
                "delete from ledger_link where position > 2; delete from ledger_entry where {3} or {4}",
                3,
                "signed",
            ),
        ],
    )
    async def test_tampering_by_an_owner_is_found_where_it_is(
        self,
        database: Database,
        ledger: Ledger,
        chainer: Chainer,
        clean_database: TestDatabase,
        statement: str,
        bad: int,
        says: str,
    ) -> None:
        ids = [None, *[await append(database, ledger) for _ in range(4)]]
        await chainer.finish()
        await tamper(clean_database.admin_url, statement.format(*(f"id = '{id}'" for id in ids)))
        found = await verdict(database, ledger)
        assert (found.ok, found.first_bad_position) == (False, bad)
        assert says in str(found.reason)

    async def test_entry_outside_the_chain_is_found(
        self, database: Database, ledger: Ledger, chainer: Chainer, clean_database: TestDatabase
    ) -> None:
        await append(database, ledger)
        await chainer.finish()
        forged = await append(database, ledger)
        await tamper(clean_database.admin_url, "delete from ledger_tail")
        found = await verdict(database, ledger)
        assert (found.ok, found.first_bad_position, found.entry) == (False, None, forged)
        assert "stands outside the chain" in str(found.reason)

    async def test_entry_changed_before_it_is_linked_is_found(
        self, database: Database, ledger: Ledger, clean_database: TestDatabase
    ) -> None:
        entry = await append(database, ledger)
        await tamper(clean_database.admin_url, "update ledger_entry set subject = 'account:2'")
        found = await verdict(database, ledger)
        assert (found.ok, found.entry) == (False, entry)
        assert "before it was linked" in str(found.reason)

    async def test_cut_end_with_its_signed_head_shows_beside_a_witness(
        self,
        database: Database,
        ledger: Ledger,
        clean_database: TestDatabase,
        fixed_clock: FixedClock,
        tmp_path: Path,
    ) -> None:
        kept = tmp_path / "away" / "heads.jsonl"
        chainer = Chainer(database, fixed_clock, signer=KEY, witness=FileWitness(kept))
        for _ in range(2):
            await append(database, ledger)
            await chainer.finish()
        await tamper(
            clean_database.admin_url,
            "delete from ledger_checkpoint where position = 2; delete from ledger_link where position = 2; "
            "delete from ledger_entry where id not in (select entry from ledger_link)",
        )
        assert (await verdict(database, ledger)).ok
        heads = [Head(head.position, head.head) for head in heads_in(kept)]
        assert [head.position for head in heads] == [1, 2]
        assert (await verdict(database, ledger, *heads)).first_bad_position == 2

    async def test_may_begin_at_a_signed_head(
        self, database: Database, ledger: Ledger, chainer: Chainer, clean_database: TestDatabase
    ) -> None:
        for _ in range(3):
            await append(database, ledger)
            await chainer.finish()
        found = await verdict(database, ledger, start=3)
        assert (found.ok, found.rows, found.signed_to) == (True, 1, 3)
        await tamper(clean_database.admin_url, "update ledger_link set form = 1 where position = 1")
        assert (await verdict(database, ledger, start=3)).ok
        assert not (await verdict(database, ledger)).ok


class TestProofs:
    async def test_of_one_entry_stands_by_itself(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        ids = [await append(database, ledger, f"x:{place}") for place in range(7)]
        await chainer.finish()
        for entry in ids:
            async with database.read() as session:
                proof = await proof_of(session, entry)
            assert len(proof.path) <= 3
            assert fault_of_proof(proof, public_key=KEY.public) is None
            line = json.dumps(proof_json(proof))
            assert verify_lines([line], public_key=KEY.public).ok
            assert not verify_lines([line.replace("x:", "y:")], public_key=KEY.public).ok
        assert fault_of_proof(replace(proof, path=proof.path[:-1])) is not None
        assert fault_of_proof(proof, public_key=bytes(32)) is not None

    async def test_not_before_a_head_is_signed(
        self, database: Database, ledger: Ledger, chainer: Chainer
    ) -> None:
        entry = await append(database, ledger)
        await chainer.link()
        async with database.read() as session:
            with pytest.raises(NotProvableYet, match="isn't under a signed head yet"):
                await proof_of(session, entry)

    async def test_export_stands_by_itself_and_every_changed_line_shows(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        for place in range(6):
            await append(database, ledger, f"x:{place}")
            fixed_clock.advance(timedelta(hours=1))
            if place % 2:
                await chainer.finish()
        async with database.read() as session:
            whole = await exported(session, fixed_clock)
            since = fixed_clock.now() - timedelta(hours=3, minutes=30)
            part = await exported(session, fixed_clock, since=since)
        found = verify_lines(whole, public_key=KEY.public)
        assert (found.ok, found.rows, found.checkpoints) == (True, 6, 3)
        assert verify_lines(part, public_key=KEY.public).rows == 4
        for number in range(1, len(whole)):
            changed = [
                *whole[:number],
                whole[number].replace("x:", "y:").replace("1", "2"),
                *whole[number + 1 :],
            ]
            assert not verified(changed)
            assert not verified(whole[:number] + whole[number + 1 :])

    async def test_one_key_signs_a_whole_file_and_its_own_key_proves_little(
        self,
        database: Database,
        ledger: Ledger,
        fixed_clock: FixedClock,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        files = []
        for signer in (KEY, Key(b"x" * 32)):
            await append(database, ledger)
            await Chainer(database, fixed_clock, signer=signer).finish()
            async with database.read() as session:
                files.append(await exported(session, fixed_clock, signer=signer))
        assert verify_lines(files[0]).ok
        assert "isn't this installation's" in str(verify_lines(files[1]).reason)
        file = tmp_path / "ledger.jsonl"
        file.write_text("\n".join(files[0]))
        for key, warned in ((None, True), (key_text(KEY.public), False)):
            assert verified_file(file, key=key) == 0
            assert ("not who signed it" in capsys.readouterr().err) is warned

    async def test_export_cut_off_at_a_signed_head_shows(
        self,
        database: Database,
        ledger: Ledger,
        chainer: Chainer,
        fixed_clock: FixedClock,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for place in range(6):
            await append(database, ledger, f"x:{place}")
            fixed_clock.advance(timedelta(hours=1))
            if place % 2:
                await chainer.finish()
        async with database.read() as session:
            whole = await exported(session, fixed_clock)
            part = await exported(session, fixed_clock, since=fixed_clock.now() - timedelta(hours=2))
            forged = await exported(session, fixed_clock, signer=Key(b"x" * 32))
        heads = [number for number, line in enumerate(whole) if "checkpoint" in json.loads(line)]
        cut = whole[: heads[1] + 1]
        assert cut == whole[:7]
        file = tmp_path / "cut.jsonl"
        for lines, said in (
            (cut, "closing line is missing: the file was cut off"),
            ([*cut, whole[-1]], "its closing line is of 6 rows, 1 to 6, but the file has 4, 1 to 4"),
            ([*cut, part[-1]], "its closing line is of 2 rows, 5 to 6"),
            ([*whole[:-1], forged[-1]], "signed with a key that isn't this installation's"),
            (
                [*whole[:-1], whole[-1].replace('"last": 6', '"last": 4')],
                "signature of its closing line is wrong",
            ),
            ([whole[0].replace('"until": null', '"until": "2026-03-01"'), *whole[1:]], "another period"),
            ([whole[0]], "closing line is missing"),
            ([*cut, whole[7][:90]], "line 8 can't be read: the file was cut off in it"),
        ):
            file.write_text("\n".join(lines))
            assert verified_file(file, key=key_text(KEY.public)) == 1
            assert said in capsys.readouterr().out
            assert verified_file(file, key=key_text(KEY.public), open_end=True) == 1
        assert verify_lines(whole, public_key=KEY.public).ok
        with pytest.raises(InvalidInput, match="behind the closing line"):
            verify_lines([*whole, whole[-1]])

    async def test_export_from_before_closing_lines_is_taken_on_request_only(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        await append(database, ledger)
        await chainer.finish()
        async with database.read() as session:
            lines = await exported(session, fixed_clock)
        older = [lines[0].replace("export/2", "export/1"), *lines[1:-1]]
        found = verify_lines(older, public_key=KEY.public)
        assert not found.ok
        assert "nothing proves that no rows were cut off its end" in str(found.reason)
        assert verify_lines(older, public_key=KEY.public, open_end=True).ok
        assert not verify_lines(older[:-1], public_key=KEY.public, open_end=True).ok

    async def test_export_of_nothing_is_closed_too(
        self, database: Database, ledger: Ledger, fixed_clock: FixedClock
    ) -> None:
        async with database.read() as session:
            lines = await exported(session, fixed_clock)
        assert len(lines) == 2
        assert verify_lines(lines, public_key=KEY.public).ok
        assert not verify_lines(lines, public_key=bytes(32)).ok
        assert not verified(lines[:1])

    @pytest.mark.parametrize("lines", [[], ["{}"], ["no json"], ['{"format": "steward-ledger-proof/1"}']])
    def test_other_files_are_refused(self, lines: list[str]) -> None:
        with pytest.raises(InvalidInput, match="The file"):
            verify_lines(lines)


class TestWitness:
    def test_is_chosen_by_its_form(self, tmp_path: Path) -> None:
        assert witness_of(None) is None
        assert isinstance(witness_of("https://example.com/heads"), UrlWitness)
        assert isinstance(witness_of(str(tmp_path / "heads")), FileWitness)

    async def test_one_that_is_away_keeps_nothing_from_being_signed(
        self, database: Database, ledger: Ledger, fixed_clock: FixedClock
    ) -> None:
        await append(database, ledger)
        away = UrlWitness("http://127.0.0.1:9/heads")
        await Chainer(database, fixed_clock, signer=KEY, witness=away).finish()
        assert (await verdict(database, ledger)).signed_to == 1

    def test_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        other = tmp_path / "heads"
        other.write_text("hello\n")
        with pytest.raises(InvalidInput, match="line 1, isn't a signed head"):
            list(heads_in(other))


class TestRecent:
    async def test_newest_first_by_filter_and_page(
        self, database: Database, ledger: Ledger, chainer: Chainer, fixed_clock: FixedClock
    ) -> None:
        ids = []
        for subject in ("account:1", "account:2", "account:1"):
            ids.append(await append(database, ledger, subject))
            fixed_clock.advance(timedelta(hours=1))
        await chainer.link()
        async with database.read() as session:
            everything = await ledger.recent(session)
            older = await ledger.recent(session, before=ids[2], limit=1)
            one = await ledger.recent(session, subject="account:1", deed="account")
            late = await ledger.recent(session, since=fixed_clock.now() - timedelta(hours=2))
            none = await ledger.recent(session, deed="acc")
            deeds = await ledger.deeds(session)
        assert [row.position for row in everything] == [3, 2, 1]
        assert [row.position for row in older] == [2]
        assert [row.position for row in one] == [3, 1]
        assert [row.position for row in late] == [3, 2]
        assert none == ()
        assert deeds == ("account.disabled",)
        assert everything[0].details == _DETAILS


async def until_signed(database: Database, ledger: Ledger, position: int) -> None:
    """Return once a head of this row is signed."""
    while True:
        async with database.read() as session:
            signed = (await ledger.state(session)).signed
        if signed is not None and signed.position == position:
            return


async def exported(
    session: ReadSession, clock: FixedClock, *, signer: Key = KEY, since: datetime | None = None
) -> list[str]:
    return [json.dumps(line) async for line in export(session, signer=signer, clock=clock, since=since)]


def verified_file(file: Path, *, key: str | None = None, open_end: bool = False) -> int:
    return run_verify(file, start=1, witness=None, key=key, open_end=open_end, as_json=False, data_dir=None)


def verified(lines: list[str]) -> bool:
    try:
        return verify_lines(lines, public_key=KEY.public).ok
    except InvalidInput:
        return False


async def append_and_crash(database: Database, ledger: Ledger) -> None:
    async with database.write() as session:
        await ledger.append(session, Entry("a", "b.c", "d:1", {}))
        raise RuntimeError("crash")


async def execute(database: Database, statement: str) -> None:
    async with database.write() as session:
        await session.execute(statement)


async def until_waiting(admin_url: str) -> None:
    """Return once the application waits for a lock of a table."""
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
        while True:
            waiting = await admin.execute(
                "select 1 from pg_locks where not granted and locktype = 'relation' "
                "and database = (select oid from pg_database where datname = current_database())"
            )
            if await waiting.fetchone():
                return


async def end_waiting(admin_url: str) -> None:
    """End the connection that waits, as the server does when its client is killed."""
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_locks where not granted and locktype = 'relation' "
            "and database = (select oid from pg_database where datname = current_database())"
        )


async def tamper(admin_url: str, statement: str) -> None:
    """Do what only a superuser can: change rows past triggers and references."""
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(statement.encode())
