"""Personal values typed in forty ways and more wherever one can type; then everything kept is searched."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from tests.prove.client import Broken, Client
from tests.prove.processes import kill_database
from tests.prove.results import Ledgered, Report
from tests.prove.world import World, open_world
from tests.prove.written_forms import ACCOUNT, BIRTH, CODE, Value, bare, values

NAME = "personal-data"
CLAIM = """
A card number, an e-mail address, a phone number, an IBAN, an account number, a one-time code and a date
of birth, each typed in more than forty ways and in pieces over two or three messages, stand nowhere in
a full dump of the database, in its files with the write-ahead log, in the logs of Steward and PostgreSQL, in
the metrics, or in what a model was sent. The vault is searched like everything else: it holds ciphertext.
"""
FRAMES = (
    "How do I read my bill? {}",
    "{}",
    "my details: {}",
    "I was charged twice, my details are {} if you need them",
)
NOTES = (
    "Each text is searched as bytes (as typed, in JSON, percent-quoted, in hexadecimal) and once more "
    "without separators, marks and words for digits. What comes in pieces is searched piece by piece. A file "
    "may hold a page that PostgreSQL compressed; "
    "the dump doesn't.",
    "Spans aren't exported here, so they aren't searched; `serve/turn/telemetry.py` gives them ids and "
    "numbers.",
)
LEAST_PIECE, LEAST_PIECE_SENT = 9, 5
"""Characters of a piece that is searched for in files, and in what a model was sent."""
LEAST_READ = 0.6
"""Share of the forms that the search without separators reads as well; the others it knows as typed."""
EVERY = 5
"""Each form is said in messages and to a person; every fifth in comments, other calls and workflows too."""
TOKEN_MS = 5.0
MODEL_DOWN = {"error_rate": 1.0}
WORKFLOWS = ("I was charged twice this month", "I want to change my billing address")
WAITED_FOR_DATABASE_S = 60.0


async def run(directory: Path, *, seed: int, rounds: int = 1, forms: int | None = None) -> Report:
    """Type everything once in each round (rounds add up in one installation), then search."""
    kept = Ledgered.open(directory)
    async with open_world(directory, customers=1) as world:
        found = Found()
        # Signed in before wrong sign-ins use up what one address may try.
        agent = await world.agent(world.client())
        for _ in range(len(kept.rounds), rounds):
            kept.add({"typed": dict(await type_everything(world, agent, found, forms=forms))})
        await search_everything(world, agent, found)
    kept.rounds[-1]["problems"] = found.problems
    return report(kept, seed, found.searched)


# ------------------------------------------------------------ typing


async def type_everything(
    world: World, agent: Client, found: Found, *, forms: int | None = None
) -> Counter[str]:
    """Type every form of every value wherever something can be typed; return how often where."""
    client, typed = world.client(), Counter[str]()
    await world.pace(token_ms=TOKEN_MS)
    for value in values():
        said = as_said(value)[:forms]
        for number, form in enumerate(said):
            await in_messages(client, form, number, typed)
            if number % EVERY == 0:
                await in_feedback(client, form, typed)
                await in_calls(client, form, typed)
            if number % 10 == 9:
                await search_requests(world, found)
        for place, opening in enumerate(WORKFLOWS):
            await in_workflow(client, opening, said[place::EVERY], typed)
            await search_requests(world, found)
        await in_pieces(client, value, typed)
        await search_requests(world, found)
    await in_staff_words(agent, client, typed, forms=forms)
    await with_a_broken_model(world, client, typed)
    await with_a_broken_database(world, client, typed)
    await search_requests(world, found)
    return typed


def as_said(value: Value) -> list[str]:
    """Return a value's forms, with what people say before them where a form alone says too little."""
    announced = value.announced if value.kind in (ACCOUNT, CODE, BIRTH) else ""
    return [announced + form for form in value.forms.values()]


