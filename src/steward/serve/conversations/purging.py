"""What conversations keep of a customer: messages, the conversations themselves, feedback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement
from steward.serve.conversations.claims import CLAIMS
from steward.serve.conversations.speech import BODY

_MINE = "conversation_id in (select id from conversation where customer_id = %(customer)s)"
COMMENT = "feedback.comment"
_SILENT = f"""c.state = 'closed' and c.last_at < %(before)s and {UNHELD.format(customer="c.customer_id")}"""
_WORDED = f"""
    {_SILENT} and (c.claims_sealed is not null or c.transcript is not null
                   or exists (select from message m where m.conversation_id = c.id))"""
_EMPTY = f"""
    {_SILENT} and not exists (select from message m where m.conversation_id = c.id)
    and not exists (select from turn t where t.conversation_id = c.id)
    and not exists (select from workflow_run r where r.conversation_id = c.id)"""
# What a turn decided quotes what was said, so it goes with the words.
_FORGET_WORDS = f"""
    with due as (select c.id from conversation c where {_WORDED} order by c.last_at limit %(limit)s),
    gone as (delete from message m using due where m.conversation_id = due.id returning 1),
    quiet as (update turn t set decisions = null from due
              where t.conversation_id = due.id and t.decisions is not null returning 1),
    bare as (update conversation c set claims_sealed = null, transcript = null from due
             where c.id = due.id and (c.claims_sealed is not null or c.transcript is not null) returning 1)
    select (select count(*) from gone) + (select count(*) from bare)"""
_FORGET_CONVERSATIONS = f"""
    with due as (select c.id from conversation c where {_EMPTY} order by c.last_at limit %(limit)s),
    gone as (delete from conversation c using due where c.id = due.id returning 1)
    select count(*) from gone"""
_OLD_FEEDBACK = f"""
    f.at < %(before)s and exists (
        select from conversation c where c.id = f.conversation_id and c.state = 'closed'
        and {UNHELD.format(customer="c.customer_id")})"""
_FORGET_FEEDBACK = f"""
    with due as (select f.id from feedback f where {_OLD_FEEDBACK} order by f.at limit %(limit)s),
    gone as (delete from feedback f using due where f.id = due.id returning 1)
    select count(*) from gone"""


def messages_purger(vault: Vault) -> SqlPurger:
    """Return the purger of what was said."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        customer = CustomerId(customer_id)
        key = await vault.key_for(session, customer)
        rows = await session.all(
            """select m.conversation_id, m.at, m.role, m.body from message m
               join conversation c on c.id = m.conversation_id
               where c.customer_id = %s order by m.conversation_id, m.seq""",
            (customer_id,),
        )
        records: list[Record] = []
        for conversation_id, at, role, body in rows:
            text = key.open(bytes(body), BODY).decode()
            said = await vault.unmask(session, customer, text, purpose=Purpose.OWN_WORDS, actor="customer")
            records.append(
                {"conversation": str(conversation_id), "at": at.isoformat(), "said_by": role, "text": said}
            )
        return records

    return SqlPurger(
        name="messages",
        kind=DataKind.MESSAGES,
        holds="What the customer, the assistant and members of staff said, masked and sealed.",
        tables=("message",),
        erasing=(Statement("message", f"delete from message where {_MINE}"),),
        due_sql=f"""select count(*) from message m where exists (
            select from conversation c where c.id = m.conversation_id and {_SILENT})""",
        expiring=(_FORGET_WORDS,),
        export_with=export,
    )


def conversations_purger(vault: Vault) -> SqlPurger:
    """Return the purger of the conversations' own rows; they expire once nothing of them is left."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        key = await vault.key_for(session, CustomerId(customer_id))
        rows = await session.all(
            """select id, channel, locale, verified, opened_at, closed_at, closed_by, category, intent,
                      resolved, claims_sealed
               from conversation where customer_id = %s order by opened_at""",
            (customer_id,),
        )
        return [
            {
                "conversation": str(row[0]),
                "channel": row[1],
                "locale": row[2],
                "proven": row[3],
                "opened_at": row[4].isoformat(),
                "closed_at": None if row[5] is None else row[5].isoformat(),
                "closed_by": row[6],
                "category": row[7],
                "intent": row[8],
                "resolved": row[9],
                "claims": None if row[10] is None else json.loads(key.open(bytes(row[10]), CLAIMS)),
            }
            for row in rows
        ]

    return SqlPurger(
        name="conversations",
        kind=DataKind.CONVERSATIONS,
        holds="When and on which channel the customer wrote, about what, and what their token said of them.",
        tables=("conversation",),
        erasing=(Statement("conversation", "delete from conversation where customer_id = %(customer)s"),),
        due_sql=f"select count(*) from conversation c where {_EMPTY}",
        expiring=(_FORGET_CONVERSATIONS,),
        export_with=export,
    )


def feedback_purger(vault: Vault) -> SqlPurger:
    """Return the purger of survey answers, thumbs and comments."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        key = await vault.key_for(session, CustomerId(customer_id))
        rows = await session.all(
            """select f.conversation_id, f.turn_id, f.at, f.csat, f.thumb, f.comment_sealed from feedback f
               join conversation c on c.id = f.conversation_id where c.customer_id = %s order by f.at""",
            (customer_id,),
        )
        return [
            {
                "conversation": str(row[0]),
                "turn": None if row[1] is None else str(row[1]),
                "at": row[2].isoformat(),
                "survey": row[3],
                "thumb": row[4],
                "comment": None if row[5] is None else key.open(bytes(row[5]), COMMENT).decode(),
            }
            for row in rows
        ]

    return SqlPurger(
        name="feedback",
        kind=DataKind.FEEDBACK,
        holds="Answers to the survey, thumbs, and comments, which are sealed.",
        tables=("feedback",),
        erasing=(Statement("feedback", f"delete from feedback where {_MINE}"),),
        due_sql=f"select count(*) from feedback f where {_OLD_FEEDBACK}",
        expiring=(_FORGET_FEEDBACK,),
        export_with=export,
    )
