"""Models that write answers: a request with messages in, a stream of pieces out.

A model yields text pieces, whole tool calls, its usage and the reason it finished, or raises one of
the errors of `errors.py`; it never yields after raising. A chain tries models in order, but only until
the first piece has been yielded: what a customer may have read is never told again by another model.
This package knows no prompt, no passage and no customer, and logs no text.
"""
