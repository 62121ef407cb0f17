"""Documents become passages that can be found: read, cleaned, split, embedded, indexed, searched.

In come a folder's documents as bytes with their metadata; out come immutable snapshots in the
database, and from a snapshot the passages that fit a question, with how strong that evidence is.
A document's audience, groups and validity are filters inside the query, so what a reader may not
see never leaves the database. The same documents make the same snapshot id on every machine.

Knows nothing of assistant folders, releases or turns: it takes its own frozen records.
"""
