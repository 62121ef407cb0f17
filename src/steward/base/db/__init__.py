"""The store: PostgreSQL with pgvector, Steward's own server or any URL.

`contracts` is what the rest of Steward sees: read sessions, write sessions and notifications;
`pool` keeps the promise with psycopg. `embedded` starts a server from the wheel's binaries for a
data directory and shares it between processes; `guardian` outlives them and stops it after the
last one. `migrations` brings the schema up to date under the owner's role, `partitions` keeps the
months ahead, `presence` tells whether a process still lives, `doctor` says in sentences what is
wrong. Knows no business words.
"""
