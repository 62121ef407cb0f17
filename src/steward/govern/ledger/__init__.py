"""The ledger: an append-only, hash-chained record of sensitive actions and decisions.

Takes an `Entry` inside the caller's transaction and gives its position. Every row carries the digest
of the row before it, so a changed, removed, moved or inserted row shows in `verify`; a cut-off end
shows when the head that was seen last is handed in. Rows hold ids and digests, never personal data.
"""
