"""Turns: taking a message in, running its turn apart from the client, and telling it again.

A turn goes on when its client is gone. Whoever asks with the same key follows the running turn,
waits for it, or hears the stored one. A turn whose process died is finished by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.digests import sha256_hex
from steward.base.ids import new_id
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.tokens import tokens_in
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    Citation,
    Conversation,
    Delta,
    Event,
    MessageId,
    MessageRole,
    Outcome,
    Question,
    TurnId,
)
from steward.serve.conversations.queries import lock_conversation, select_turn_messages
from steward.serve.conversations.service import Conversations
from steward.serve.conversations.speech import open_body, open_events, open_words, say
from steward.serve.conversations.turn_ends import end_silently
from steward.serve.conversations.turn_records import TurnRow, select_turn
from steward.serve.turn.endings import reason_of
from steward.serve.turn.pipeline import Pipeline
from steward.serve.turn.placing import Placed, Placing
from steward.serve.turn.receive import (
    Received,
    Said,
    history_of,
    human_speaks,
    read_history,
    read_sent,
    receive,
    said_before,
)
from steward.serve.turn.record import Findings, done_of, ended
from steward.serve.turn.route import Routed, route
from steward.serve.turn.running import RunningTurn
from steward.serve.turn.runtime import Runtime, Runtimes
from steward.serve.turn.silencing import Silencing
from steward.serve.turn.telemetry import TurnTelemetry
from steward.serve.turn.timing import Notes, Stage
from steward.serve.turn.understand import begin_embedding
from steward.serve.workflows.contracts import Liveness
from steward.serve.workflows.runs import Runs

TURN_DEADLINE_S = 90.0
LOOK_AGAIN_S = 0.1
"""How often a message that waits for the turn before it looks whether it may begin."""

log = structlog.get_logger(__name__)


class NotReady(Exception):
    """The release that answers isn't built yet."""

    def __init__(self, release_id: str) -> None:
        self.release_id = release_id


@dataclass(frozen=True, slots=True)
class Pending:
    """A stored message whose turn is to be run."""

    message_id: MessageId
    turn_id: TurnId
    seq: int
    body: bytes


def key_digest(key: str) -> str:
    """Return what is stored of a client's key, which is the client's own choice of words."""
    return sha256_hex(key.encode(errors="replace"))[:32]


