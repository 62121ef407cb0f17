"""Legal holds: what keeps a customer's data whatever the rules say."""

from __future__ import annotations

from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.retention import queries
from steward.govern.retention.contracts import Customers, Hold
from steward.govern.retention.errors import (
    AlreadyHeld,
    BadHoldReason,
    BeingErased,
    NoSuchCustomer,
    NotHeld,
)
from steward.govern.retention.finding import find

MOST_REASON = 200


class Holds:
    """The service; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock, ledger: Ledger, customers: Customers) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._customers = customers

    async def place(self, customer: str, *, reason: str, actor: str) -> tuple[UUID, ...]:
        """Keep everything of a customer until the hold is lifted; return whom it is about.

        Raises:
            NoSuchCustomer: nothing is known by this reference.
            BadHoldReason: it is empty or too long.
            AlreadyHeld: a hold is in force for all of them.
            BeingErased: an erasure has begun.
        """
        if not 0 < len(reason.strip()) <= MOST_REASON:
            raise BadHoldReason
        async with self._database.write() as session:
            found = await find(session, customer, self._customers)
            customers = tuple(row[0] for row in await session.all(queries.LOCK_CUSTOMERS, (list(found),)))
            erased = await session.one(queries.IS_ERASED, (list(found),))
            if erased is not None and erased[0]:
                raise BeingErased
            if not customers:
                raise NoSuchCustomer
            placed = 0
            for customer_id in customers:
                values = {"id": new_id(self._clock), "customer": customer_id, "reason": reason.strip()}
                if await session.execute(
                    queries.PLACE_HOLD, {**values, "at": self._clock.now(), "by": actor}
                ):
                    placed += 1
                    entry = Entry(actor, "hold.placed", f"customer:{customer_id}", {})
                    await self._ledger.append(session, entry)
            if not placed:
                raise AlreadyHeld
        return customers

    async def lift(self, customer: str, *, actor: str) -> tuple[UUID, ...]:
        """Let the rules hold again for a customer.

        Raises:
            NoSuchCustomer: nothing is known by this reference.
            NotHeld: no hold is in force.
        """
        async with self._database.write() as session:
            customers = await find(session, customer, self._customers)
            values = {"customers": list(customers), "at": self._clock.now(), "by": actor}
            lifted = await session.all(queries.LIFT_HOLDS, values)
            if not lifted:
                raise NotHeld
            for (customer_id,) in lifted:
                entry = Entry(actor, "hold.lifted", f"customer:{customer_id}", {})
                await self._ledger.append(session, entry)
        return customers

    async def listed(self) -> tuple[Hold, ...]:
        """List the holds in force, the latest first."""
        async with self._database.read() as session:
            return tuple(Hold(*row) for row in await session.all(queries.HOLDS))
