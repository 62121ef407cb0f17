"""Retention: how long what is kept, and taking a person out for good.

Comes in: the rules of a folder's governance.yaml, a customer who wants to be forgotten or to know what is
kept. Goes out: rows deleted in small batches, a signed certificate of erasure, everything kept about a person
in clear for that person. Always holds: each package that stores personal data has a `Purger` of its own,
handed in by the composition root; a legal hold wins over every rule; the ledger stays whole, for it holds ids
and digests only. Must not know: which tables others have.
"""
