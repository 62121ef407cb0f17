"""A ledger of ten thousand rows, tampered with in every way, and chainers that are killed at work."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.prove.results import Report

from steward.base.clock import SystemClock
from steward.base.db.embedded import APP_ROLE, EmbeddedServer, start_embedded
from steward.base.db.migrations import upgrade
from steward.base.db.pool import PooledDatabase, Session
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.contracts import Entry, Signature, Verdict
from steward.govern.ledger.service import Ledger

NAME = "ledger"
ROWS, ROUNDS, KILLS = 10_000, 200, 20
CLAIM = """
Each round changes a ledger of 10,000 rows in one way, as a superuser with its triggers switched off, walks
the whole chain, and takes the change back: one flipped byte of any column, a removed row, two rows
exchanged, a row put in. `verify` must say that the ledger is broken and name the row. Before that, the
rows are written by sixteen writers while the processes that link them are killed again and again: each entry
must be in the chain exactly once.
"""
KEY = Ed25519PrivateKey.from_private_bytes(b"ledger campaign's key, 32 bytes!")
_CHAINER = """
import asyncio, sys
from steward.base.clock import SystemClock
from steward.base.db.pool import PooledDatabase
from steward.govern.ledger import chaining

async def main() -> None:
    database = await PooledDatabase.open(sys.argv[1])
    print("ready", flush=True)
    chainer = chaining.Chainer(database, SystemClock())
    while True:
        await chainer.link()

asyncio.run(main())
"""


class Key:
    """Signs with the campaign's key."""

    async def public_key(self) -> bytes:
        """Return the public key."""
        return KEY.public_key().public_bytes_raw()

    async def sign(self, message: bytes) -> Signature:
        """Sign."""
        return Signature(await self.public_key(), KEY.sign(message))


@dataclass(frozen=True, slots=True)
class Tampering:
    """One change: how it is done, and the row or entry that has to be named for it."""

    statements: tuple[str, ...]
    positions: frozenset[int | None]
    entry: UUID | None = None


async def run(_: Path, *, seed: int, rounds: int | None = None) -> Report:
    """Write, kill, tamper, and count what wasn't found."""
    count = rounds or ROUNDS
    rows = ROWS if rounds is None else max(200, min(ROWS, rounds * 20))
    kills = KILLS if rounds is None else min(KILLS, rounds)
    with tempfile.TemporaryDirectory(prefix="steward-ledger-") as scratch:
        server = await start_embedded(Path(scratch), progress=lambda _: None, sync=False)
        upgrade(server.owner_url, app_role=APP_ROLE)
        try:
            killed = await write_under_fire(server, random.Random(seed), rows=rows, kills=kills)
            found = await tamper_with(server, random.Random(seed + 1), rows=rows, rounds=count)
        finally:
            await server.detach()
    return Report(
        name=NAME,
        title="A ledger that can't be changed unseen",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[
            ("rows", f"{rows:,}"),
            ("chainers killed (kill -9) while rows were written", str(killed["kills"])),
            ("entries in the chain exactly once after that", f"{killed['once']:,} of {rows:,}"),
            ("tamperings", str(count)),
            *(
                (f"{kind}: found and located", f"{right} of {all_}")
                for kind, (right, all_) in found["kinds"].items()
            ),
            ("walk of the whole chain, ms (median)", f"{found['walk_ms']:.0f}"),
        ],
        problems=[*killed["problems"], *found["problems"]],
    )


# ------------------------------------------------------------------ killing


async def write_under_fire(
    server: EmbeddedServer, chance: random.Random, *, rows: int, kills: int
) -> dict[str, Any]:
    """Write with sixteen writers while chainers in processes of their own are killed, two at a time."""
    database = await PooledDatabase.open(server.app_url, min_size=16, max_size=20)
    ledger = Ledger(SystemClock())
    left = iter(range(rows))

    async def writer() -> None:
        for number in left:
            entry = Entry(
                "system", "action.done", f"action:{number}", {"number": number, "yes": number % 2 == 0}
            )
            async with database.write() as session:
                await ledger.append(session, entry)

    writing = asyncio.gather(*(writer() for _ in range(16)))
    done = 0
    while done < kills:
        chainers = [await chainer_at(server.app_url) for _ in range(2)]
        await asyncio.sleep(chance.uniform(0.0, 0.06))
        for chainer in chainers:
            chainer.send_signal(signal.SIGKILL)
            await chainer.wait()
        done += 2
    await writing
    await Chainer(database, SystemClock(), signer=Key()).finish()
    async with database.read() as session:
        verdict = await ledger.verify(session, public_key=await Key().public_key())
        linked = await session.all("select subject from ledger where position is not null")
    await database.close()
    once = sum(1 for number in Counter(row[0] for row in linked).values() if number == 1)
    problems = [] if verdict.ok else [f"after the kills: {verdict.reason}"]
    if once != rows or verdict.rows != rows or verdict.tail:
        problems.append(f"{once} of {rows} entries are in the chain exactly once")
    return {"kills": done, "once": once, "problems": problems}


