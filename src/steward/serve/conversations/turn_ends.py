"""The end of a turn in the store: its last words, its row, and the conversation free for the next one.

One statement does all of it where the turn still has the lease, so nothing of it is ever half done, and the
customer waits for one question to the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from steward.base.db.contracts import WriteSession
from steward.serve.conversations.contracts import MessageId
from steward.serve.conversations.queries import (
    HELD,
    MESSAGE_COLUMNS,
    Lease,
    NewMessage,
    held_values,
    said_values,
)
from steward.serve.conversations.turn_records import FROM_JSON, INSERT_TURN, TurnRow, insert_turn, json_of

_FREED: Final = """turn_id = null, turn_holder = null, asked_back = %(asked_back)s,
    category = coalesce(category, %(matter)s), intent = coalesce(intent, %(named)s)"""
_END: Final = f"""
    with mine as (
        update conversation
        set next_seq = next_seq + %(speaks)s::int, last_at = coalesce(%(at)s, last_at), {_FREED}
        where {HELD} returning id, next_seq - 1 as seq),
    said as (
        insert into message ({MESSAGE_COLUMNS})
        select %(id)s, mine.id, mine.seq, %(role)s, %(turn)s, %(epoch)s, %(body)s, %(events)s, %(at)s
        from mine where %(speaks)s::int = 1),
    settled as (
        update message set pending = false where id = %(answered)s and exists (select from mine))
    {INSERT_TURN} from mine, {FROM_JSON}"""
_FREE: Final = f"""
    with settled as (update message set pending = false where id = %(answered)s)
    update conversation set {_FREED} where id = %(conversation)s and turn_id = %(turn)s"""
_NOTHING_SAID: Final = dict.fromkeys(("id", "role", "body", "events", "at"))


@dataclass(frozen=True, slots=True)
class Settled:
    """What a turn leaves in its conversation.

    `asked_back` counts the questions back in a row; `category` and `intent` are those of the matter,
    where the message named one, and stay what they were where an earlier one did.
    """

    answered: MessageId
    asked_back: int
    category: str | None
    intent: str | None


async def end_turn(
    session: WriteSession, lease: Lease, row: TurnRow, settled: Settled, last: NewMessage | None
) -> bool:
    """Store a turn with what it says last, if it still has the lease; tell whether it has. One statement."""
    values = {
        **held_values(lease),
        **_settled_values(settled),
        **(_NOTHING_SAID if last is None else said_values(last)),
        "speaks": 0 if last is None else 1,
        "row": json_of(row),
    }
    return await session.execute(_END, values) == 1


async def end_silently(session: WriteSession, row: TurnRow, settled: Settled) -> None:
    """Store a turn that says nothing, whoever has the lease now."""
    await insert_turn(session, row)
    values = {"conversation": row.conversation_id, "turn": row.id, **_settled_values(settled)}
    await session.execute(_FREE, values)


def _settled_values(settled: Settled) -> dict[str, object]:
    return {
        "answered": settled.answered,
        "asked_back": settled.asked_back,
        "matter": settled.category,
        "named": settled.intent,
    }
