"""Generated conversations in the real tables, by COPY, and the same rows as Parquet files.

Customers come back, sometimes on the same matter; a fifth of conversations is handed over; a fifth of
surveys is answered; latencies are log-normal with a slow tail; a hundredth of turns is reviewed. Equal
seeds give equal rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray

from steward.improve.insight.tables import TABLES, Kind

END = datetime(2026, 3, 1, tzinfo=UTC)
"""When generated traffic ends; figures are taken then."""
ASSISTANT = "generated"
RELEASES = ("a" * 64, "b" * 64)
CHANNELS = ("web", "api")
CATEGORIES = ("billing", "internet", "mobile", "account", "moving", "complaint")
INTENTS = tuple(f"{category}_{number}" for category in CATEGORIES for number in range(4))
OUTCOMES = ("answered", "asked", "acted", "handed_over", "refused", "fell_back", "failed")
OUTCOME_SHARES = (0.70, 0.12, 0.08, 0.03, 0.03, 0.037, 0.003)
ROWS_AT_ONCE = 20_000

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, over how many days."""

    conversations: int
    turns_each: float = 5.0
    days: int = 28


def load(admin_url: str, size: Size, *, seed: int) -> int:
    """Fill the tables of a migrated, empty database; returns the number of turns.

    Args:
        admin_url: a role that may switch the checks of foreign keys off while it loads.
        size: how much.
        seed: of the generator.
    """
    random = np.random.default_rng(seed)
    with psycopg.connect(admin_url) as connection:
        connection.execute("set session_replication_role = replica")
        _load_fixed(connection)
        turns = _load_traffic(connection, size, random)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return turns


