"""Writes conversations and turns straight into the tables, one at a time, as a test tells them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.base.ids import new_id

ASSISTANT = "northline"
RELEASE = "r1"


class Logbook:
    """What happened so far; times are the clock's unless said."""

    def __init__(self, database: PooledDatabase, clock: FixedClock) -> None:
        self._database = database
        self.clock = clock

    async def begin(self) -> None:
        """Store the release and the reviewer that everything refers to."""
        await self._run(
            """insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at,
                   created_by) values (%s, %s, 1, '{}', '', 's', %s, 'test')""",
            (RELEASE, ASSISTANT, self.clock.now()),
        )

    async def account(self) -> UUID:
        """Store a reviewer."""
        account = new_id(self.clock)
        await self._run(
            "insert into account (id, login, name, role, created_at) values (%s, %s, 'Rea', 'reviewer', %s)",
            (account, account.hex, self.clock.now()),
        )
        return account

    async def customer(self) -> UUID:
        """Store a customer."""
        customer = new_id(self.clock)
        await self._run(
            "insert into customer (id, verified, created_at) values (%s, true, %s)",
            (customer, self.clock.now()),
        )
        return customer

    async def conversation(self, customer: UUID | None = None, **changed: Any) -> UUID:
        """Store a conversation that was closed five minutes after it opened, unless `changed` says else."""
        opened = changed.get("opened_at", self.clock.now())
        row = {
            "id": new_id(self.clock),
            "customer_id": customer or await self.customer(),
            "assistant": ASSISTANT,
            "release_id": RELEASE,
            "channel": "web",
            "verified": True,
            "category": "billing",
            "intent": "invoice_copy",
            "opened_at": opened,
            "last_at": opened + timedelta(minutes=4),
            "closed_at": opened + timedelta(minutes=5),
            "state": "closed",
            "next_seq": 3,
            **changed,
        }
        await self._insert("conversation", row)
        return UUID(str(row["id"]))

    async def turn(self, conversation: UUID, **changed: Any) -> UUID:
        """Store an answered turn of half a second, unless `changed` says else."""
        started = changed.get("started_at", self.clock.now())
        row = {
            "id": new_id(self.clock),
            "conversation_id": conversation,
            "message_id": conversation,
            "release_id": RELEASE,
            "assistant": ASSISTANT,
            "arm": "baseline",
            "channel": "web",
            "simulated": False,
            "category": "billing",
            "outcome": "answered",
            "reason": "intent",
            "cost": Decimal("0.001"),
            "currency": "GBP",
            "mask_ms": 1.0,
            "first_token_ms": 200.0,
            "total_ms": 500.0,
            "started_at": started,
            "finished_at": started + timedelta(milliseconds=500),
            **changed,
        }
        await self._insert("turn", row)
        return UUID(str(row["id"]))

    async def handover(
        self, conversation: UUID, *, taken_at: datetime | None = None, ended_at: datetime | None = None
    ) -> None:
        """Store a hand-over asked for now."""
        await self._insert(
            "handover",
            {
                "id": new_id(self.clock),
                "conversation_id": conversation,
                "queue": "general",
                "reason": "asked_for_human",
                "asked_at": self.clock.now(),
                "taken_at": taken_at,
                "ended_at": ended_at,
            },
        )

    async def human_words(self, conversation: UUID) -> None:
        """Store a human's message, said now."""
        await self._insert(
            "message",
            {
                "id": new_id(self.clock),
                "conversation_id": conversation,
                "seq": 7,
                "role": "human",
                "epoch": 1,
                "body": b"",
                "at": self.clock.now(),
            },
        )

    async def rate(self, conversation: UUID, csat: int) -> None:
        """Store a survey's answer, given now."""
        row = {
            "id": new_id(self.clock), "conversation_id": conversation, "csat": csat, "at": self.clock.now()
        }  # fmt: skip
        await self._insert("feedback", row)

    async def thumb(self, conversation: UUID, turn: UUID, thumb: str) -> None:
        """Store a thumb, given now."""
        await self._insert(
            "feedback",
            {
                "id": new_id(self.clock),
                "conversation_id": conversation,
                "turn_id": turn,
                "thumb": thumb,
                "at": self.clock.now(),
            },
        )

    async def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        places = ", ".join(["%s"] * len(row))
        await self._run(f"insert into {table} ({names}) values ({places})", tuple(row.values()))

    async def _run(self, sql: str, values: tuple[Any, ...]) -> None:
        async with self._database.write() as session:
            await session.execute(sql, values)
