"""Waking those who follow a conversation, in this process and in others.

The database's notification is the one source; this only spreads it to the waiting tasks. Losing one
costs a delay, never a message, because a follower reads from the place it has reached.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from steward.base.db.contracts import Database
from steward.serve.conversations.speech import CHANNEL


class Followers:
    """Who waits for news of which conversation."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)

    async def listen(self, database: Database) -> None:
        """Spread news until the task that runs this is cancelled."""
        await database.listen(CHANNEL, self._heard)

    @contextmanager
    def waiting_for(self, conversation_id: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set at each news of the conversation."""
        event = asyncio.Event()
        self._waiting[conversation_id].add(event)
        try:
            yield event
        finally:
            self._waiting[conversation_id].discard(event)
            if not self._waiting[conversation_id]:
                del self._waiting[conversation_id]

    def wake(self, conversation_id: UUID) -> None:
        """Wake those who follow a conversation in this process."""
        for event in self._waiting.get(conversation_id, ()):
            event.set()

    async def _heard(self, payload: str) -> None:
        self.wake(UUID(payload))
