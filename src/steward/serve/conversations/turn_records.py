"""The `turn` row: one wide row per turn with every decision, its time, tokens and cost."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from math import isfinite
from uuid import UUID

from steward.base.db.contracts import ReadSession, WriteSession
from steward.serve.conversations.contracts import TurnId


@dataclass(frozen=True, slots=True)
class TurnRow:
    """The columns of `turn`, in their order. `decisions` is sealed under the customer's key.

    `decision` is what costs and bounds chose, `expected_cost` what that was expected to cost, in `currency`,
    and `answerable` the chance that the passages answered; None where the turn ended before.
    """

    id: TurnId
    conversation_id: UUID
    message_id: UUID
    release_id: str
    assistant: str
    arm: str
    channel: str
    simulated: bool
    outcome: str
    reason: str
    intent: str | None
    confidence: float | None
    in_scope: float | None
    out_of_scope: bool | None
    category: str | None
    risk: str | None
    override: bool
    guard_rule: str | None
    guard_score: float | None
    masked_count: int
    evidence: float | None
    passages: list[str]
    cited: list[str]
    model: str | None
    route: str | None
    workflow: str | None
    workflow_run_id: UUID | None
    sentences_sent: int
    sentences_dropped: int
    resumed: bool
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    currency: str
    receive_ms: float | None
    mask_ms: float | None
    understand_ms: float | None
    guard_ms: float | None
    retrieve_ms: float | None
    generate_ms: float | None
    verify_ms: float | None
    act_ms: float | None
    record_ms: float | None
    first_token_ms: float | None
    total_ms: float
    decisions: bytes | None
    started_at: datetime
    finished_at: datetime
    rollout_id: UUID | None = None
    answerable: float | None = None
    decision: str | None = None
    expected_cost: float | None = None


COLUMNS = tuple(field.name for field in fields(TurnRow))
_LIST = ", ".join(COLUMNS)
INSERT_TURN = f"insert into turn ({_LIST}) select {', '.join(f'done.{name}' for name in COLUMNS)}"
"""Begins a statement that stores a row of `FROM_JSON`."""
FROM_JSON = "json_populate_record(null::turn, %(row)s::json) done"
"""A row as one parameter: psycopg reads a statement of more than fifty anew each time that it's sent."""
# A conversation that was erased meanwhile gets no turn: the row's lock waits for an erasure under way.
_INSERT = f"""{INSERT_TURN} from {FROM_JSON}
    where exists (select from conversation where id = done.conversation_id for key share)"""


async def insert_turn(session: WriteSession, row: TurnRow) -> None:
    """Store a finished turn, unless its customer was erased while it ran."""
    await session.execute(_INSERT, {"row": json_of(row)})


def json_of(row: TurnRow) -> str:
    """Return a row as `FROM_JSON` reads it."""
    return json.dumps({name: _finite(getattr(row, name)) for name in COLUMNS}, default=_as_text)


def _finite(value: object) -> object:
    """Return a number that JSON has none for as PostgreSQL writes it."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _as_text(value: object) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


async def select_turn(session: ReadSession, turn_id: UUID) -> TurnRow | None:
    """Return a finished turn, or None while it isn't."""
    row = await session.one(f"select {_LIST} from turn where id = %s", (turn_id,))
    return None if row is None else TurnRow(*row)


async def has_turn(session: ReadSession, conversation_id: UUID, turn_id: UUID) -> bool:
    """Tell whether a finished turn is one of the conversation's."""
    row = await session.one(
        "select 1 from turn where id = %s and conversation_id = %s", (turn_id, conversation_id)
    )
    return row is not None


async def select_turns(session: ReadSession, conversation_id: UUID) -> tuple[TurnRow, ...]:
    """Return a conversation's finished turns, oldest first."""
    rows = await session.all(
        f"select {_LIST} from turn where conversation_id = %s order by id", (conversation_id,)
    )
    return tuple(TurnRow(*row) for row in rows)
