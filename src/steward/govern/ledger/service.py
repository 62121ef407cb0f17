"""Writing to the ledger, reading it, and proving that it's whole."""

from __future__ import annotations

from typing import Any

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.digests import canonical_json
from steward.govern.ledger import queries
from steward.govern.ledger.chain import Walk, digest_of
from steward.govern.ledger.contracts import GENESIS, Entry, Head, Row, Verdict

_LOCK = 0x7374_6577_6172_64
"""The advisory lock that puts writers in a row: the letters of the product's name."""


class Ledger:
    """The one hash chain of an installation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def append(self, session: WriteSession, entry: Entry) -> int:
        """Write an entry in the caller's transaction and return its position.

        Writers wait for each other from here to the end of their transactions: append last.
        """
        # The head is read by a statement of its own: its snapshot must be younger than the lock.
        await session.one(queries.LOCK, [_LOCK])
        head = await self.head(session)
        position = head.position + 1
        at = self._clock.now()
        digest = digest_of(entry, position=position, at=at, previous=head.digest)
        details = canonical_json(dict(entry.details)).decode()
        await session.execute(
            queries.INSERT,
            [position, at, entry.actor, entry.deed, entry.subject, details, head.digest, digest],
        )
        return position

    async def head(self, session: ReadSession) -> Head:
        """Return the end of the chain; position 0 when the ledger is empty."""
        row = await session.one(queries.HEAD)
        return Head(0, GENESIS) if row is None else Head(row[0], bytes(row[1]))

    async def verify(self, session: ReadSession, *, remembered: Head | None = None) -> Verdict:
        """Walk the whole chain in constant memory and say where it first breaks.

        Args:
            session: where to read.
            remembered: a head that was seen earlier and kept elsewhere; without it, rows cut off
                at the end can't be noticed.
        """
        walk = Walk(remembered)
        async for row in session.stream(queries.IN_ORDER):
            walk.take(_row(row))
        return walk.verdict()

    async def recent(
        self,
        session: ReadSession,
        *,
        limit: int = 100,
        before: int | None = None,
        actor: str | None = None,
        subject: str | None = None,
        deed: str | None = None,
    ) -> tuple[Row, ...]:
        """Return rows, newest first, below the position `before`.

        `deed` is a whole deed (`account.disabled`) or its noun (`account`).
        """
        parameters = {"limit": limit, "before": before, "actor": actor, "subject": subject, "deed": deed}
        return tuple(_row(row) for row in await session.all(queries.RECENT, parameters))


def _row(row: tuple[Any, ...]) -> Row:
    position, at, actor, deed, subject, details, previous, digest = row
    return Row(position, at, actor, deed, subject, details, bytes(previous), bytes(digest))
