"""One customer message, start to finish.

`pipeline.py` holds the order, the deadlines and the fallbacks and reads from top to bottom; each
stage is a file with one public function: receive, mask, understand, guard, retrieve, generate,
verify, act, record. Comes in: a conversation, a message, a client key. Goes out: typed events, and
one `turn` row. Always holds: only masked text is stored, logged or sent to a model; a sentence is
committed under the lease before its bytes leave. Must not know: channels and pages.
"""
