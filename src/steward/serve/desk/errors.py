"""Refusals of the desk.

AlreadyTaken (409)
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Conflict


class AlreadyTaken(Conflict):
    """Another human holds the word."""

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(f"Conversation {conversation_id} has been taken over by somebody else already.")
