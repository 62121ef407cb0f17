"""Finding the customers that somebody means."""

from __future__ import annotations

from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.retention import queries
from steward.govern.retention.contracts import Customers
from steward.govern.retention.errors import NoSuchCustomer


async def find(session: ReadSession, customer: str, customers: Customers) -> tuple[UUID, ...]:
    """Return the customers that a reference or an id means.

    A reference finds two: who proved it, and who only typed it.

    Raises:
        NoSuchCustomer: there is none.
    """
    found = list(await customers.find_customers(session, customer))
    if (identifier := _as_id(customer)) is not None:
        row = await session.one(queries.KNOWN_CUSTOMER, (identifier,))
        found += [row[0]] if row is not None else []
    if not found:
        raise NoSuchCustomer
    return tuple(sorted(dict.fromkeys(found)))


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
