"""The records of what was said, and who may speak.

Comes in: messages of customers, assistant and humans. Goes out: ordered messages, events to follow,
the views `conversations` and `turns` that KPIs read. Always holds: a message is stored masked and
sealed under its customer's key; whoever stores one does so in the transaction that checks the lease.
Must not know: intents, models, workflows.
"""
