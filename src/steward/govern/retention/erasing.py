"""Taking a person out for good: everything in one transaction, exactly once, with a certificate.

First the conversations are closed and running turns are waited for, in transactions of their own. Then one
transaction deletes every row, writes the certificate and the ledger's entry. A process that dies before its
commit has erased nothing and leaves the erasure begun; erasing again, or the daily round, goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.retention import queries
from steward.govern.retention.certificate import Certificate, Facts, content_of, signed_bytes
from steward.govern.retention.contracts import (
    ERASED_CHANNEL,
    Customers,
    ErasureLine,
    Ground,
    Halting,
    Purger,
    Signer,
    TrainedModel,
    TrainedOn,
)
from steward.govern.retention.errors import (
    ActionsUndecided,
    BadGround,
    NoSuchCustomer,
    NoSuchErasure,
    TurnStillRunning,
    UnderHold,
)
from steward.govern.retention.exporting import select_exports
from steward.govern.retention.finding import find

WAIT_FOR_TURNS_S: Final = 30.0
LOOK_EVERY_S: Final = 0.1
Pause = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Begun:
    """An erasure under way."""

    id: UUID
    customers: tuple[UUID, ...]
    ground: str
    asked_by: str
    begun_at: datetime


class Erasing:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        customers: Customers,
        halting: Halting,
        purgers: Sequence[Purger],
        signer: Signer,
        trained: TrainedOn,
        backup_days: int | None,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Take the purgers in the order in which they erase: what others refer to comes last."""
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._customers = customers
        self._halting = halting
        self._purgers = tuple(purgers)
        self._signer = signer
        self._trained = trained
        self._backup_days = backup_days
        self._pause = pause

    async def erase(self, customer: str, *, ground: str, actor: str) -> Certificate:
        """Erase a customer everywhere and return the certificate.

        Args:
            customer: the reference as the company knows it, or a customer's id.
            ground: one of `Ground`.
            actor: who asks, as the ledger names callers.

        Raises:
            BadGround: the ground isn't one of the law's.
            NoSuchCustomer: nothing is known by this reference.
            UnderHold: a legal hold keeps the data.
            ActionsUndecided: nobody knows yet what became of an action.
            TurnStillRunning: a turn didn't end in time.
        """
        if ground not in set(Ground):
            raise BadGround(ground)
        async with self._database.write() as session:
            found = await find(session, customer, self._customers)
            begun = await self._begin(session, found, ground=ground, actor=actor)
        certificate = await self.finish(begun)
        # One of the customers may have been begun with alone before; that erasure has its own certificate.
        for other in await self.unfinished():
            if not set(begun.customers).isdisjoint(other.customers):
                await self.finish(other)
        return certificate

    async def unfinished(self) -> tuple[Begun, ...]:
        """Return erasures that were begun and not finished."""
        async with self._database.read() as session:
            return tuple(
                [
                    Begun(row[0], await _customers_of(session, row[0]), row[2], row[3], row[1])
                    for row in await session.all(queries.BEGUN)
                ]
            )

    async def finish(self, begun: Begun) -> Certificate:
        """Wait for what still runs, then erase in one transaction."""
        models = await self._trained.models()
        await self._signer.sign(b"")  # makes or loads the key before the transaction, which takes no other
        waited_s = 0.0
        while (certificate := await self._try(begun, models)) is None:
            waited_s = await self._wait(begun, waited_s)
        return certificate

    async def certificate(self, erasure_id: UUID) -> Certificate:
        """Return the certificate of a finished erasure.

        Raises:
            NoSuchErasure: there is none with this id.
        """
        async with self._database.read() as session:
            return await _certificate(session, erasure_id)

    async def listed(self, *, limit: int = 100) -> tuple[ErasureLine, ...]:
        """List erasures, the latest first."""
        async with self._database.read() as session:
            rows = await session.all(queries.ERASURES, (limit,))
        return tuple(
            ErasureLine(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6]), row[7]) for row in rows
        )

    async def _wait(self, begun: Begun, waited_s: float) -> float:
        """Return once no turn runs, with the time waited in all; looking locks nobody out."""
        running = 1
        while waited_s < WAIT_FOR_TURNS_S:
            await self._pause(LOOK_EVERY_S)
            waited_s += LOOK_EVERY_S
            async with self._database.read() as session:
                running = await self._halting.running(session, begun.customers)
            if not running:
                return waited_s
        raise TurnStillRunning(running, waited_s)

    async def _begin(self, session: WriteSession, found: Sequence[UUID], *, ground: str, actor: str) -> Begun:
        """Note that the customer is to be erased, or find that somebody has; close everything.

        Of two who ask at once the second waits for the customer's row, and goes on with what the first began.
        """
        await self._refuse(session, found)
        await self._halting.halt(session, found)
        customers = tuple(row[0] for row in await session.all(queries.LOCK_CUSTOMERS, (list(found),)))
        if not customers:
            raise NoSuchCustomer
        row = await session.one(queries.BEGUN_FOR, (list(customers),))
        if row is None:
            begun = Begun(new_id(self._clock), customers, ground, actor, self._clock.now())
            values = {"id": begun.id, "ground": ground, "by": actor, "at": begun.begun_at}
            await session.execute(queries.BEGIN_ERASURE, values)
        else:
            begun = Begun(row[0], customers, row[2], row[3], row[1])
        await session.execute(queries.ADD_CUSTOMER, {"erasure": begun.id, "customers": list(customers)})
        return begun

    async def _refuse(self, session: ReadSession, customers: Sequence[UUID]) -> None:
        row = await session.one(queries.HELD, (list(customers),))
        if row is not None and row[0]:
            raise UnderHold(row[0])
        if undecided := await self._halting.undecided(session, customers):
            raise ActionsUndecided(undecided)

    async def _try(self, begun: Begun, models: Sequence[TrainedModel]) -> Certificate | None:
        """Erase, unless a turn runs; None asks to come again."""
        async with self._database.write() as session:
            state = await session.one(queries.LOCK_ERASURE, (begun.id,))
            if state is None:
                raise NoSuchErasure(begun.id)
            if state[0] == "done":
                return await _certificate(session, begun.id)
            customers = await _customers_of(session, begun.id)
            # Conversations before customers: the order in which a message is taken in.
            await self._halting.halt(session, customers)
            await session.all(queries.LOCK_CUSTOMERS, (list(customers),))
            # One that was opened between the two locks is closed and waited for as well.
            await self._halting.halt(session, customers)
            if await self._halting.running(session, customers):
                return None
            await self._refuse(session, customers)
            return await self._erase(session, begun, customers, models)

    async def _erase(
        self,
        session: WriteSession,
        begun: Begun,
        customers: tuple[UUID, ...],
        models: Sequence[TrainedModel],
    ) -> Certificate:
        removed: dict[str, dict[str, int]] = {}
        kept: dict[str, int] = {}
        exports = await select_exports(session, customers=customers)
        for purger in self._purgers:
            for customer_id in customers:
                erased = await purger.erase(session, customer_id)
                _add(removed.setdefault(purger.name, {}), erased.removed)
                _add(kept, erased.kept)
        for customer_id in customers:
            await session.notify(ERASED_CHANNEL, str(customer_id))
        facts = Facts(
            erasure_id=begun.id,
            customers=customers,
            ground=begun.ground,
            asked_by=begun.asked_by,
            begun_at=begun.begun_at,
            finished_at=self._clock.now(),
            removed=removed,
            kept=kept,
            exports=exports,
            models=models,
            backup_days=self._backup_days,
        )
        return await self._certify(session, facts)

    async def _certify(self, session: WriteSession, facts: Facts) -> Certificate:
        content = content_of(facts)
        signed = await self._signer.sign(signed_bytes(content))
        certificate = Certificate(content, signed.public_key, signed.signature)
        await session.execute(
            queries.FINISH_ERASURE,
            {
                "id": facts.erasure_id,
                "at": facts.finished_at,
                "rows": facts.rows_gone,
                "content": content,
                "public_key": signed.public_key,
                "signature": signed.signature,
            },
        )
        details: dict[str, Detail] = {
            "customers": " ".join(str(customer) for customer in facts.customers),
            "ground": facts.ground,
            "rows": facts.rows_gone,
            "certificate": certificate.digest,
            "key": signed.key_id,
        }
        entry = Entry(facts.asked_by, "customer.erased", f"erasure:{facts.erasure_id}", details)
        await self._ledger.append(session, entry)
        return certificate


async def _customers_of(session: ReadSession, erasure_id: UUID) -> tuple[UUID, ...]:
    return tuple(row[0] for row in await session.all(queries.CUSTOMERS_OF, (erasure_id,)))


async def _certificate(session: ReadSession, erasure_id: UUID) -> Certificate:
    row = await session.one(queries.CERTIFICATE, (erasure_id,))
    if row is None:
        raise NoSuchErasure(erasure_id)
    return Certificate(bytes(row[0]), bytes(row[1]), bytes(row[2]))


def _add(sums: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, rows in counts.items():
        sums[name] = sums.get(name, 0) + rows
