"""SQL of releases and of what is served."""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = "id, assistant, number, manifest, snapshot_id, created_at, created_by"

LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(%(scope)s, 0))"

BY_ID: Final = f"select {_COLUMNS} from release where id = %(id)s"

BY_BEGINNING: Final = (
    f"select {_COLUMNS} from release where starts_with(id, %(beginning)s) order by id limit 2"
)

BY_NUMBER: Final = (
    f"select {_COLUMNS} from release where number = %(number)s "
    "and (%(assistant)s::text is null or assistant = %(assistant)s) order by id limit 2"
)

BY_LABEL: Final = (
    f"select {_COLUMNS} from release where id in (select l.release_id from release_label l "
    "where l.name = %(name)s and (%(assistant)s::text is null or l.assistant = %(assistant)s)) "
    "order by id limit 2"
)

RECENT: Final = """
select r.id, r.assistant, r.number, r.created_at, r.created_by,
       exists (select 1 from serving s
               where s.release_id = r.id and s.assistant = r.assistant and not s.simulated),
       array(select l.name from release_label l where l.release_id = r.id order by l.name)
from release r
where %(assistant)s::text is null or r.assistant = %(assistant)s
order by r.created_at desc, r.number desc limit %(limit)s
"""

BUNDLE: Final = "select bundle from release where id = %(id)s"

BUNDLE_SIZE: Final = "select octet_length(bundle) from release where id = %(id)s"

NEXT_NUMBER: Final = "select coalesce(max(number), 0) + 1 from release where assistant = %(assistant)s"

INSERT: Final = """
insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at, created_by)
values (%(id)s, %(assistant)s, %(number)s, %(manifest)s, %(bundle)s, %(snapshot_id)s, %(created_at)s,
        %(created_by)s)
"""

ARTEFACTS: Final = "select name, digest, content from release_artefact where release_id = %(release_id)s"

ARTEFACT_DIGESTS: Final = (
    "select name, digest from release_artefact where release_id = %(release_id)s order by name"
)

ARTEFACT: Final = (
    "select content, digest from release_artefact where release_id = %(release_id)s and name = %(name)s"
)

PUT_ARTEFACT: Final = """
insert into release_artefact (release_id, name, digest, content)
values (%(release_id)s, %(name)s, %(digest)s, %(content)s)
on conflict (release_id, name) do update set digest = excluded.digest, content = excluded.content
"""

SERVING: Final = (
    "select release_id, generation from serving where assistant = %(assistant)s and not simulated"
)

UNDER_WAY: Final = """
select id from rollout
where assistant = %(assistant)s and not simulated
  and kind <> 'shadow' and state in ('waiting', 'running', 'held', 'paused')
"""
