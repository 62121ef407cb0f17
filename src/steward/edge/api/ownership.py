"""Whose conversation it is: who may speak in it and read it.

A customer token: the customer it proves, in their own conversations. A secret key: any conversation, for
its holder is the company's own system. The public widget key: whoever knows the conversation's id, which
can't be guessed (74 random bits), as long as no verified customer owns it. Staff: none. Here a customer
speaks and reads their own words; staff have pages and calls of their own, with personal data masked.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from steward.base.errors import NotAllowed
from steward.edge.entrance import Caller
from steward.govern.access.principal import PrincipalKind
from steward.serve.conversations.errors import ConversationNotFound
from steward.serve.conversations.service import Conversations


class Ownership:
    """Checks callers against conversations; remembers what can't change (who owns it, verified or not)."""

    def __init__(self, conversations: Conversations, *, remembered: int = 10_000) -> None:
        self._conversations = conversations
        self._limit = remembered
        self._verified: OrderedDict[UUID, bool] = OrderedDict()
        self._owned: OrderedDict[tuple[UUID, str], None] = OrderedDict()

    async def check(self, conversation_id: UUID, caller: Caller) -> None:
        """Return if the caller may use the conversation.

        Raises:
            ConversationNotFound: it isn't there, isn't this customer's to see, or staff calls.
            NotAllowed: a verified customer owns it and the caller came without their token.
        """
        match caller.account.kind:
            case PrincipalKind.CUSTOMER:
                if not await self._belongs(conversation_id, caller.account.id):
                    raise ConversationNotFound(conversation_id)
            case PrincipalKind.PUBLIC:
                if await self._is_verified(conversation_id):
                    raise NotAllowed(
                        "This conversation belongs to a signed-in customer; send their token as the bearer."
                    )
            case PrincipalKind.STAFF:
                raise ConversationNotFound(conversation_id)
            case PrincipalKind.KEY:
                return

    async def _belongs(self, conversation_id: UUID, reference: str) -> bool:
        if (conversation_id, reference) in self._owned:
            return True
        if not await self._conversations.belongs_to(conversation_id, reference):
            return False
        self._owned[conversation_id, reference] = None
        if len(self._owned) > self._limit:
            self._owned.popitem(last=False)
        return True

    async def _is_verified(self, conversation_id: UUID) -> bool:
        known = self._verified.get(conversation_id)
        if known is None:
            known = (await self._conversations.get(conversation_id)).verified
            self._verified[conversation_id] = known
            if len(self._verified) > self._limit:
                self._verified.popitem(last=False)
        return known
