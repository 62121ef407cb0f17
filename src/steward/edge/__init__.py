"""How people and systems reach Steward: the HTTP API, the web widget, the console.

Comes in: requests. Goes out: answers, event streams, pages. Always holds: every route declares the
permission that it needs (or that it is public), and everything decided is decided by a service below.
It must not know: how services are built, what SQL they speak, which command started the process.
"""
