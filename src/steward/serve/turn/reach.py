"""What an account that is limited to categories may see and touch.

A conversation is in reach when its category is one of the account's, or when the person holds the word in
it; a turn and an approval are in reach with their conversation. What is out of reach isn't there.
"""

from __future__ import annotations

from uuid import UUID

from steward.base.db.contracts import Database
from steward.govern.access.principal import Principal, PrincipalKind

_BY_KIND = {
    "conversation_id": "select %(id)s::uuid",
    "turn_id": "select conversation_id from turn where id = %(id)s",
    "approval_id": """select r.conversation_id from approval a join workflow_run r on r.id = a.run_id
                      where a.id = %(id)s""",
}
RECORDS = frozenset(_BY_KIND)
"""Names of ids, as routes have them, that lead to a conversation."""


class Reach:
    """Tells whether a caller may go near a record; asks the store only about limited accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(self, principal: Principal, record: str, record_id: UUID) -> bool:
        """Tell whether a record is in a caller's reach; one that isn't there is in nobody's limited reach.

        Args:
            principal: who calls.
            record: one of RECORDS.
            record_id: the record's id.
        """
        if principal.kind is not PrincipalKind.STAFF or principal.categories is None:
            return True
        async with self._database.read() as session:
            row = await session.one(
                f"""select 1 from conversation c where c.id = ({_BY_KIND[record]} limit 1)
                    and (c.category = any(%(categories)s) or c.speaker_account = %(account)s)""",
                {
                    "id": record_id,
                    "categories": sorted(principal.categories),
                    "account": UUID(principal.id),
                },
            )
        return row is not None
