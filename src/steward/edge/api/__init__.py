"""The public HTTP API: conversations, routing, OpenAI-compatible chat, staff calls, health.

Comes in: JSON under /v1. Goes out: JSON, event streams, problem details. Always holds: the shapes of
docs/reference/http-api.md, and a declared permission on every route. It must not know pages.
"""
