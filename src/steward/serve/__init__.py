"""One customer message, start to finish: conversations, the desk, workflows and the turn itself.

Takes a message and a release; gives typed events. Knows no channel, no page and no HTTP.
"""
