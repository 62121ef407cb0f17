"""Refusals about conversations.

ConversationNotFound (404) · TurnNotFound (404) · ConversationClosed (409) · NotTheSpeaker (409)
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Conflict, NotFound


class ConversationNotFound(NotFound):
    """No conversation has this id."""

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(
            f"There is no conversation {conversation_id}; start one with POST /v1/conversations."
        )


class TurnNotFound(NotFound):
    """The conversation has no turn with this id."""

    def __init__(self, turn_id: UUID) -> None:
        super().__init__(
            f"There is no turn {turn_id} in this conversation; a turn's id stands in its done event."
        )


class ConversationClosed(Conflict):
    """The conversation has ended."""

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(f"Conversation {conversation_id} is closed; start a new one.")


class NotTheSpeaker(Conflict):
    """Somebody else holds the word."""

    def __init__(self, conversation_id: UUID, speaker: str) -> None:
        super().__init__(f"In conversation {conversation_id} the word is with {speaker}; take over first.")
