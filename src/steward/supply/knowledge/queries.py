"""The SQL of the knowledge package."""

from __future__ import annotations

# One statement, so that what a reader may not see is never ranked, and nothing is lost between
# stages. Vectors have length one, so the inner product (`<#>` gives it negated) is the cosine.
FIND = """
select s.passage_id, d.path, d.title, p.heading, p.body, d.source, p.ordinal, s.score, s.dense, s.lexical
from (
    select passage_id, dense, lexical,
           %(dense_share)s::real * dense + (1 - %(dense_share)s::real) * lexical as score
    from (
        select passage_id,
               greatest(0, -(dense <#> %(vector)s::vector)) as dense,
               -(lexical <#> %(weights)s::sparsevec) / %(attainable)s::real as lexical
        from snapshot_passage
        where snapshot_id = %(snapshot)s
          and audience <= %(audience)s::smallint
          and (groups = '{}' or groups && %(groups)s::text[])
          and (valid_from is null or valid_from <= %(today)s::date)
          and (valid_until is null or valid_until >= %(today)s::date)
          and passage_id <> all (%(inert)s::text[])
        offset 0
    ) as measured
    order by score desc, passage_id
    limit %(limit)s::int
) as s
join passage p on p.id = s.passage_id
join knowledge_document d on d.id = p.document_id
order by s.score desc, s.passage_id
"""

SNAPSHOT = "select encoder, dimensions, statistics from knowledge_snapshot where id = %s"

# Publishers queue here, so that two of them never insert the same rows.
LOCK_PUBLISHING = "select pg_advisory_xact_lock(hashtextextended('steward.knowledge.publish', 0))"

KNOWN_DOCUMENTS = "select id from knowledge_document where id = any(%s::text[])"

KNOWN_PASSAGES = "select id from passage where id = any(%s::text[])"

VECTORS = "select passage_id, dense from passage_vector where encoder = %s and passage_id = any(%s::text[])"

# A passage whose document changed elsewhere in it has a new id and the same text: its vector is taken over.
VECTORS_OF_SAME_TEXTS = """
select distinct on (wanted.id) wanted.id, v.dense
from unnest(%s::text[], %s::text[], %s::text[]) as wanted (id, heading, body)
join passage p on p.heading = wanted.heading and p.body = wanted.body
join passage_vector v on v.passage_id = p.id and v.encoder = %s
order by wanted.id
"""

INSERT_SNAPSHOT = """
insert into knowledge_snapshot (id, encoder, dimensions, statistics, created_at)
values (%s, %s, %s, %s::jsonb, %s)
"""

# Columns of the tables that are filled by COPY.
KNOWLEDGE_DOCUMENT = (
    "id", "path", "title", "audience", "groups", "owner", "source",
    "valid_from", "valid_until", "review_by", "created_at",
)  # fmt: skip
PASSAGE = ("id", "document_id", "ordinal", "heading", "body")
PASSAGE_VECTOR = ("passage_id", "encoder", "dense")
SNAPSHOT_PASSAGE = (
    "snapshot_id", "passage_id", "audience", "groups", "valid_from", "valid_until", "dense", "lexical",
)  # fmt: skip
