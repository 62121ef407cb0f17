"""Where humans answer: asking for one, taking over, replying, giving back.

Comes in: a conversation that needs a human, a member of staff. Goes out: the lease moved, messages
stored. Always holds: a take-over's commit is the boundary behind which the assistant says nothing.
"""