async def in_pieces(client: Client, value: Value, typed: Counter[str]) -> None:
    """Give it in pieces, one message each."""
    for pieces in value.splits:
        conversation = await client.conversation()
        for place, piece in enumerate(pieces):
            await client.ask(conversation, piece, f"piece-{place}")
            typed["pieces of a value"] += 1


async def in_messages(client: Client, form: str, number: int, typed: Counter[str]) -> None:
    """Say it in a conversation, framed and alone."""
    conversation = await client.conversation(customer=form)
    typed["customer references"] += 1
    for place, frame in enumerate(FRAMES[: 2 + number % 3]):
        await client.ask(conversation, frame.format(form), f"message-{place}")
        typed["messages"] += 1


async def in_feedback(client: Client, form: str, typed: Counter[str]) -> None:
    """Write it into the comments of a survey answer and of a thumb."""
    conversation = await client.conversation()
    done = await client.ask(conversation, "How do I read my bill?", "question")
    path = f"/v1/conversations/{conversation}/feedback"
    await client.call("POST", path, {"csat": 2, "comment": f"Reach me: {form}"})
    await client.call("POST", path, {"turn_id": done["turn_id"], "thumb": "down", "comment": form})
    typed["feedback comments"] += 2


async def in_calls(client: Client, form: str, typed: Counter[str]) -> None:
    """Put it into the other calls, and into calls that are refused."""
    await client.call("POST", "/v1/route", {"text": f"who is {form}"})
    chat = {"model": "northline", "messages": [{"role": "user", "content": f"I am {form}"}], "user": form}
    await client.call("POST", "/v1/chat/completions", chat)
    wrong: Sequence[tuple[str, str, object]] = (
        ("POST", "/v1/conversations", {"channel": form}),
        ("POST", "/v1/conversations", {"channel": "web", "customer_token": form}),
        ("GET", f"/v1/conversations/{quote(form, safe='')}/messages", None),
        ("GET", f"/v1/admin/turns/{quote(form, safe='')}?q={quote(form, safe='')}", None),
        ("POST", "/console/login", None),
    )
    for method, path, body in wrong:
        login = f"login={quote(form, safe='')}&password={quote(form, safe='')}"
        answer = await client.call(
            method, path, body, form=login if path == "/console/login" else None, raw=True
        )
        if answer.status >= 500:
            raise AssertionError(f"{method} {path} answered {answer.status}")
    typed["other calls"] += 2
    typed["refused calls"] += len(wrong)


async def in_workflow(client: Client, opening: str, forms: Sequence[str], typed: Counter[str]) -> None:
    """Answer a workflow's questions with it."""
    for form in forms:
        conversation = await client.conversation()
        for place, text in enumerate((opening, "yes please", form, f"it is {form}")):
            await client.ask(conversation, text, f"line-{place}")
        typed["answers in workflows"] += 2


async def in_staff_words(agent: Client, client: Client, typed: Counter[str], *, forms: int | None) -> None:
    """Let a human repeat it, and the customer answer the human."""
    conversation = await client.conversation()
    await client.ask(conversation, "agent", "agent")
    await agent.call("POST", f"/v1/admin/handovers/{conversation}/take")
    for value in values():
        for number, form in enumerate(as_said(value)[:forms]):
            await agent.call(
                "POST", f"/v1/admin/handovers/{conversation}/reply", {"text": f"Is {form} right?"}
            )
            await client.ask(conversation, f"Yes, {form}", f"{value.kind}-{number}")
            typed["words of and to a human"] += 2


async def with_a_broken_model(world: World, client: Client, typed: Counter[str]) -> None:
    """Say it while every call of the model fails."""
    simulated = Client(world.model.url)
    await simulated.call("POST", "/simulate", MODEL_DOWN)
    for value in values():
        conversation = await client.conversation()
        await client.ask(conversation, f"How long does a refund to {as_said(value)[0]} take?", "question")
        typed["turns with a failing model"] += 1
    await world.pace(token_ms=TOKEN_MS)


