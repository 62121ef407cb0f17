"""A customer with a long past is erased; then everything that is kept is searched for them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from tests.prove.client import Broken, Client
from tests.prove.personal_data import spellings
from tests.prove.planting import Ground, Person, plant
from tests.prove.results import Ledgered, Report
from tests.prove.world import ASSISTANT, World, open_world

from steward.base.clock import SystemClock
from steward.base.db.binaries import find_binaries
from steward.base.db.embedded import ADMIN_ROLE
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault

NAME = "erasure"
CLAIM = """
After a customer with hundreds of conversations is erased, no value that they or the assistant said stands in
a full dump of the database, in its files with the write-ahead log, or in the logs; their ids are left in the
ledger and the list of erasures alone and lead to no row; the ledger verifies; other customers' rows are what
they were; and it takes less than ten seconds.
"""
NOTES = (
    "Some conversations are real turns over HTTP, the bulk is written by the services that write it in life: "
    "messages, turns, feedback, a finished action with its approval, a hand-over, a review and a rollout's "
    "rows in each.",
    "Files are searched as they lie after vacuum and a checkpoint. What the customer's key sealed may lie in "
    "free space of pages and in the write-ahead log: it is ciphertext. The key itself, wrapped by the master "
    "key, lies there as well until it is overwritten; the figures say in how many files, before and after "
    "`vacuum full` of its table. Who holds such a file and the master key can open what lies beside it.",
    "The company's own system keeps its own records, which this doesn't touch.",
)
IMOGEN = Person(
    "QW-482913", "Imogen Featherstonehaugh", "imogen.f@quillmail.example", "07700 900417",
    "4539 1488 0343 6467", "QW-482913",
)  # fmt: skip
TOBIAS = Person(
    "QW-771204", "Tobias Ravenscroft", "tobias.r@inkwell.example", "07700 900582", "5425 2334 3010 9903",
    "QW-771204", pet="Sir Pouncealot Greaves",
)  # fmt: skip
BY_CUSTOMER = (
    "conversation", "workflow_run", "assignment", "vault_token", "customer_key",
)  # fmt: skip
BY_CONVERSATION = ("message", "turn", "feedback", "handover", "review")
WHERE_IDS_STAY = {"ledger", "ledger_entry", "erasure", "erasure_customer"}
LIMIT_S = 10.0
KILLS = 5


async def run(directory: Path, *, seed: int, rounds: int = 1, conversations: int = 500) -> Report:
    """Erase once in each round; every round plants the customer anew."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=1) as world:
        for _ in range(len(kept.rounds), rounds):
            found = await erase_and_search(world, conversations=conversations, turns=10)
            found["problems"] += await turn_in_flight(world)
            found["problems"] += await killed_in_the_middle(world, times=KILLS)
            kept.add(found)
    return report(kept, seed, conversations)


async def erase_and_search(world: World, *, conversations: int, turns: int) -> dict[str, Any]:
    """Plant two customers, erase one, and look for them everywhere."""
    client = world.client()
    admin = await world.agent(client)
    await real_turns(client, IMOGEN, turns)
    other = await real_turns(client, TOBIAS, 2)
    gone = await plant_past(world, IMOGEN, conversations)
    await plant_past(world, TOBIAS, 3)
    wrapped = keys_of(world, gone)
    before = checksums(world, TOBIAS)
    problems = [f"the search doesn't see {value!r}" for value in unseen(IMOGEN.values)]
    began = time.perf_counter()
    certificate = (
        await admin.call(
            "POST", "/v1/admin/customers/erase", {"customer": IMOGEN.reference, "ground": "request"}
        )
    ).json()
    took_s = time.perf_counter() - began
    figures = {"took_s": took_s, "rows": certificate["rows_gone"]}
    if took_s > LIMIT_S:
        problems.append(f"erasing took {took_s:.1f} s")
    if checksums(world, TOBIAS) != before:
        problems.append("another customer's rows have changed")
    if len(await client.messages(other)) < 2:
        problems.append("another customer's conversation can't be read any more")
    if not (await admin.call("GET", "/v1/admin/ledger/verify")).json()["ok"]:
        problems.append("the ledger doesn't verify")
    problems += await asyncio.to_thread(search_dump, world, IMOGEN, gone, figures)
    figures["wrapped_before"] = await asyncio.to_thread(places_of, world, wrapped)
    await asyncio.to_thread(tidy, world)
    problems += await asyncio.to_thread(search_files, world, IMOGEN, figures)
    figures["wrapped_after"] = await asyncio.to_thread(places_of, world, wrapped)
    return {"figures": figures, "problems": problems}


