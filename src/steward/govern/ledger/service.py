"""Writing to the ledger, reading it, and proving that it's whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.digests import canonical_json
from steward.base.ids import new_id
from steward.govern.ledger import queries
from steward.govern.ledger.chain import Walk, entry_digest
from steward.govern.ledger.contracts import GENESIS, Entry, Head, Row, State, Tail, Verdict
from steward.govern.ledger.signatures import is_trusted
from steward.govern.ledger.unsigned import next_segment

TELL_EVERY = 5000


class Ledger:
    """The one hash chain of an installation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def append(self, session: WriteSession, entry: Entry) -> UUID:
        """Write an entry in the caller's transaction and return its id.

        One insert without a lock; a `Chainer` links it as soon as the transaction has committed.
        """
        identifier, at = new_id(self._clock), self._clock.now()
        digest = entry_digest(entry, id=identifier, at=at)
        details = canonical_json(dict(entry.details)).decode()
        await session.execute(
            queries.APPEND, [identifier, at, entry.actor, entry.deed, entry.subject, details, digest]
        )
        return identifier

    async def head(self, session: ReadSession) -> Head:
        """Return the end of the chain; position 0 when nothing is linked."""
        row = await session.one(queries.HEAD)
        return Head(0, GENESIS) if row is None else Head(row[0], bytes(row[1]))

    async def state(self, session: ReadSession) -> State:
        """Return the chain's end, what waits to be linked, and the newest signed head."""
        tail = await session.one(queries.TAIL)
        signed = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
        return State(await self.head(session), Tail(*(tail or (0, None))), signed)

    async def verify(
        self,
        session: ReadSession,
        *,
        remembered: Sequence[Head] = (),
        public_key: bytes | None = None,
        start: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> Verdict:
        """Walk the chain in constant memory and say where it first breaks.

        Args:
            session: where to read.
            remembered: heads that were seen earlier and kept elsewhere; without one, rows cut off behind
                the newest signed head can't be noticed.
            public_key: the installation's, which every signed head must be of; None takes the first one's.
            start: begin here, or at the signed head before; what lies before it is taken as good.
            progress: told every so often how many links of how many are checked.
        """
        # Read before the links: a head that is signed meanwhile covers links that this walk doesn't see.
        newest = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
        begins = await self._beginning(session, start, public_key)
        count = await session.one(queries.COUNT)
        last = count[0] if count else 0
        heads = [head for head in remembered if begins is None or head.position > begins.position]
        walk = Walk(heads, public_key=public_key, start=begins)
        checked = begins.position if begins else 0
        async for row in session.stream(queries.IN_ORDER, [checked]):
            link = queries.link_of(row[:5])
            walk.take(link, queries.entry_of(row[5:12]), queries.checkpoint_of(row[12:]))
            checked += 1
            if progress is not None and checked % TELL_EVERY == 0:
                progress(checked, last)
        walk.ends(newest)
        return await self._with_the_rest(session, walk)

    async def verify_end(self, session: ReadSession, *, public_key: bytes | None = None) -> Verdict:
        """Check the chain from the signed head before the newest one on; quick however long the ledger is."""
        newest = queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
        return await self.verify(session, public_key=public_key, start=newest.position if newest else 1)

    async def fault_of_unsigned(self, session: ReadSession, *, public_key: bytes) -> str | None:
        """Say why no head can be signed over the newest rows; None where one can, or all have one."""
        segment = await next_segment(session, public_key=public_key)
        return None if segment is None else segment.fault

    async def recent(
        self,
        session: ReadSession,
        *,
        limit: int = 100,
        before: UUID | None = None,
        actor: str | None = None,
        subject: str | None = None,
        deed: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Row, ...]:
        """Return entries, newest first, written before the entry `before`; linked or not.

        `deed` is a whole deed (`account.disabled`) or its noun (`account`).
        """
        parameters = {
            "limit": limit,
            "before": before,
            "actor": actor,
            "subject": subject,
            "deed": deed,
            "deeds": None if deed is None else deed.replace("_", r"\_").replace("%", r"\%") + ".%",
            "since": since,
            "until": until,
        }
        return tuple(queries.row_of(row) for row in await session.all(queries.RECENT, parameters))

    async def find(self, session: ReadSession, entry: UUID) -> Row | None:
        """Return one entry, None where there is none of this id."""
        row = await session.one(queries.FOUND, [entry])
        return None if row is None else queries.row_of(row)

    async def deeds(self, session: ReadSession) -> tuple[str, ...]:
        """Return every deed that was ever written, by name."""
        return tuple(row[0] for row in await session.all(queries.DEEDS))

    async def _beginning(self, session: ReadSession, start: int, key: bytes | None) -> Head | None:
        """Return the signed head before a position; None, for the very beginning, where none is trusted."""
        signed = queries.checkpoint_of(await session.one(queries.CHECKPOINT_BELOW, [start]))
        if signed is None or not is_trusted(signed, key):
            return None
        return Head(signed.position, signed.head)

    async def _with_the_rest(self, session: ReadSession, walk: Walk) -> Verdict:
        """Look at the entries that no link names: those that wait, and those that shouldn't be there."""
        if walk.has_fault:
            return walk.verdict()
        waiting = 0
        async for row in session.stream(queries.TAIL_IN_ORDER):
            waiting += 1
            walk.waits(row[0], bytes(row[1]), queries.entry_of(row[2:]))
        if not walk.has_fault:
            stray = await session.one(queries.STRAY)
            if stray is not None:
                walk.stray(*stray)
        return walk.verdict(tail=waiting)
