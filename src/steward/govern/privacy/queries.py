"""The vault's SQL."""

VERIFIED_CUSTOMER = "select id from customer where reference_digest = %s"

CUSTOMER_BY_REFERENCE = """
select c.id, k.wrapped from customer c left join customer_key k on k.customer_id = c.id
where c.reference_digest = %s for key share of c
"""

CREATE_CUSTOMER = """
with made as (
    insert into customer (id, reference_digest, verified, created_at)
    values (%(id)s, %(reference)s, %(verified)s, %(now)s)
    on conflict (reference_digest) do nothing
    returning id
)
insert into customer_key (customer_id, master_key, wrapped, created_at)
select id, %(master_key)s, %(wrapped)s, %(now)s from made
"""

FORGET_REFERENCE = """
update customer set reference_digest = null
where id = %s and not exists (select 1 from customer_key k where k.customer_id = customer.id)
"""

WRAPPED_KEY = "select wrapped from customer_key where customer_id = %s"

# Two conversations of one customer may name new values at the same moment: the loser's rows are
# skipped here and asked for again by the caller, in a statement that sees the winner's.
TOKENS_FOR = """
with asked as (
    select kind, value_digest, value_sealed, place
    from unnest(%(kinds)s::text[], %(digests)s::bytea[], %(sealed)s::bytea[])
        with ordinality as a (kind, value_digest, value_sealed, place)
), held as (
    select a.place, v.number
    from asked a join vault_token v
        on v.customer_id = %(customer)s and v.kind = a.kind and v.value_digest = a.value_digest
), made as (
    insert into vault_token (customer_id, kind, number, value_digest, value_sealed, created_at)
    select %(customer)s, a.kind,
           coalesce((select max(v.number) from vault_token v
                     where v.customer_id = %(customer)s and v.kind = a.kind), 0)
               + row_number() over (partition by a.kind order by a.place),
           a.value_digest, a.value_sealed, %(now)s
    from asked a
    where not exists (select 1 from held h where h.place = a.place)
    order by a.kind, a.place
    on conflict do nothing
    returning kind, value_digest, number
)
select place, number from held
union all
select a.place, m.number from made m join asked a on a.kind = m.kind and a.value_digest = m.value_digest
"""

VALUES_OF = """
select v.kind, v.number, v.value_sealed
from vault_token v
join unnest(%(kinds)s::text[], %(numbers)s::int[]) as a (kind, number)
    on v.kind = a.kind and v.number = a.number
where v.customer_id = %(customer)s and octet_length(v.value_sealed) > 0
"""
