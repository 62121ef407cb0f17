"""The chainer: links committed entries in batches, and signs the chain's head now and then.

Every process may run one; a lock makes them one at a time, and PostgreSQL drops it with its holder's
transaction. A chainer that is killed leaves no half of a batch: links appear and entries leave the tail
in one transaction. An entry whose transaction commits late is linked late; it can't be missed, because it
stays in the tail until it is.

Before a head is signed, the entries and links under it are recomputed from their rows. Where one doesn't fit,
no head is signed any more; the log, a figure and the ledger's page tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.errors import StewardError
from steward.govern.ledger import queries
from steward.govern.ledger.chain import link_digest
from steward.govern.ledger.contracts import GENESIS, Checkpoint, Head, Signature, Signer
from steward.govern.ledger.errors import BrokenLedger
from steward.govern.ledger.signatures import checkpoint_message
from steward.govern.ledger.unsigned import Segment, next_segment
from steward.govern.ledger.witness import Witness

LOOK_EVERY_S: Final = 0.2
"""How often a process looks for entries to link: the age of the tail is about this."""
BATCH: Final = 2000
SIGN_AFTER_LINKS: Final = 1000
SIGN_AFTER: Final = timedelta(seconds=60)
LOOK_AGAIN_AFTER: Final = timedelta(seconds=60)
"""How long a ledger that was found broken is left before it's looked at again."""
_LOCK: Final = 0x7374_6577_6172_64
"""The advisory lock of the chain: the letters of the product's name."""
log = structlog.get_logger(__name__)


