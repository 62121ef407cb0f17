"""Who may do what: accounts, console logins, keys, customers' tokens, rate limits.

Takes a credential and gives a `Principal` with its permissions, or refuses. Secrets are stored as
digests only; whatever changes who may do what is in the ledger. Knows no route and no page: those
name the permission they need and call `require`.
"""
