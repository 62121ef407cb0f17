"""The ledger's SQL."""

# A process that stands still after this would keep all others from writing, a roll-back too: the server ends
# its transaction.
LOCK = """
select pg_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', '5000', true)
"""

HEAD = "select position, digest from ledger order by position desc limit 1"

INSERT = """
insert into ledger (position, at, actor, deed, subject, details, previous, digest)
values (%s, %s, %s, %s, %s, %s::jsonb, %s, %s)
"""

IN_ORDER = """
select position, at, actor, deed, subject, details, previous, digest from ledger order by position
"""

RECENT = """
select position, at, actor, deed, subject, details, previous, digest
from ledger
where position < coalesce(%(before)s::bigint, 9223372036854775807)
  and (%(actor)s::text is null or actor = %(actor)s)
  and (%(subject)s::text is null or subject = %(subject)s)
  and (%(deed)s::text is null or deed = %(deed)s or starts_with(deed, %(deed)s || '.'))
order by position desc
limit %(limit)s
"""