async def with_a_broken_database(world: World, client: Client, typed: Counter[str]) -> None:
    """Say it and kill the database at that moment, so that the turn breaks and is finished later."""
    for value in values():
        for number, form in enumerate(as_said(value)[:1]):
            conversation = await client.conversation()
            question = f"How long does a refund take to arrive? I am {form}"
            asking = asyncio.create_task(client.ask(conversation, question, "question"))
            await asyncio.sleep(0.03 + 0.1 * number)
            await asyncio.to_thread(kill_database, world.data)
            with suppress(Broken, OSError, AssertionError):
                await asking
            await world.steward.ready(within_s=WAITED_FOR_DATABASE_S)
            await client.ask(conversation, question, "question")
            typed["turns that broke"] += 1


# ------------------------------------------------------------ searching


class Found:
    """What was searched and what turned up."""

    def __init__(self) -> None:
        self.searched: dict[str, str] = {}
        self.problems: list[str] = []
        self._requests: set[int] = set()
        self._values = values()
        self._raw = {
            spelling: f"{value.kind} ({name})"
            for value in self._values
            for name, form in [*value.forms.items(), *pieces_of(value, LEAST_PIECE)]
            for spelling in spellings(form)
        }
        self._pieces = {
            piece: f"{value.kind} ({name})"
            for value in self._values
            for name, piece in pieces_of(value, LEAST_PIECE_SENT)
        }

    def text(self, place: str, text: str) -> None:
        """Search a text as it is read: without separators, marks and words for digits."""
        for line in text.splitlines():
            plain = bare(line)
            for value in self._values:
                if any(needle in plain for needle in value.needles):
                    self.problems.append(f"{place}: a {value.kind} in a line of {len(line)} characters")

    def content(self, place: str, content: bytes) -> None:
        """Search bytes for every form as it was typed, in the spellings that stores and logs use."""
        for spelling, kind in self._raw.items():
            if spelling in content:
                self.problems.append(f"{place}: a {kind}")

    def request(self, text: str) -> None:
        """Search what a model was sent, each request once."""
        if (digest := hash(text)) not in self._requests:
            self._requests.add(digest)
            self.text("a model's request", text)
            for piece, kind in self._pieces.items():
                if piece in text:
                    self.problems.append(f"a model's request: a piece of a {kind}")
            self.note("different requests to the model", str(len(self._requests)))

    def note(self, what: str, amount: str) -> None:
        """Note how much was searched."""
        self.searched[what] = amount


def pieces_of(value: Value, least: int) -> list[tuple[str, str]]:
    """Return the pieces of a value that are long enough to be told from other digits, by name."""
    pieces = [piece for split in value.splits for piece in split]
    return [(f"piece {place}", piece) for place, piece in enumerate(pieces, start=1) if len(piece) >= least]


def spellings(form: str) -> Iterator[bytes]:
    """Yield how a typed text may stand in a file: as it is, in JSON, percent-quoted, and in hexadecimal."""
    encoded = form.encode()
    yield encoded
    yield json.dumps(form)[1:-1].encode()
    yield quote(form, safe="").encode()
    yield encoded.hex().encode()


def self_check() -> list[str]:
    """Return the forms that the search wouldn't see: it has to find what it looks for."""
    problems = []
    for value in values():
        read = 0
        for name, form in value.forms.items():
            found = Found()
            found.content("control", b"x" + form.encode() + b"y")
            if not found.problems:
                problems.append(f"the search doesn't see a {value.kind} ({name})")
            found.problems.clear()
            found.text("control", json.dumps({"said": form}, ensure_ascii=False).replace("\\n", " "))
            read += len(found.problems)
        if read < LEAST_READ * len(value.forms):
            problems.append(f"the search reads {read} of {len(value.forms)} forms of a {value.kind}")
    return problems