async def chainer_at(url: str) -> asyncio.subprocess.Process:
    """Start a process that links, and wait until it's connected."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHAINER, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


# ------------------------------------------------------------------ tampering


async def tamper_with(
    server: EmbeddedServer, chance: random.Random, *, rows: int, rounds: int
) -> dict[str, Any]:
    """Change, walk, take back; each sort of change in turn."""
    kinds: dict[str, list[int]] = {kind: [0, 0] for kind in KINDS}
    problems: list[str] = []
    walks: list[float] = []
    ledger, key = Ledger(SystemClock()), await Key().public_key()
    async with await psycopg.AsyncConnection.connect(server.admin_url) as admin:
        await admin.execute("set session_replication_role = replica")
        ids = [row[0] for row in await (await admin.execute(_IDS)).fetchall()]
        await admin.commit()
        for number in range(rounds):
            kind = list(KINDS)[number % len(KINDS)]
            tampering = KINDS[kind](chance, ids)
            for statement in tampering.statements:
                await admin.execute(statement.encode())
            began = time.perf_counter()
            verdict = await ledger.verify(Session(admin), public_key=key)
            walks.append((time.perf_counter() - began) * 1000)
            await admin.rollback()
            await admin.execute("set session_replication_role = replica")
            await admin.commit()
            kinds[kind][1] += 1
            if located(verdict, tampering):
                kinds[kind][0] += 1
            else:
                problems.append(f"{kind}: {tampering.statements}: {verdict}")
        verdict = await ledger.verify(Session(admin), public_key=key)
        if not verdict.ok or verdict.rows != rows:
            problems.append(f"the ledger isn't whole after all was taken back: {verdict.reason}")
    walks.sort()
    return {
        "kinds": {kind: tuple(counts) for kind, counts in kinds.items()},
        "problems": problems,
        "walk_ms": walks[len(walks) // 2],
    }


def located(verdict: Verdict, tampering: Tampering) -> bool:
    """Tell whether a verdict names the row that was touched."""
    if verdict.ok or verdict.first_bad_position not in tampering.positions:
        return False
    return tampering.entry is None or verdict.entry == tampering.entry


_FAR = 10_000_000
_IDS = "select entry from ledger_link order by position"
_FLIP = "set_byte({column}, {byte}, get_byte({column}, {byte}) # {bit})"
_TEXT = "encode(" + _FLIP.format(column="convert_to({name}, 'utf8')", byte="0", bit="{bit}") + ", 'escape')"


def flipped_byte_of_an_entry(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Flip one bit of one column of an entry."""
    place, bit = chance.randrange(len(ids)), 1 << chance.randrange(4)
    name = chance.choice(["actor", "deed", "subject", "details", "at", "digest", "id"])
    match name:
        case "details":
            number = f"to_jsonb((details->>'number')::int # {bit})"
            change = "details = jsonb_set(details, '{number}', " + number + ")"
        case "at":
            change = f"at = at + interval '{bit} microseconds'"
        case "digest":
            change = "digest = " + _FLIP.format(column="digest", byte=chance.randrange(32), bit=bit)
        case "id":
            flip = _FLIP.format(column="uuid_send(id)", byte=chance.randrange(16), bit=bit)
            change = f"id = encode({flip}, 'hex')::uuid"
        case _:
            change = f"{name} = " + _TEXT.format(name=name, bit=bit)
    where = f"where id = '{ids[place]}'"
    return Tampering((f"update ledger_entry set {change} {where}",), frozenset({place + 1}))