def _load_fixed(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for number, release in enumerate(RELEASES, 1):
        connection.execute(
            """insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at,
                                    created_by)
               values (%s, %s, %s, '{}', '', 'none', %s, 'generated')""",
            (release, ASSISTANT, number, END),
        )
    connection.execute(
        "insert into account (id, login, name, role, created_at) values (%s, 'r', 'R', 'reviewer', %s)",
        (REVIEWER, END),
    )


REVIEWER = "00000000-0000-7000-8000-000000000001"


def _load_traffic(
    connection: psycopg.Connection[tuple[object, ...]], size: Size, random: np.random.Generator
) -> int:
    n = size.conversations
    end_ms = int(END.timestamp() * 1000)
    opened = np.sort(end_ms - (random.random(n) * size.days * 86_400_000).astype(np.int64))
    customers = _uuids(np.full(max(n // 2, 1), end_ms - size.days * 86_400_000), random)
    _copy(connection, "customer", ("id", "verified", "created_at"), [
        customers, np.full(len(customers), "t"), _times(np.full(len(customers), opened[0])),
    ])  # fmt: skip
    ids = _uuids(opened, random)
    customer = random.integers(0, len(customers), n)
    intent = random.integers(0, len(INTENTS), n)
    category = intent // 4
    known = random.random(n) < 0.95
    arm = random.random(n)
    turns = 1 + random.poisson(size.turns_each - 1, n)
    handed = random.random(n) < 0.2
    closed = random.random(n) < 0.7
    lasted = (random.lognormal(5.0, 0.9, n) * 1000).astype(np.int64)
    closed_at = opened + lasted + (random.random(n) * 300_000).astype(np.int64)
    resolved = random.random(n)
    release = np.where(arm < 0.5, RELEASES[0], RELEASES[1])
    arms = np.where(arm < 0.5, "baseline", np.where(arm < 0.98, "candidate", "holdout"))
    channel = np.array(CHANNELS)[random.integers(0, 2, n)]
    simulated = np.where(random.random(n) < 0.02, "t", "f")
    columns = {
        "id": ids,
        "customer_id": customers[customer],
        "assistant": np.full(n, ASSISTANT),
        "release_id": release,
        "arm": arms,
        "channel": channel,
        "verified": np.full(n, "t"),
        "simulated": simulated,
        "state": np.where(closed, "closed", "open"),
        "next_seq": np.where(random.random(n) < 0.99, "3", "1"),
        "category": np.where(known, np.array(CATEGORIES)[category], "\\N"),
        "intent": np.where(known, np.array(INTENTS)[intent], "\\N"),
        "opened_at": _times(opened),
        "last_at": _times(opened + lasted),
        "closed_at": np.where(closed, _times(closed_at), "\\N"),
        "closed_by": np.where(closed, "customer", "\\N"),
        "resolved": np.where(closed & (resolved < 0.3), np.where(resolved < 0.22, "t", "f"), "\\N"),
    }
    _copy(connection, "conversation", tuple(columns), list(columns.values()))
    _load_feedback(connection, ids[closed], closed_at[closed], random)
    _load_handovers(connection, ids[handed], opened[handed], lasted[handed], random)
    owner = np.repeat(np.arange(n), turns)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(turns) - turns, turns)
    started = opened[owner] + (lasted[owner] * place) // turns[owner]
    same = {"release_id": release, "arm": arms, "channel": channel, "simulated": simulated}
    shared = {name: values[owner] for name, values in same.items()}
    shared |= {"category": columns["category"][owner], "intent": columns["intent"][owner]}
    _load_turns(connection, ids[owner], started, shared, random)
    return len(owner)


def _load_feedback(
    connection: psycopg.Connection[tuple[object, ...]],
    ids: Texts,
    closed_at: NDArray[np.int64],
    random: np.random.Generator,
) -> None:
    answered = random.random(len(ids)) < 0.2
    at = closed_at[answered] + (random.random(answered.sum()) * 7 * 86_400_000).astype(np.int64)
    marks = random.choice(["1", "2", "3", "4", "5"], answered.sum(), p=[0.07, 0.07, 0.13, 0.33, 0.40])
    _copy(connection, "feedback", ("id", "conversation_id", "csat", "at"), [
        _uuids(at, random), ids[answered], marks, _times(at),
    ])  # fmt: skip


def _load_handovers(
    connection: psycopg.Connection[tuple[object, ...]],
    ids: Texts,
    opened: NDArray[np.int64],
    lasted: NDArray[np.int64],
    random: np.random.Generator,
) -> None:
    n = len(ids)
    asked = opened + lasted // 2
    taken = asked + (random.lognormal(4.0, 1.0, n) * 1000).astype(np.int64)
    ended = taken + (random.lognormal(5.5, 0.7, n) * 1000).astype(np.int64)
    was_taken = random.random(n) < 0.9
    _copy(
        connection,
        "handover",
        ("id", "conversation_id", "queue", "reason", "asked_at", "taken_at", "ended_at"),
        [
            _uuids(asked, random), ids, np.full(n, "general"), np.full(n, "asked_for_human"), _times(asked),
            np.where(was_taken, _times(taken), "\\N"), np.where(was_taken, _times(ended), "\\N"),
        ],
    )  # fmt: skip
    said = taken[was_taken] + 4000
    k = len(said)
    _copy(connection, "message", ("id", "conversation_id", "seq", "role", "epoch", "body", "at"), [
        _uuids(said, random), ids[was_taken], np.full(k, "9"), np.full(k, "human"), np.full(k, "1"),
        np.full(k, "\\\\x00"), _times(said),
    ])  # fmt: skip


def _load_turns(
    connection: psycopg.Connection[tuple[object, ...]],
    conversation: Texts,
    started: NDArray[np.int64],
    shared: dict[str, Texts],
    random: np.random.Generator,
) -> None:
    n = len(conversation)
    ids = _uuids(started, random)
    total = random.lognormal(6.0, 0.8, n) + np.where(random.random(n) < 0.02, 4000, 0)
    first = total * random.uniform(0.2, 0.9, n)
    silent = random.random(n) < 0.03
    outcome = np.where(silent, "silent", random.choice(OUTCOMES, n, p=OUTCOME_SHARES))
    weak = np.isin(outcome, ["asked", "handed_over"]) & (random.random(n) < 0.4)
    extractive = random.random(n) < 0.3
    tokens_in, tokens_out = random.integers(300, 2500, n), random.integers(10, 300, n)
    cost = np.where(extractive, 0, (tokens_in * 0.3 + tokens_out * 1.2) / 1e6)
    priced = random.random(n) < 0.97
    looped = random.random(n) < 0.004
    columns = {
        "id": ids,
        "conversation_id": conversation,
        "message_id": ids,
        "assistant": np.full(n, ASSISTANT),
        **shared,
        "outcome": outcome,
        "reason": np.where(weak, "weak_evidence", "intent"),
        "confidence": _numbers(random.beta(8, 2, n), 4),
        "out_of_scope": np.where(silent, "\\N", np.where(random.random(n) < 0.06, "t", "f")),
        "guard_rule": np.where(looped, "loop", "\\N"),
        "masked_count": np.where(random.random(n) < 0.15, "2", "0"),
        "model": np.where(silent, "\\N", np.where(extractive, "extractive", "main")),
        "sentences_sent": np.full(n, "2"),
        "sentences_dropped": np.where(random.random(n) < 0.05, "1", "0"),
        "prompt_tokens": np.where(extractive, "\\N", tokens_in.astype(str)),
        "completion_tokens": np.where(extractive, "\\N", tokens_out.astype(str)),
        "cost": np.where(priced, _numbers(cost, 8), "\\N"),
        "currency": np.full(n, "GBP"),
        "mask_ms": np.where(random.random(n) < 0.999, "1.5", "\\N"),
        "first_token_ms": np.where(random.random(n) < 0.97, _numbers(first, 3), "\\N"),
        "total_ms": _numbers(total, 3),
        "started_at": _times(started),
        "finished_at": _times(started + total.astype(np.int64)),
    }
    _copy(connection, "turn", tuple(columns), list(columns.values()))
    reviewed = np.flatnonzero(random.random(n) < 0.01)
    k = len(reviewed)
    at = started[reviewed] + 86_400_000
    _copy(
        connection,
        "review",
        tuple("id turn_id conversation_id reviewer intent_right misrouted grounded weight at".split()),
        [
            _uuids(at, random), ids[reviewed], conversation[reviewed], np.full(k, REVIEWER),
            np.where(random.random(k) < 0.93, "t", "f"), np.where(random.random(k) < 0.04, "t", "f"),
            np.where(random.random(k) < 0.98, "t", "f"), _numbers(random.uniform(50, 150, k), 3), _times(at),
        ],
    )  # fmt: skip
    rated = np.flatnonzero(random.random(n) < 0.02)
    thumbs = np.where(random.random(len(rated)) < 0.3, "down", "up")
    _copy(connection, "feedback", ("id", "conversation_id", "turn_id", "thumb", "at"), [
        _uuids(started[rated] + 60_000, random), conversation[rated], ids[rated], thumbs,
        _times(started[rated] + 60_000),
    ])  # fmt: skip


def export_parquet(url: str, directory: Path) -> float:
    """Write the views as `conversations.parquet` and `turns.parquet`; returns the seconds that took."""
    import duckdb

    began = time.perf_counter()
    directory.mkdir(parents=True, exist_ok=True)
    for over, columns in TABLES.items():
        text = directory / f"{over.value}.csv"
        listed = ", ".join(
            f"cast({column.name} as {column.kind.value}) as {column.name}" for column in columns
        )
        with psycopg.connect(url) as connection, text.open("wb") as file:
            connection.execute("set timezone = 'UTC'")
            query = f"copy (select {listed} from {over.value}) to stdout (format csv, header)"
            with connection.cursor().copy(query.encode()) as copy:
                for block in copy:
                    file.write(block)
        kinds = {column.name: _DUCKDB.get(column.kind, column.kind.value) for column in columns}
        with duckdb.connect() as engine:
            engine.execute("set TimeZone = 'UTC'")
            engine.execute(
                f"copy (select * from read_csv('{text}', header = true, columns = {kinds})) "
                f"to '{directory / over.value}.parquet' (format parquet)"
            )
        text.unlink()
    return time.perf_counter() - began


_DUCKDB = {Kind.UUID: "varchar", Kind.TEXT: "varchar"}


def _copy(
    connection: psycopg.Connection[tuple[object, ...]],
    table: str,
    columns: Sequence[str],
    values: Sequence[Texts],
) -> None:
    statement = f"copy {table} ({', '.join(columns)}) from stdin"
    with connection.cursor().copy(statement.encode()) as copy:
        for block in _blocks(values):
            copy.write(block)


def _blocks(values: Sequence[Texts]) -> Iterator[str]:
    for start in range(0, len(values[0]), ROWS_AT_ONCE):
        columns = [column[start : start + ROWS_AT_ONCE].tolist() for column in values]
        yield "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True))


def _times(milliseconds: NDArray[np.int64]) -> Texts:
    return np.char.add(milliseconds.astype("datetime64[ms]").astype(str), "+00")


def _numbers(values: NDArray[np.float64], digits: int) -> Texts:
    return np.char.mod(f"%.{digits}f", values)


def _uuids(milliseconds: NDArray[np.int64], random: np.random.Generator) -> Texts:
    """Return UUIDv7s of moments, with seeded tails."""
    stamps = milliseconds.tolist()
    middles = random.integers(0, 1 << 12, len(stamps)).tolist()
    tails = random.integers(0, 1 << 62, len(stamps)).tolist()
    texts = []
    for stamp, middle, tail in zip(stamps, middles, tails, strict=True):
        head, last = f"{stamp:012x}", f"{tail | 1 << 63:016x}"
        texts.append(f"{head[:8]}-{head[8:]}-7{middle:03x}-{last[:4]}-{last[4:]}")
    return np.array(texts)