async def turn_in_flight(world: World) -> list[str]:
    """Erase a customer who is being answered; return what should not have happened."""
    client = world.client()
    admin = await world.agent(client)
    await world.pace(token_ms=60.0)
    conversation = await client.conversation(customer="in-flight-1")
    events: list[str] = []
    begun = asyncio.Event()

    async def ask() -> None:
        with suppress(Broken):
            async for event in client.say(conversation, "How long does a refund take to arrive?", "first"):
                events.append(event.name)
                if event.name == "delta":
                    begun.set()
        begun.set()

    asking = asyncio.create_task(ask())
    await begun.wait()
    await admin.call("POST", "/v1/admin/customers/erase", {"customer": "in-flight-1", "ground": "request"})
    await asking
    await world.pace(token_ms=5.0)
    again = await client.call(
        "POST", f"/v1/conversations/{conversation}/messages", {"text": "hello?", "key": "second"}, raw=True
    )
    left = world.rows(f"select count(*) from turn where conversation_id = '{conversation}'")[0][0]
    problems = [] if again.status == 404 else [f"a message afterwards was answered {again.status}"]
    problems += [f"{left} turns were left behind"] if left else []
    problems += [] if events and events[-1] in {"done", "error"} else ["the stream didn't end"]
    return problems


async def killed_in_the_middle(world: World, *, times: int = 1) -> list[str]:
    """Kill `steward erase` inside its one transaction; then erase. Return what went wrong."""
    gone = await plant_past(world, IMOGEN, 2)
    problems: list[str] = []
    for _ in range(times):
        before = checksums(world, IMOGEN)
        # Somebody else's lock on the last row to be deleted makes the erasure stand still before its commit.
        with psycopg.connect(world.database_url()) as lock:
            lock.execute("select from customer_key where customer_id = any(%s) for update", (gone,))
            child = erase_by_command(world, IMOGEN.reference)
            try:
                await asyncio.to_thread(wait_for_a_lock, world, child)
            finally:
                child.kill()
                child.wait()
                lock.rollback()
        if checksums(world, IMOGEN) != before:
            problems.append("a killed erasure has deleted something")
    if await asyncio.to_thread(erase_by_command(world, IMOGEN.reference).wait) != 0:
        problems.append("erasing again didn't finish")
    done = world.rows("select count(*) from erasure where state = 'begun'")[0][0]
    problems += [f"{done} erasures are still begun"] if done else []
    entries = world.rows(
        "select count(*) from ledger_entry l join erasure_customer c on l.subject = 'erasure:' || erasure_id "
        f"where c.customer_id = '{gone[0]}' and l.deed = 'customer.erased'"
    )[0][0]
    problems += [f"{entries} entries of the ledger tell of one erasure"] if entries != 1 else []
    problems += await asyncio.to_thread(search_dump, world, IMOGEN, gone, {})
    return problems


