"""Durable business procedures: slots, checks, confirmation, approval, steps, compensation.

Comes in: a run and what the customer said. Goes out: the run's next state and what to say. Always
holds: nothing happens before the customer confirmed the exact arguments; an action is written
before its call and never happens twice; what nobody knows is asked of the system of record. Must
not know: models, passages, channels.
"""
