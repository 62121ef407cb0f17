"""Hearing a turn out when a human takes over, in whichever process it runs.

The take-over's commit stops new sentences by itself. What is left is the moment between an earlier
sentence's commit and its bytes: the process that runs the turn, or has just run it, waits until they
have left, and says so. A lost notification costs the wait's length, never a sentence.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.serve.conversations.contracts import TurnId
from steward.serve.turn.running import RunningTurn
from steward.serve.workflows.contracts import Liveness

CHANNEL = "steward_silence"
PLEASE, DONE = "please", "done"
ANSWER_WITHIN_S = 1.0
ON_THE_WAY = timedelta(seconds=2)
"""How old a turn's last words are at most while they may still be on their way to the customer."""
KEPT = 1_000
_LATEST = """
    select c.turn_id, c.turn_holder, said.turn_id, said.at
    from conversation c left join lateral (
        select m.turn_id, m.at from message m
        where m.conversation_id = c.id and m.role = 'assistant' order by m.seq desc limit 1) said on true
    where c.id = %s"""


@dataclass(frozen=True, slots=True)
class Latest:
    """The turn that this process ran last in a conversation."""

    turn_id: TurnId
    running: RunningTurn


class Silencing:
    """Knows the turns run here, and asks the other processes for theirs; built once."""

    def __init__(self, *, database: Database, liveness: Liveness, clock: Clock) -> None:
        self._database = database
        self._liveness = liveness
        self._clock = clock
        self._latest: OrderedDict[UUID, Latest] = OrderedDict()
        self._answered: dict[UUID, asyncio.Event] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def began(self, conversation_id: UUID, turn_id: TurnId, running: RunningTurn) -> None:
        """Note that a turn runs here."""
        self._latest[conversation_id] = Latest(turn_id, running)
        self._latest.move_to_end(conversation_id)
        while len(self._latest) > KEPT:
            self._latest.popitem(last=False)

    def forget_finished(self) -> None:
        """Drop the words of turns that have ended; somebody was erased and they may be theirs."""
        for conversation_id, latest in list(self._latest.items()):
            if latest.running.is_over:
                del self._latest[conversation_id]

    async def silence(self, conversation_id: UUID) -> None:
        """Return once a conversation's followers have been sent everything that was committed."""
        latest = self._latest.get(conversation_id)
        if latest is not None:
            await latest.running.drained()
        turn_id = await self._elsewhere(conversation_id)
        if turn_id is not None and (latest is None or turn_id != latest.turn_id):
            await self._ask(turn_id, conversation_id)

    async def listen(self) -> None:
        """Answer the other processes until the task that runs this is cancelled."""
        await self._database.listen(CHANNEL, self._heard)

    async def _elsewhere(self, conversation_id: UUID) -> UUID | None:
        """Return the conversation's latest turn, if another process may have words of it on their way."""
        async with self._database.read() as session:
            row = await session.one(_LATEST, (conversation_id,))
            if row is None:
                return None
            turn_id, holder, said_in, said_at = row
            if turn_id is not None:
                alive = holder is not None and await self._liveness.is_alive(session, holder)
                return turn_id if alive else None
        return said_in if said_in is not None and self._clock.now() - said_at < ON_THE_WAY else None

    async def _ask(self, turn_id: UUID, conversation_id: UUID) -> None:
        answered = self._answered.setdefault(turn_id, asyncio.Event())
        try:
            await self._tell(PLEASE, turn_id, conversation_id)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await answered.wait()
        except TimeoutError:
            return
        finally:
            self._answered.pop(turn_id, None)

    async def _heard(self, payload: str) -> None:
        what, turn, conversation = payload.split(":")
        turn_id, conversation_id = UUID(turn), UUID(conversation)
        if what == DONE and (answered := self._answered.get(turn_id)) is not None:
            answered.set()
        latest = self._latest.get(conversation_id)
        if what == PLEASE and latest is not None and latest.turn_id == turn_id:
            task = asyncio.create_task(self._answer(latest.running, turn_id, conversation_id))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, running: RunningTurn, turn_id: UUID, conversation_id: UUID) -> None:
        await running.drained()
        await self._tell(DONE, turn_id, conversation_id)

    async def _tell(self, what: str, turn_id: UUID, conversation_id: UUID) -> None:
        async with self._database.write() as session:
            await session.notify(CHANNEL, f"{what}:{turn_id}:{conversation_id}")
