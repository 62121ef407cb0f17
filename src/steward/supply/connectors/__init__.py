"""Business systems that workflows call: an operation and its arguments in, one closed outcome out.

A call ends as `Done`, `Refused`, `Unsure` or `Unreachable`; nothing else, and never as an exception
for what a network or a system may do. The difference that matters is between "definitely not done"
(`Refused`, `Unreachable`) and "may have happened" (`Unsure`): only the latter has to be settled by
asking the system with `Connector.find`. A write is sent once; repeating is the caller's decision.
This package knows no workflow, no assistant folder and no customer.
"""
