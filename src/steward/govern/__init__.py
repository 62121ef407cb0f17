"""Who may, what is hidden, and what was done.

`access` decides who may do what, `privacy` takes personal data out of words and gives it back for a
declared purpose, `ledger` keeps an append-only, hash-chained record of sensitive deeds. Nothing here
knows an assistant, a conversation or a page.
"""
