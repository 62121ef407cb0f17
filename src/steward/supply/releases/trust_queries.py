"""SQL of release keys, signatures and labels."""

from __future__ import annotations

from typing import Final

LOCK_KEY: Final = "select pg_advisory_xact_lock(%(lock)s)"

OWN_KEY: Final = """
select id, sealed from signing_key where purpose = %(purpose)s and retired_at is null
order by created_at desc, id limit 1
"""

ADD_OWN_KEY: Final = """
insert into signing_key (id, purpose, sealed, created_at) values (%(id)s, %(purpose)s, %(sealed)s, %(at)s)
"""

UNSIGNED: Final = """
select r.id from release r
where not exists (select from release_signature s where s.release_id = r.id) order by r.id
"""

ADD_SIGNATURE: Final = """
insert into release_signature (release_id, key_id, public_key, signature, at)
values (%(release_id)s, %(key_id)s, %(public_key)s, %(signature)s, %(at)s)
on conflict (release_id, key_id) do nothing
"""

SIGNATURES: Final = """
select public_key, signature from release_signature where release_id = %(release_id)s order by key_id
"""

TRUSTED: Final = "select key_id, name, public_key, added_at, added_by from trusted_release_key order by name"

TRUST: Final = """
insert into trusted_release_key (key_id, name, public_key, added_at, added_by)
values (%(key_id)s, %(name)s, %(public_key)s, %(at)s, %(by)s)
on conflict (key_id) do update
    set name = excluded.name, added_at = excluded.added_at, added_by = excluded.added_by
"""

DISTRUST: Final = "delete from trusted_release_key where name = %(name)s returning key_id"

LOCK_RELEASE: Final = "select assistant from release where id = %(release_id)s for key share"

LABELLED: Final = """
select release_id from release_label where assistant = %(assistant)s and name = %(name)s for update
"""

PUT_LABEL: Final = """
insert into release_label (assistant, name, release_id, at, by)
values (%(assistant)s, %(name)s, %(release_id)s, %(at)s, %(by)s)
on conflict (assistant, name) do update
    set release_id = excluded.release_id, at = excluded.at, by = excluded.by
"""

REMOVE_LABEL: Final = """
delete from release_label where assistant = %(assistant)s and name = %(name)s and release_id = %(release_id)s
"""

LABELS: Final = "select name from release_label where release_id = %(release_id)s order by name"