class Chainer:
    """Keeps the chain linked, and signed where it's given a signer."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        signer: Signer | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self._witness = witness
        self._broken: BrokenLedger | None = None
        self._found_at: datetime | None = None

    def count_into(self, registry: CollectorRegistry) -> None:
        """Tell Prometheus whether the ledger was found broken when its head was to be signed."""
        gauge = Gauge(
            "steward_ledger_broken",
            "1 while no head is signed because rows of the ledger aren't as they were written.",
            registry=registry,
        )
        gauge.set_function(lambda: float(self._broken is not None))

    async def run(self) -> None:
        """Link until cancelled, and sign beside it: a head that is checked keeps no entry waiting."""
        works = [self._link_all] if self._signer is None else [self._link_all, self._sign_when_due]
        await asyncio.gather(*(_again_and_again(work) for work in works))

    async def _link_all(self) -> None:
        while await self.link() == BATCH:
            pass

    async def _sign_when_due(self) -> None:
        if not self._was_broken_lately():
            await self.sign(only_when_due=True)

    async def finish(self) -> None:
        """Link what has committed and sign the head: before a process ends, or before a proof is made.

        A ledger that is broken stays unsigned, which is logged: the process ends all the same.
        """
        if self._signer is not None:
            # The key is made at its first use, with an entry of its own that is to be linked as well.
            await self._signer.public_key()
        while await self.link(patiently=True) == BATCH:
            pass
        if self._signer is not None:
            try:
                await self.sign()
            except BrokenLedger as error:
                log.error("ledger_broken", sentence=str(error))

    async def link(self, *, patiently: bool = False) -> int:
        """Link one batch and return how many entries it was; 0 where another process is at it.

        Args:
            patiently: wait for the other process.
        """
        async with self._database.read() as session:
            if await session.one(queries.HAS_TAIL) is None:
                return 0
        async with self._database.write() as session:
            if not await _locked(session, patiently=patiently):
                return 0
            return await self._link_batch(session)

    async def sign(self, *, only_when_due: bool = False) -> Checkpoint | None:
        """Sign the head and tell the witness; None where nothing is new, or where it isn't due yet.

        Raises:
            BrokenLedger: an entry or a link that the head would cover isn't as it was written.
        """
        if self._signer is None:
            raise ValueError("a chainer without a signer can't sign")
        if not await self._is_due(only_when_due=only_when_due):
            return None
        made: Checkpoint | None = None
        # Not while the chain is locked: the key is read or made at its first use, and checking takes a while.
        public_key = await self._signer.public_key()
        while True:
            async with self._database.read() as session:
                segment = await next_segment(session, public_key=public_key)
            self._note(segment)
            if segment is None:
                return made
            checkpoint = await self._sign_segment(segment, self._signer)
            if checkpoint is not None:
                made = checkpoint
                await self._tell(made)

    async def _link_batch(self, session: WriteSession) -> int:
        row = await session.one(queries.HEAD)
        head = Head(0, GENESIS) if row is None else Head(row[0], bytes(row[1]))
        waiting = await session.all(queries.WAITING, [BATCH])
        if not waiting:
            return 0
        position, previous = head.position, head.digest
        befores, digests = [], []
        for _, entry, digest in waiting:
            position += 1
            befores.append(previous)
            previous = link_digest(position=position, entry=entry, digest=bytes(digest), previous=previous)
            digests.append(previous)
        positions = list(range(head.position + 1, position + 1))
        await session.execute(queries.PUT_LINKS, [positions, [row[1] for row in waiting], befores, digests])
        await session.execute(queries.LET_GO, [[row[0] for row in waiting]])
        return len(waiting)

    async def _is_due(self, *, only_when_due: bool) -> bool:
        async with self._database.read() as session:
            count = await session.one(queries.COUNT)
            newest = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
        new = (count[0] if count else 0) - (newest.position if newest else 0)
        if new <= 0 or not only_when_due:
            return new != 0
        waited = newest is None or self._clock.now() - newest.at >= SIGN_AFTER
        return waited or new >= SIGN_AFTER_LINKS

    async def _sign_segment(self, segment: Segment, signer: Signer) -> Checkpoint | None:
        """Sign what was checked; None where another process has signed meanwhile."""
        unsigned = Checkpoint(
            first=segment.first,
            position=segment.position,
            at=self._clock.now(),
            head=segment.head,
            root=segment.root,
            signature=Signature(b"", b""),
        )
        async with self._database.write() as session:
            await _locked(session, patiently=True)
            newest = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
            if (newest.position if newest else 0) != segment.first - 1:
                return None
            given = await signer.sign(checkpoint_message(unsigned))
            signed = replace(unsigned, signature=Signature(given.public_key, given.signature))
            await session.execute(
                queries.PUT_CHECKPOINT,
                [
                    signed.first,
                    signed.position,
                    signed.at,
                    signed.head,
                    signed.root,
                    signed.signature.public_key,
                    signed.signature.signature,
                ],
            )
        return signed

    def _note(self, segment: Segment | None) -> None:
        """Keep in mind whether the ledger is broken.

        Raises:
            BrokenLedger: it is.
        """
        if segment is None or segment.fault is None:
            self._broken = self._found_at = None
            return
        self._broken, self._found_at = BrokenLedger(segment.fault), self._clock.now()
        raise self._broken

    def _was_broken_lately(self) -> bool:
        return self._found_at is not None and self._clock.now() - self._found_at < LOOK_AGAIN_AFTER

    async def _tell(self, checkpoint: Checkpoint) -> None:
        # The next head covers this one: a witness that is away for a while misses nothing that matters.
        if self._witness is None:
            return
        try:
            await self._witness.take(checkpoint)
        except (OSError, StewardError) as error:
            log.warning("ledger_witness_away", sentence=str(error))


async def _locked(session: WriteSession, *, patiently: bool) -> bool:
    row = await session.one(queries.LOCK if patiently else queries.TRY_LOCK, [_LOCK])
    return patiently or bool(row and row[0])


async def _again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    """Do it five times a second; a failure is logged and tried again, a named isolation point."""
    while True:
        try:
            await work()
        except BrokenLedger as error:
            log.error("ledger_broken", sentence=str(error))
        except StewardError as error:
            log.warning("ledger_not_chained", sentence=str(error))
        except Exception:  # the isolation point of a round: entries wait for the next one
            log.exception("ledger_not_chained")
        await asyncio.sleep(LOOK_EVERY_S)
