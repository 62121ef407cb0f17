"""What a verified customer's token says about them, kept sealed with the conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Conversation
from steward.serve.conversations.queries import select_claims

CLAIMS = "conversation.claims"


def seal_claims(claims: Mapping[str, str], key: CustomerKey) -> bytes:
    """Return claims in the form that is stored."""
    return key.seal(json.dumps(dict(claims)), CLAIMS)


async def claims_of(session: ReadSession, conversation: Conversation, vault: Vault) -> dict[str, str]:
    """Return the claims of the verified customer, empty for anyone else."""
    if not conversation.verified:
        return {}
    sealed = await select_claims(session, conversation.id)
    if sealed is None:
        return {}
    key = await vault.key_for(session, conversation.customer_id)
    claims: dict[str, str] = json.loads(key.open(bytes(sealed), CLAIMS))
    return claims
