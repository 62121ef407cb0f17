"""The ledger's SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from steward.govern.ledger.contracts import Checkpoint, Link, Row, Signature, Written

APPEND: Final = """
with written as (
    insert into ledger_entry (id, at, actor, deed, subject, details, digest)
    values (%s, %s, %s, %s, %s, %s::jsonb, %s) returning id, digest
)
insert into ledger_tail (entry, digest) select id, digest from written
"""

# ------------------------------------------------------------------ the chainer

# A process that stands still with the lock would keep others from linking: the server ends its transaction.
TRY_LOCK: Final = """
select pg_try_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', '5000', true)
"""
LOCK: Final = """
select pg_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', '5000', true)
"""
HAS_TAIL: Final = "select 1 from ledger_tail limit 1"
HEAD: Final = "select position, digest from ledger_link order by position desc limit 1"
WAITING: Final = "select number, entry, digest from ledger_tail order by number limit %s"
PUT_LINKS: Final = """
insert into ledger_link (position, entry, form, previous, digest)
select position, entry, 2, previous, digest
from unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[]) as link (position, entry, previous, digest)
"""
LET_GO: Final = "delete from ledger_tail where number = any(%s)"

# ------------------------------------------------------------------ signed heads

_ENTRY: Final = "e.id, e.at, e.actor, e.deed, e.subject, e.details, e.digest"
_LINK: Final = "l.position, l.entry, l.form, l.previous, l.digest"
_CHECKPOINT: Final = "c.first, c.position, c.at, c.head, c.root, c.public_key, c.signature"
NEWEST_CHECKPOINT: Final = f"select {_CHECKPOINT} from ledger_checkpoint c order by c.position desc limit 1"
CHECKPOINT_OVER: Final = (
    f"select {_CHECKPOINT} from ledger_checkpoint c where c.position >= %s order by c.position limit 1"
)
CHECKPOINT_BELOW: Final = (
    f"select {_CHECKPOINT} from ledger_checkpoint c where c.position < %s order by c.position desc limit 1"
)
CHECKPOINTS: Final = f"""
select {_CHECKPOINT} from ledger_checkpoint c
where c.position between %s and %s order by c.position
"""
PUT_CHECKPOINT: Final = """
insert into ledger_checkpoint (first, position, at, head, root, public_key, signature)
values (%s, %s, %s, %s, %s, %s, %s)
"""
NEXT: Final = f"""
select {_LINK}, {_ENTRY} from ledger_link l left join ledger_entry e on e.id = l.entry
where l.position > %s order by l.position limit %s
"""
DIGESTS: Final = """
select digest from ledger_link where position between %s and %s order by position
"""

# ------------------------------------------------------------------ reading and proving

IN_ORDER: Final = f"""
select {_LINK}, {_ENTRY}, {_CHECKPOINT}
from ledger_link l
left join ledger_entry e on e.id = l.entry
left join ledger_checkpoint c on c.position = l.position
where l.position > %s order by l.position
"""
SEGMENT: Final = f"""
select {_LINK}, {_ENTRY} from ledger_link l join ledger_entry e on e.id = l.entry
where l.position between %s and %s order by l.position
"""
STRAY: Final = """
select e.id, e.at from ledger_entry e
where not exists (select from ledger_link l where l.entry = e.id)
  and not exists (select from ledger_tail t where t.entry = e.id)
order by e.id limit 1
"""
TAIL_IN_ORDER: Final = f"""
select t.entry, t.digest, {_ENTRY} from ledger_tail t left join ledger_entry e on e.id = t.entry
order by t.number
"""
TAIL: Final = """
select count(*), min(e.at) from ledger_tail t join ledger_entry e on e.id = t.entry
"""
COUNT: Final = "select coalesce(max(position), 0) from ledger_link"
RECENT: Final = f"""
select l.position, {_ENTRY}
from ledger_entry e left join ledger_link l on l.entry = e.id
where (%(before)s::uuid is null or e.id < %(before)s)
  and (%(actor)s::text is null or e.actor = %(actor)s)
  and (%(subject)s::text is null or e.subject = %(subject)s)
  and (%(deed)s::text is null or e.deed = %(deed)s or e.deed like %(deeds)s)
  and (%(since)s::timestamptz is null or e.at >= %(since)s)
  and (%(until)s::timestamptz is null or e.at < %(until)s)
order by e.id desc
limit %(limit)s
"""
ONE: Final = f"""
select {_LINK}, {_ENTRY} from ledger_entry e left join ledger_link l on l.entry = e.id where e.id = %s
"""
FOUND: Final = f"""
select l.position, {_ENTRY} from ledger_entry e left join ledger_link l on l.entry = e.id where e.id = %s
"""
DEEDS: Final = """
with recursive deeds as (
    (select deed from ledger_entry order by deed using ~<~ limit 1)
    union all
    select (select e.deed from ledger_entry e where e.deed ~>~ d.deed order by e.deed using ~<~ limit 1)
    from deeds d where d.deed is not null
)
select deed from deeds where deed is not null
"""
SPAN: Final = """
select min(l.position), max(l.position) from ledger_link l join ledger_entry e on e.id = l.entry
where (%(since)s::timestamptz is null or e.at >= %(since)s)
  and (%(until)s::timestamptz is null or e.at < %(until)s)
"""


def link_of(row: Sequence[Any]) -> Link:
    """Return the link in the five columns of one."""
    return Link(row[0], row[1], row[2], bytes(row[3]), bytes(row[4]))


def entry_of(row: Sequence[Any]) -> Written | None:
    """Return the entry in the seven columns of one, None where there is none."""
    return None if row[0] is None else Written(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6]))


def checkpoint_of(row: Sequence[Any] | None) -> Checkpoint | None:
    """Return the signed head in the seven columns of one, None where there is none."""
    if row is None or row[1] is None:
        return None
    first, position, at, head, root, key, signature = row
    return Checkpoint(first, position, at, bytes(head), bytes(root), Signature(bytes(key), bytes(signature)))


def row_of(row: Sequence[Any]) -> Row:
    """Return an entry and its place."""
    position, id, at, actor, deed, subject, details, digest = row
    return Row(position, id, at, actor, deed, subject, details, bytes(digest))