def erase_by_command(world: World, reference: str) -> subprocess.Popen[bytes]:
    """Start `steward erase` in a process of its own."""
    command = [*world.steward.command[:3], "erase", reference, "--json", "--data-dir", str(world.data)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("STEWARD_", "OPENAI_"))
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def wait_for_a_lock(world: World, child: subprocess.Popen[bytes], *, within_s: float = 120.0) -> None:
    """Return once a deletion of a customer's key waits for somebody's lock."""
    until = time.monotonic() + within_s
    query = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
        "and query like 'delete from customer_key%'"
    )
    # Another role's statements are shown to the administrator alone.
    with psycopg.connect(world.database_url(ADMIN_ROLE), autocommit=True) as connection:
        while connection.execute(query.encode()).fetchall() == [(0,)]:
            if time.monotonic() > until or child.poll() is not None:
                raise AssertionError(f"the erasure never came to its last row (exit code {child.poll()})")
            time.sleep(0.1)


# ------------------------------------------------------------ planting


async def real_turns(client: Client, person: Person, turns: int) -> str:
    """Talk as a person, over HTTP; return the last conversation."""
    conversation = ""
    for number in range(turns):
        conversation = await client.conversation(customer=person.reference)
        await client.ask(conversation, f"My name is {person.name}. How do I read my bill?", "first")
        await client.ask(
            conversation, f"Mail {person.email} or ring {person.phone}, card {person.card}.", "second"
        )
        await client.call(
            "POST",
            f"/v1/conversations/{conversation}/feedback",
            {"csat": 1 + number % 5, "comment": f"{person.pet} says thanks, {person.name}"},
        )
    return conversation


async def plant_past(world: World, person: Person, conversations: int) -> list[UUID]:
    """Write conversations by the services themselves; return all ids of the person."""
    clock = SystemClock()
    database = await PooledDatabase.open(world.database_url(), min_size=1, max_size=2)
    try:
        vault = Vault(MasterKey.load(world.data, {}), clock)
        async with database.write() as session:
            row = await session.one("select release_id from serving where assistant = %s", (ASSISTANT,))
            account = await session.one("select id from account limit 1")
            assert row is not None
            assert account is not None
            ground = Ground(row[0], account[0], new_id(clock))
            await session.execute(
                """insert into rollout (id, assistant, kind, candidate_release, baseline_release,
                       baseline_kind, plan, state, created_by, created_at, ended_at)
                   values (%s, 'nobody', 'rollout', %s, %s, 'release', '{}', 'aborted', 'test', now(),
                       now())""",
                (ground.rollout_id, ground.release_id, ground.release_id),
            )
        planted = await plant(database, vault, clock, ground, person, conversations=conversations)
        return [planted.customer_id]
    finally:
        await database.close()


def keys_of(world: World, customers: Sequence[UUID]) -> list[bytes]:
    """Return the wrapped keys of customers, as their bytes lie in files."""
    with psycopg.connect(world.database_url()) as connection:
        rows = connection.execute(
            "select wrapped from customer_key where customer_id = any(%s)", (list(customers),)
        ).fetchall()
    return [bytes(row[0]) for row in rows]


def checksums(world: World, person: Person) -> Mapping[str, str]:
    """Return a digest of every row of a person, by table."""
    known = MasterKey.load(world.data, {})
    digests = [known.digest(label, person.reference.encode()) for label in ("customer", "customer.verified")]
    found: dict[str, str] = {}
    with psycopg.connect(world.database_url()) as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "select id from customer where reference_digest = any(%s)", (digests,)
            ).fetchall()
        ]
        for table in (*BY_CUSTOMER, *BY_CONVERSATION):
            mine = (
                "customer_id = any(%s)"
                if table in BY_CUSTOMER
                else "conversation_id in (select id from conversation where customer_id = any(%s))"
            )
            # What an erasure that was begun does before its one transaction is to close conversations.
            row = connection.execute(
                f"select count(*), coalesce(md5(string_agg(x, '' order by x)), '') "
                f"from (select (to_jsonb(t) - 'ended_at')::text x from {table} t where {mine}) rows".encode(),
                (ids,),
            ).fetchone()
            found[table] = str(row)
    return found