def flipped_byte_of_a_link(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Flip one bit of one column of a link."""
    place, bit = chance.randrange(len(ids)), 1 << chance.randrange(8)
    name = chance.choice(["previous", "digest", "entry", "form", "position"])
    allowed = {place + 1}
    match name:
        case "entry":
            flip = _FLIP.format(column="uuid_send(entry)", byte=chance.randrange(16), bit=bit)
            change = f"entry = encode({flip}, 'hex')::uuid"
        case "form":
            change = "form = 1"
        case "position":
            change = f"position = position + {len(ids) * (1 + bit)}"
        case _:
            change = f"{name} = " + _FLIP.format(column=name, byte=chance.randrange(32), bit=bit)
    return Tampering((f"update ledger_link set {change} where position = {place + 1}",), frozenset(allowed))


def flipped_byte_of_a_signed_head(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Flip one bit of the only signed head's columns; it stands at the last row."""
    bit = 1 << chance.randrange(8)
    name, size = chance.choice([("head", 32), ("root", 32), ("signature", 64), ("public_key", 32), ("at", 0)])
    change = (
        f"at = at + interval '{bit} microseconds'"
        if name == "at"
        else f"{name} = " + _FLIP.format(column=name, byte=chance.randrange(size), bit=bit)
    )
    last = "(select max(position) from ledger_checkpoint)"
    return Tampering(
        (f"update ledger_checkpoint set {change} where position = {last}",), frozenset({len(ids)})
    )


def removed_row(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Remove a link, its entry, or both; the rows behind may be moved up."""
    place = chance.randrange(len(ids))
    link = f"delete from ledger_link where position = {place + 1}"
    entry = f"delete from ledger_entry where id = '{ids[place]}'"
    close = (
        f"update ledger_link set position = position + {_FAR} where position > {place + 1}",
        f"update ledger_link set position = position - {_FAR + 1} where position > {_FAR}",
    )
    statements = chance.choice([(link, entry), (entry,), (link,), (link, entry, *close)])
    return Tampering(statements, frozenset({place + 1}))


def exchanged_rows(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Exchange two rows: their positions, or only the entries they name."""
    one, other = sorted(chance.sample(range(1, len(ids) + 1), 2))
    if chance.random() < 0.5:
        statements = (
            f"update ledger_link set position = {_FAR} where position = {one}",
            f"update ledger_link set position = {one} where position = {other}",
            f"update ledger_link set position = {other} where position = {_FAR}",
        )
    else:
        statements = (
            f"update ledger_link set entry = '{UUID(int=1)}' where position = {one}",
            f"update ledger_link set entry = '{ids[one - 1]}' where position = {other}",
            f"update ledger_link set entry = '{ids[other - 1]}' where position = {one}",
        )
    return Tampering(statements, frozenset({one}))


def inserted_row(chance: random.Random, ids: list[UUID]) -> Tampering:
    """Put an entry in: without a link, or with a link of right digests and the rows behind moved down."""
    from steward.govern.ledger.chain import entry_digest

    clock = SystemClock()
    place, at, forged = chance.randrange(1, len(ids)), clock.now(), UUID(int=chance.getrandbits(128))
    entry = Entry("account:forged", "action.done", "action:forged", {"number": 1})
    digest = entry_digest(entry, id=forged, at=at).hex()
    put = (
        f"insert into ledger_entry values ('{forged}', '{at.isoformat()}', '{entry.actor}', '{entry.deed}', "
        f"'{entry.subject}', '{json.dumps(dict(entry.details))}', '\\x{digest}')"
    )
    if chance.random() < 0.3:
        return Tampering((put,), frozenset({None}), forged)
    # The link is right in itself: SQL makes the canonical JSON that its digest is over.
    link = (
        f"insert into ledger_link select {place + 1}, '{forged}', 2, l.digest, sha256(convert_to("
        f'\'{{"digest":"{digest}","entry":"{forged}","position":{place + 1},"previous":"\' '
        f"|| encode(l.digest, 'hex') || '\"}}', 'utf8')) from ledger_link l where l.position = {place}"
    )
    shift = (
        f"update ledger_link set position = position + {_FAR} where position > {place}",
        f"update ledger_link set position = position - {_FAR - 1} where position > {_FAR}",
    )
    return Tampering((put, *shift, link), frozenset({place + 1}))


KINDS: dict[str, Callable[[random.Random, list[UUID]], Tampering]] = {
    "one flipped bit of an entry": flipped_byte_of_an_entry,
    "one flipped bit of a link": flipped_byte_of_a_link,
    "one flipped bit of a signed head": flipped_byte_of_a_signed_head,
    "a removed row": removed_row,
    "two exchanged rows": exchanged_rows,
    "a row put in": inserted_row,
}
