"""Retention's own SQL: holds, erasures, exports, rounds."""

from __future__ import annotations

LOCK_CUSTOMERS = "select id from customer where id = any(%s) order by id for update"
HOLD_CUSTOMERS = "select id from customer where id = any(%s) order by id for key share"
KNOWN_CUSTOMER = "select id from customer where id = %s"
HELD = "select count(*) from held_customer where customer_id = any(%s)"

PLACE_HOLD = """
insert into legal_hold (id, customer_id, reason, placed_at, placed_by)
values (%(id)s, %(customer)s, %(reason)s, %(at)s, %(by)s)
on conflict (customer_id) where lifted_at is null do nothing
"""
LIFT_HOLDS = """
update legal_hold set lifted_at = %(at)s, lifted_by = %(by)s
where customer_id = any(%(customers)s) and lifted_at is null returning customer_id
"""
HOLDS = """
select id, customer_id, reason, placed_at, placed_by from legal_hold
where lifted_at is null order by placed_at desc
"""

BEGUN_FOR = """
select e.id, e.begun_at, e.ground, e.asked_by from erasure e
where e.state = 'begun' and exists (
    select from erasure_customer c where c.erasure_id = e.id and c.customer_id = any(%s))
order by e.begun_at limit 1
"""
BEGUN = "select id, begun_at, ground, asked_by from erasure where state = 'begun' order by begun_at"
BEGIN_ERASURE = """
insert into erasure (id, state, ground, asked_by, begun_at)
values (%(id)s, 'begun', %(ground)s, %(by)s, %(at)s)
"""
ADD_CUSTOMER = """
insert into erasure_customer (customer_id, erasure_id)
select id, %(erasure)s from unnest(%(customers)s::uuid[]) as given (id) on conflict (customer_id) do nothing
"""
LOCK_ERASURE = "select state from erasure where id = %s for update"
CUSTOMERS_OF = "select customer_id from erasure_customer where erasure_id = %s order by customer_id"
FINISH_ERASURE = """
update erasure set state = 'done', finished_at = %(at)s, rows_gone = %(rows)s, content = %(content)s,
    public_key = %(public_key)s, signature = %(signature)s
where id = %(id)s
"""
CERTIFICATE = "select content, public_key, signature from erasure where id = %s and state = 'done'"
ERASURES = """
select e.id, e.state, e.ground, e.asked_by, e.begun_at, e.finished_at,
       array(select c.customer_id from erasure_customer c where c.erasure_id = e.id order by 1), e.rows_gone
from erasure e order by e.begun_at desc limit %s
"""
IS_ERASED = "select exists (select from erasure_customer where customer_id = any(%s))"

NOTE_EXPORT = """
insert into export_made (id, kind, customer_id, made_at, made_by, records, digest)
values (%(id)s, %(kind)s, %(customer)s, %(at)s, %(by)s, %(records)s, %(digest)s)
"""
EXPORTS = """
select id, kind, customer_id, made_at, made_by, records, digest from export_made
where %(customers)s::uuid[] is null or customer_id = any(%(customers)s)
order by made_at desc limit %(limit)s
"""

OPEN_ROUND = "select id from retention_run where finished_at is null order by started_at desc limit 1"
LAST_ROUND = "select max(finished_at) from retention_run"
BEGIN_ROUND = "insert into retention_run (id, started_at) values (%s, %s)"
COUNT_ROWS = """
update retention_run
set counts = counts
    || jsonb_build_object(%(name)s::text, coalesce((counts ->> %(name)s)::bigint, 0) + %(rows)s)
where id = %(id)s
"""
FINISH_ROUND = (
    "update retention_run set finished_at = %s where id = %s and finished_at is null returning counts"
)
ROUNDS = "select started_at, finished_at, counts from retention_run order by started_at desc limit %s"
TRY_LOCK = "select pg_try_advisory_lock(%s)"
UNLOCK = "select pg_advisory_unlock(%s)"