async def search_requests(world: World, found: Found) -> None:
    """Search what the model received; it keeps its last 200 requests."""
    received = (await Client(world.model.url).call("GET", "/received")).json()
    for request in received:
        found.request(json.dumps(request, ensure_ascii=False).replace("\\n", " "))


async def search_everything(world: World, agent: Client, found: Found) -> None:
    """Search the database's dump, all files, all logs, the metrics and what staff see."""
    found.problems += self_check()
    metrics = (await world.client().call("GET", "/metrics", raw=True)).body
    found.text("metrics", metrics.decode())
    await search_staff_views(world, agent, found)
    await asyncio.to_thread(search_database, world, found)
    await asyncio.to_thread(search_files, world, found)


async def search_staff_views(world: World, agent: Client, found: Found) -> None:
    """Search what staff see without revealing: transcripts and the anatomy of turns."""
    conversations = [str(row[0]) for row in world.rows("select id from conversation")]
    turns = [str(row[0]) for row in world.rows("select id from turn")]
    for conversation in conversations:
        shown = await agent.call("GET", f"/v1/admin/conversations/{conversation}")
        found.text("a transcript for staff", json.dumps(shown.json(), ensure_ascii=False))
    for turn in turns:
        shown = await agent.call("GET", f"/v1/admin/turns/{turn}")
        found.text("a turn's anatomy", json.dumps(shown.json(), ensure_ascii=False))
    found.note("conversations and turns as staff see them", f"{len(conversations)} and {len(turns)}")


def search_database(world: World, found: Found) -> None:
    """Copy every table as text and search it; bytes stand there in hexadecimal."""
    rows = size = 0
    with psycopg.connect(world.database_url()) as connection:
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'm') "
            "and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) "
            "and c.relnamespace::regnamespace::text not like 'pg_toast%' order by 1"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor() as cursor, cursor.copy(f"copy {table} to stdout".encode()) as copy:
                for part in copy:
                    line = bytes(part)
                    rows, size = rows + 1, size + len(line)
                    found.content(f"table {table}", line)
                    if len(line) < 100_000:
                        found.text(f"table {table}", line.decode().replace("\\n", " ").replace("\t", "|"))
        connection.execute("checkpoint") if _may_checkpoint(connection) else None
    found.note("database dump", f"{len(tables)} tables, {rows} rows, {size / 1e6:.1f} MB")


def _may_checkpoint(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("select pg_has_role(current_user, 'pg_checkpoint', 'usage')").fetchone()
    return bool(row and row[0])


def search_files(world: World, found: Found) -> None:
    """Search every file under the data directory, and the logs as they are read."""
    size = count = 0
    for path in sorted(world.data.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            count, size = count + 1, size + len(content)
            found.content(f"file {path.relative_to(world.data)}", content)
    found.note("files of the data directory, write-ahead log included", f"{count} files, {size / 1e6:.0f} MB")
    for log in (world.steward.log, world.data / "postgres" / "server.log"):
        text = log.read_text(encoding="utf-8", errors="replace")
        found.content(f"log {log.name}", text.encode())
        found.text(f"log {log.name}", text)
        found.note(f"log {log.name}", f"{len(text.splitlines())} lines")


def forms_of_values() -> str:
    """Say how many forms each value has."""
    return ", ".join(
        f"{value.kind} {len(value.forms)} and {len(value.splits)} in pieces" for value in values()
    )


def report(kept: Ledgered, seed: int, searched: Mapping[str, str]) -> Report:
    """Put the figures together."""
    typed = Counter[str]()
    for round_ in kept.rounds:
        typed += Counter(round_["typed"])
    return Report(
        name=NAME,
        title="Personal data that customers type",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[
            ("values and written forms", forms_of_values()),
            *((f"typed in {where}", str(count)) for where, count in typed.items()),
            *((f"searched: {what}", amount) for what, amount in searched.items()),
        ],
        notes=NOTES,
        problems=sorted(f"{problem} ({count} times)" for problem, count in Counter(kept.problems).items()),
    )