class Turns:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        conversations: Conversations,
        runtimes: Runtimes,
        runs: Runs,
        pipeline: Pipeline,
        liveness: Liveness,
        silencing: Silencing,
        placing: Placing,
        telemetry: TurnTelemetry,
        assistant: str,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._conversations = conversations
        self._runtimes = runtimes
        self._runs = runs
        self._pipeline = pipeline
        self._liveness = liveness
        self._silencing = silencing
        self._placing = placing
        self._telemetry = telemetry
        self._assistant = assistant
        self._running: dict[TurnId, RunningTurn] = {}
        self._starting: set[TurnId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def message(self, conversation_id: UUID, text: str, *, key: str) -> AsyncIterator[Event]:
        """Take a message in and yield its turn's events, in the customer's own words.

        The first event acknowledges: the message is stored, and its turn will be finished whatever
        happens. The last is `Done`; a stream without it broke, and the same key gives the turn again.
        """
        customer_id, turn_id = await self._begin(conversation_id, text, key_digest(key))
        async for event in self._events_of(conversation_id, turn_id):
            yield await self._restored(customer_id, event)

    async def route(self, text: str) -> Routed:
        """Classify a text without a conversation; nothing is stored."""
        opening = await self._runtimes.opening(self._assistant)
        return await route(text, await self._runtimes.of(opening.release_id))

    async def recover(self) -> int:
        """Begin the turns of messages that nobody is busy with; return how many were found."""
        async with self._database.read() as session:
            rows = await session.all(
                """select c.id, c.turn_id, c.turn_holder from conversation c where c.turn_holder is not null
                   union all
                   select distinct m.conversation_id, null::uuid, null::bigint
                   from message m join conversation c on c.id = m.conversation_id
                   where m.pending and c.turn_id is null"""
            )
            left = [
                conversation_id
                for conversation_id, turn_id, holder in rows
                if turn_id is None or await self._abandoned(session, turn_id, holder)
            ]
        return sum([await self._take_next(conversation_id) for conversation_id in left])

    async def finish(self, *, within_s: float) -> None:
        """Wait for running turns to end, at most so long; what is left is finished after a restart."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    # ------------------------------------------------------------ taking a message in

    async def _begin(self, conversation_id: UUID, text: str, client_key: str) -> tuple[CustomerId, TurnId]:
        """Store the masked message and start its turn, unless one is running."""
        notes = Notes()
        with notes.stage(Stage.MASK):
            await self._vault.look_ahead(text)
        turn_id = TurnId(new_id(self._clock))
        with self._about_to_start(turn_id):
            try:
                async with self._database.write() as session:
                    with notes.stage(Stage.RECEIVE):
                        kept = await self._placing.enter(session)
                        locked = await receive(session, conversation_id, client_key=client_key)
                        if locked.known_turn is not None:
                            return locked.conversation.customer_id, locked.known_turn
                        placed = await self._placing.place(session, locked, kept=kept)
                        runtime = self._ready(placed)
                    received = await self._store(
                        session, placed, text, client_key, turn_id=turn_id, runtime=runtime, notes=notes
                    )
            except NotReady as missing:
                # Built outside the transaction, which takes a connection of its own; then from the start.
                await self._runtimes.of(missing.release_id)
                return await self._begin(conversation_id, text, client_key)
            if not human_speaks(locked) and locked.is_free:
                self._start(received, runtime, notes)
        return locked.conversation.customer_id, turn_id

    @contextmanager
    def _about_to_start(self, turn_id: TurnId) -> Iterator[None]:
        """Keep others from a turn that is held for this process in a commit which it hasn't heard of yet."""
        self._starting.add(turn_id)
        try:
            yield
        finally:
            self._starting.discard(turn_id)

    def _ready(self, placed: Placed) -> Runtime:
        release_id = placed.locked.conversation.release_id
        if (runtime := self._runtimes.ready(release_id)) is None:
            raise NotReady(release_id)
        return runtime

    async def _store(
        self,
        session: WriteSession,
        placed: Placed,
        text: str,
        client_key: str,
        *,
        turn_id: TurnId,
        runtime: Runtime,
        notes: Notes,
    ) -> Received:
        """Mask and store a message; the conversation is held for its turn where no other runs."""
        locked = placed.locked
        customer_id = locked.conversation.customer_id
        with notes.stage(Stage.RECEIVE):
            key = await self._vault.key_for(session, customer_id)
            history = history_of(locked, key)
        with notes.stage(Stage.MASK):
            claims = await self._conversations.claims(session, locked.conversation)
            masked = await self._vault.mask(
                session,
                customer_id,
                text,
                detector=runtime.detector,
                known=tuple(claims.items()),
                before=said_before(history),
            )
        with notes.stage(Stage.RECEIVE):
            silent = human_speaks(locked)
            free = not silent and locked.is_free
            embedding = begin_embedding(masked.text, runtime) if free else None
            message_id = await say(
                session,
                locked,
                key=key,
                clock=self._clock,
                role=MessageRole.CUSTOMER,
                text=masked.text,
                seq=locked.next_seq,
                turn_id=turn_id,
                client_key=client_key,
                pending=not silent,
                holder=self._liveness.instance if free else None,
                announce=silent,
            )
            received = await self._context(
                session, placed, key, message_id=message_id, turn_id=turn_id,
                text=masked.text, masked_count=len(masked.tokens), history=history,
            )  # fmt: skip
            if silent:
                await self._stay_silent(session, received, notes, runtime)
        return replace(received, embedding=embedding)

    async def _context(
        self,
        session: ReadSession,
        placed: Placed,
        key: CustomerKey,
        *,
        message_id: MessageId,
        turn_id: TurnId,
        text: str,
        masked_count: int,
        history: tuple[Said, ...],
    ) -> Received:
        """Gather what the turn has to know of the conversation before this message."""
        locked, conversation = placed.locked, placed.locked.conversation
        return Received(
            conversation=replace(conversation, turn_id=turn_id),
            turn_id=turn_id,
            message_id=message_id,
            text=text,
            masked_count=masked_count,
            key=key,
            history=history,
            run=await self._runs.open_run(session, conversation.id) if locked.has_run else None,
            claims=await self._conversations.claims(session, conversation),
            asked_back=locked.asked_back,
            waiting_priority=locked.waiting_priority,
            traffic=placed.traffic,
            voided=placed.voided,
        )

    async def _stay_silent(
        self, session: WriteSession, received: Received, notes: Notes, runtime: Runtime
    ) -> None:
        turn = ended(
            received, Findings(), notes, runtime, outcome=Outcome.SILENT, reason="human_speaks",
            started_at=self._clock.now(), clock=self._clock,
        )  # fmt: skip
        await end_silently(session, turn.row, turn.settled)

    async def _hold(self, session: WriteSession, conversation_id: UUID, turn_id: TurnId) -> None:
        await session.execute(
            "update conversation set turn_id = %s, turn_holder = %s where id = %s",
            (turn_id, self._liveness.instance, conversation_id),
        )

    # ------------------------------------------------------------ messages that wait, or were left behind

    async def _take_next(self, conversation_id: UUID) -> bool:
        """Begin the turn of the conversation's first pending message, if it's nobody's."""
        try:
            return await self._take_first_pending(conversation_id)
        except NotReady as missing:
            await self._runtimes.of(missing.release_id)
            return await self._take_next(conversation_id)

    async def _take_first_pending(self, conversation_id: UUID) -> bool:
        notes = Notes()
        with ExitStack() as starting:
            async with self._database.write() as session:
                kept = await self._placing.enter(session)
                locked = await lock_conversation(session, conversation_id)
                if locked is None:
                    return False
                conversation = locked.conversation
                if conversation.turn_id is not None and not await self._abandoned(
                    session, conversation.turn_id, locked.turn_holder
                ):
                    return False
                pending = await self._first_pending(session, conversation_id)
                if pending is None:
                    await session.execute(
                        "update conversation set turn_id = null, turn_holder = null where id = %s",
                        (conversation_id,),
                    )
                    return False
                starting.enter_context(self._about_to_start(pending.turn_id))
                placed = await self._placing.place(session, locked, kept=kept)
                runtime = self._ready(placed)
                received = await self._left_behind(session, placed, pending)
                if human_speaks(locked):
                    await session.execute(
                        "update conversation set turn_id = %s where id = %s",
                        (pending.turn_id, conversation_id),
                    )
                    await self._stay_silent(session, received, notes, runtime)
                    return True
                await self._hold(session, conversation_id, pending.turn_id)
            self._start(received, runtime, notes)
            return True

    async def _left_behind(self, session: ReadSession, placed: Placed, pending: Pending) -> Received:
        """Rebuild what a turn knew when its message came in, and what it had said already."""
        locked = placed.locked
        key = await self._vault.key_for(session, locked.conversation.customer_id)
        sent, events = await read_sent(session, pending.turn_id, key)
        received = await self._context(
            session, placed, key, message_id=pending.message_id, turn_id=pending.turn_id,
            text=open_words(pending.body, key), masked_count=0,
            history=await read_history(session, locked.conversation.id, key, before=pending.seq),
        )  # fmt: skip
        resumed = locked.conversation.turn_id == pending.turn_id
        return replace(received, sent=sent, sent_events=events, resumed=resumed)

    async def _first_pending(self, session: ReadSession, conversation_id: UUID) -> Pending | None:
        row = await session.one(
            """select id, turn_id, seq, body from message
               where conversation_id = %s and pending order by seq limit 1""",
            (conversation_id,),
        )
        return None if row is None else Pending(MessageId(row[0]), TurnId(row[1]), row[2], bytes(row[3]))

    async def _abandoned(self, session: ReadSession, turn_id: TurnId, holder: int | None) -> bool:
        """Tell whether nobody runs the turn that the conversation is held for."""
        if holder is None:
            return True
        if holder == self._liveness.instance:
            return turn_id not in self._running and turn_id not in self._starting
        return not await self._liveness.is_alive(session, holder)

    # ------------------------------------------------------------ running

    def _start(self, received: Received, runtime: Runtime, notes: Notes) -> None:
        running = RunningTurn()
        for event in (*map(Delta, received.sent), *received.sent_events):
            running.publish(event)
        self._running[received.turn_id] = running
        self._silencing.began(received.conversation.id, received.turn_id, running)
        task = asyncio.create_task(self._run(received, runtime, notes, running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, received: Received, runtime: Runtime, notes: Notes, running: RunningTurn) -> None:
        """Run a turn to its end; the named isolation point of the turn."""
        running.enter()
        course = self._pipeline.begin(received, runtime, notes)
        try:
            try:
                if received.run is not None:
                    course.runtime = await self._runtimes.with_procedure(runtime, received.run)
                async with asyncio.timeout(TURN_DEADLINE_S):
                    async for event in self._pipeline.run(course):
                        running.publish(event)
            except Exception as error:
                log.exception(
                    "turn_failed", turn=str(received.turn_id), release=course.received.conversation.release_id
                )
                reason = reason_of(error, notes.broke_in)
                async for event in self._pipeline.fail(course, reason=reason):
                    running.publish(event)
        except Exception:
            # The store isn't there either: the message stays pending and is taken up again.
            log.exception("turn_abandoned", turn=str(received.turn_id))
        finally:
            running.finish()
            self._running.pop(received.turn_id, None)
            self._telemetry.turn_ended(course.received, course.runtime, notes, running.done)

    # ------------------------------------------------------------ telling

    async def _events_of(self, conversation_id: UUID, turn_id: TurnId) -> AsyncIterator[Event]:
        while True:
            if (running := self._running.get(turn_id)) is not None:
                async for event in running.follow():
                    yield event
                return  # without `Done` it broke: what it stored is told when somebody asks again
            if (stored := await self._stored(conversation_id, turn_id)) is not None:
                for event in stored:
                    yield event
                return
            if not await self._take_next(conversation_id) or turn_id not in self._running:
                # Refuses once the conversation was erased: nobody would ever answer.
                await self._conversations.get(conversation_id)
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _stored(self, conversation_id: UUID, turn_id: TurnId) -> tuple[Event, ...] | None:
        """Return the events of a finished turn as they were told, or None while it isn't finished."""
        async with self._database.read() as session:
            row = await select_turn(session, turn_id)
            if row is None:
                return None
            conversation = await self._conversations.get(conversation_id)
            return await self._replayed(session, conversation, row)

    async def _replayed(
        self, session: ReadSession, conversation: Conversation, row: TurnRow
    ) -> tuple[Event, ...]:
        key = await self._vault.key_for(session, conversation.customer_id)
        events: list[Event] = []
        for message in await select_turn_messages(session, row.id):
            if message.role is not MessageRole.ASSISTANT:
                continue
            if body := open_body(message, key):
                events.append(Delta(body))
            events.extend(open_events(message, key))
        citations = [event for event in events if isinstance(event, Citation)]
        return (*events, done_of(row, citations))

    async def _restored(self, customer_id: CustomerId, event: Event) -> Event:
        """Put the customer's own values back into what they are told."""
        match event:
            case Delta() | Question():
                return replace(event, text=await self._own_words(customer_id, event.text))
            case ActionChanged():
                return replace(event, summary=await self._own_words(customer_id, event.summary))
            case _:
                return event

    async def _own_words(self, customer_id: CustomerId, text: str) -> str:
        if not tokens_in(text):
            return text
        async with self._database.read() as session:
            return await self._vault.unmask(
                session, customer_id, text, purpose=Purpose.OWN_WORDS, actor="customer"
            )
