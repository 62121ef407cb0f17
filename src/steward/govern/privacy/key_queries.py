"""SQL over master keys and what they wrap."""

LOCK_KEYS = "select pg_advisory_xact_lock(%s)"

SEALED_KEYS = "select id, sealed from sealed_master_key order by made_at desc, id"

ADD_SEALED_KEY = """
insert into sealed_master_key (id, service, sealed, made_at) values (%(id)s, %(service)s, %(sealed)s, %(now)s)
"""

RESEAL_KEY = "update sealed_master_key set sealed = %(sealed)s where id = %(id)s"

DROP_SEALED_KEY = "delete from sealed_master_key where id = %s"

LOOKUP_KEY = "select wrapped from lookup_key"

ADD_LOOKUP_KEY = "insert into lookup_key (wrapped) values (%s)"

FIRST_CUSTOMER_KEY = "select master_key from customer_key order by created_at limit 1"

FOREIGN_KEY = "select master_key from customer_key where not (master_key = any(%s)) limit 1"
