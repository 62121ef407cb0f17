"""A customer who says what they came to say, over one connection after another, and keeps what they heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.prove.client import Broken, Client
from tests.prove.company import Customer

ATTEMPTS = 40


@dataclass(slots=True)
class Sent:
    """One message, and what came back before the connection broke or the turn was done."""

    text: str
    key: str
    acknowledged: bool = False
    heard: str = ""
    acting: bool = False
    turn: str | None = None
    outcome: str | None = None


@dataclass(slots=True)
class Telling:
    """One conversation's way through its lines."""

    conversation: str
    lines: Sequence[str]
    sent: list[Sent] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether every line was answered, or a human is to take over."""
        if self.sent and self.sent[-1].outcome in ("handed_over", "failed", "silent"):
            return True
        return len(self.sent) == len(self.lines) and self.sent[-1].turn is not None

    async def go_on(self, client: Client) -> bool:
        """Say what is left to say, a message without its `done` again; tells whether it got through."""
        try:
            while not self.finished:
                if not self.sent or self.sent[-1].turn is not None:
                    self.sent.append(Sent(self.lines[len(self.sent)], f"line-{len(self.sent)}"))
                await self._send(client, self.sent[-1])
        except (Broken, OSError):
            return False
        return True

    async def insist(self, client: Client) -> None:
        """Go on until everything is said, over as many connections as it takes."""
        for _ in range(ATTEMPTS):
            if await self.go_on(client):
                return
            await asyncio.sleep(0.25)
        self.problems.append(f"{self.conversation}: never got through")

    async def compare(self, client: Client) -> None:
        """Compare what is stored with what was acknowledged and heard."""
        stored = await client.messages(self.conversation)
        mine = {str(item["text"]): item for item in stored if item["role"] == "customer"}
        if len(mine) != sum(item["role"] == "customer" for item in stored):
            self.problems.append(f"{self.conversation}: a message is stored twice")
        for sent in self.sent:
            found = mine.get(sent.text)
            if found is None:
                if sent.acknowledged:
                    self.problems.append(f"{self.conversation}: lost the acknowledged message {sent.key}")
                continue
            if sent.turn is None:
                continue
            if found["turn_id"] != sent.turn:
                self.problems.append(f"{self.conversation}: {sent.key} became another turn")

    async def _send(self, client: Client, sent: Sent) -> None:
        before, again = sent.heard, ""
        async for event in client.say(self.conversation, sent.text, sent.key):
            sent.acknowledged = True
            if event.name == "delta":
                again += str(event.data["text"])
                sent.heard = again if len(again) > len(before) else before
            elif event.name == "action":
                sent.acting = event.data["state"] == "sent"
            elif event.name == "done":
                sent.turn, sent.outcome = str(event.data["turn_id"]), str(event.data["outcome"])
        if not again.startswith(before):
            self.problems.append(
                f"{self.conversation}: {sent.key} was told differently: {before!r} and {again!r}"
            )
        sent.heard = again


def refund_lines(who: Customer) -> tuple[str, ...]:
    """Return what a customer says to get their second payment back."""
    return (
        "How long does a refund take to arrive?",
        "I was charged twice this month",
        "yes please",
        who.account,
        who.postcode,
        "yes",
    )