# ------------------------------------------------------------ searching


def needles_of(person: Person) -> list[bytes]:
    """Return what must be nowhere: each value in every spelling of stores and logs, digits alone too."""
    values = {value.lower() for value in person.values} | set(person.values)
    values |= {"".join(filter(str.isdigit, value)) for value in (person.card, person.phone)}
    return [spelling for value in sorted(values) for spelling in spellings(value)]


def unseen(values: Sequence[str]) -> list[str]:
    """Return the values that the search itself would miss: it has to find what it looks for."""
    needles = needles_of(IMOGEN)
    return [value for value in values if not any(needle in b"x" + value.encode() for needle in needles)]


def search_dump(
    world: World, person: Person, customers: Sequence[UUID], figures: dict[str, Any]
) -> list[str]:
    """Search a plain dump of the whole database; ids may stand where they are meant to stay."""
    binary = find_binaries().root / "bin" / "pg_dump"
    dump = subprocess.run([str(binary), world.database_url()], capture_output=True, check=True).stdout
    figures["dump_bytes"] = len(dump)
    problems = [f"the dump holds {needle[:12]!r}…" for needle in needles_of(person) if needle in dump]
    ids = [str(customer).encode() for customer in customers]
    table = ""
    for line in dump.splitlines():
        if line.startswith(b"COPY public."):
            table = line.split()[1].decode().removeprefix("public.")
        if table not in WHERE_IDS_STAY and any(identifier in line for identifier in ids):
            problems.append(f"a customer's id stands in {table}")
    return problems


def tidy(world: World) -> None:
    """Do what autovacuum and time would do: vacuum, write a table of keys anew, and checkpoint."""
    with psycopg.connect(world.database_url(ADMIN_ROLE), autocommit=True) as connection:
        connection.execute("vacuum")
        connection.execute("vacuum full customer_key")
        for _ in range(2):
            connection.execute("select pg_switch_wal()")
            connection.execute("checkpoint")


def search_files(world: World, person: Person, figures: dict[str, Any]) -> list[str]:
    """Search every file of the data directory, and the logs."""
    needles, problems, count = needles_of(person), [], 0
    for path in [*sorted(world.data.rglob("*")), world.steward.log]:
        if path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            count += 1
            problems += [f"{path.name} holds {needle[:12]!r}…" for needle in needles if needle in content]
    figures["files"] = count
    return problems


def places_of(world: World, wrapped: Sequence[bytes]) -> dict[str, int]:
    """Count in how many files of tables and of the write-ahead log a wrapped key still lies."""
    found = {"tables": 0, "log": 0}
    for path in sorted((world.data / "postgres").rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError, PermissionError):
            content = path.read_bytes()
            found["log" if "pg_wal" in path.parts else "tables"] += any(key in content for key in wrapped)
    return found


def report(kept: Ledgered, seed: int, conversations: int) -> Report:
    """Put the figures together."""
    figures = [round_["figures"] for round_ in kept.rounds]
    last = figures[-1]
    return Report(
        name=NAME,
        title="Erasing a customer",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[
            ("conversations of the erased customer", f"{conversations} planted, 10 by real turns"),
            ("rows removed", str(last["rows"])),
            (
                "time, from the call to its certificate",
                ", ".join(f"{each['took_s']:.2f} s" for each in figures),
            ),
            ("killed inside its transaction, then finished by erasing again", f"{KILLS} times"),
            ("dump searched", f"{last['dump_bytes'] / 1e6:.1f} MB by pg_dump"),
            ("files searched, write-ahead log and logs included", str(last["files"])),
            ("files with the wrapped key, before vacuum", json.dumps(last["wrapped_before"])),
            (
                "files with the wrapped key, after vacuum full and a checkpoint",
                json.dumps(last["wrapped_after"]),
            ),
        ],
        notes=NOTES,
        problems=kept.problems,
    )
