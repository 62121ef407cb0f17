"""A past turn again: the same message and history through the same pipeline, effects off.

Nothing is stored. The turn runs on the masked text that was stored, its voice keeps the words to itself,
and a workflow goes as far as the question before its first effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database, ReadSession
from steward.base.errors import NotFound
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.claims import claims_of
from steward.serve.conversations.contracts import Conversation, MessageId, MessageRole, TurnId
from steward.serve.conversations.queries import select_conversation, select_turn_messages
from steward.serve.conversations.speech import open_body
from steward.serve.conversations.turn_records import TurnRow, select_turn
from steward.serve.turn.answering import Answerer
from steward.serve.turn.course import Course
from steward.serve.turn.elsewhere import Elsewhere
from steward.serve.turn.pipeline import Pipeline
from steward.serve.turn.placing import Placing
from steward.serve.turn.quiet import (
    QuietActing,
    QuietClosing,
    QuietVoice,
    Recorded,
    read_only,
    recorded_checks,
)
from steward.serve.turn.receive import Received, read_history
from steward.serve.turn.rewinding import Past, Rewinding, decisions_of, rewound
from steward.serve.turn.runtime import Runtime, Runtimes
from steward.serve.turn.settling import Settling
from steward.serve.turn.timing import Notes, Stage
from steward.supply.releases.traffic import TrafficControl

_ASKED_BACK = """
    select count(*) from turn t
    where t.conversation_id = %(conversation)s and t.id < %(turn)s and not exists (
        select from turn other
        where other.conversation_id = %(conversation)s and other.id >= t.id and other.id < %(turn)s
          and not (other.outcome = 'asked' and other.reason = 'weak_evidence'))"""
_WAITING = """
    select priority from handover
    where conversation_id = %(conversation)s and asked_at < %(at)s
      and (ended_at is null or ended_at >= %(at)s)
    order by asked_at desc limit 1"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a turn decided and said; texts are masked.

    `reason` is the turn's own word for why it ended so; `sent` and `dropped` count sentences; `cost` is
    None where a model without prices answered.
    """

    release: str
    outcome: str
    reason: str
    intent: str | None
    confidence: float | None
    text: str
    cited: tuple[str, ...]
    sent: int
    dropped: int
    model: str | None
    workflow: str | None
    cost: Decimal | None
    currency: str
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A turn as it was and as it would be."""

    turn_id: TurnId
    then: Told
    now: Told

    @property
    def same(self) -> bool:
        """Whether intent, outcome and sources agree."""
        return (self.then.intent, self.then.outcome, self.then.cited) == (
            self.now.intent,
            self.now.outcome,
            self.now.cited,
        )

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs, a sentence for each; empty where nothing does that matters."""
        return tuple(differences(self.then, self.now))


class Replays:
    """Runs past turns again; built once by the composition root."""

    def __init__(self, *, database: Database, vault: Vault, runtimes: Runtimes) -> None:
        self._database = database
        self._vault = vault
        self._runtimes = runtimes

    async def replay(self, turn_id: UUID, *, release_id: str | None = None) -> Compared:
        """Replay a turn on its own release or another.

        Raises:
            NotFound: there is no such finished turn.
        """
        async with self._database.read() as session:
            row = await select_turn(session, turn_id)
            conversation = await select_conversation(session, row.conversation_id) if row else None
            if row is None or conversation is None:
                raise NotFound(f"There is no finished turn {turn_id}.")
            key = await self._vault.key_for(session, conversation.customer_id)
            messages = await select_turn_messages(session, turn_id)
            said = "".join(open_body(item, key) for item in messages if item.role is MessageRole.ASSISTANT)
            received = await self._received(session, conversation, row, key)
            rewinding = Rewinding(vault=self._vault, clock=FixedClock(row.started_at))
            past = await rewinding.past(session, conversation, row, key, received.claims)
        runtime = await self._runtimes.of(release_id or row.release_id)
        return Compared(row.id, told(row, said, key), await self._again(received, runtime, row, past))

    async def _received(
        self, session: ReadSession, conversation: Conversation, row: TurnRow, key: CustomerKey
    ) -> Received:
        """Rebuild what the turn knew when its message had come in."""
        messages = await select_turn_messages(session, row.id)
        asked = next(message for message in messages if message.role is MessageRole.CUSTOMER)
        place = {"conversation": conversation.id, "turn": row.id, "at": row.started_at}
        asked_back = await session.one(_ASKED_BACK, place)
        waiting = await session.one(_WAITING, place)
        return Received(
            conversation=replace(conversation, turn_id=row.id, state="open"),
            turn_id=row.id,
            message_id=MessageId(asked.id),
            text=open_body(asked, key),
            masked_count=row.masked_count,
            key=key,
            history=await read_history(session, conversation.id, key, before=asked.seq),
            run=None,
            claims=await claims_of(session, conversation, self._vault),
            asked_back=0 if asked_back is None else asked_back[0],
            waiting_priority=None if waiting is None else waiting[0],
        )

    async def _again(self, received: Received, runtime: Runtime, row: TurnRow, past: Past | None) -> Told:
        clock = FixedClock(row.started_at)
        recorded: Recorded = {}
        run = None
        if past is not None:
            procedure = await self._runtimes.procedure(past.run.release_id, past.run.workflow)
            recorded = recorded_checks(procedure.definition, past.run.values)
            run = await rewound(past, procedure, clock)
        if run is not None:
            runtime = await self._runtimes.with_procedure(runtime, run)
        conversation = replace(received.conversation, release_id=runtime.release_id)
        received = replace(received, conversation=conversation, run=run)
        runtime = read_only(runtime, recorded)
        closing = QuietClosing(clock)
        pipeline = Pipeline(
            database=self._database,
            vault=self._vault,
            clock=clock,
            acting=QuietActing(database=self._database, vault=self._vault, clock=clock),
            answerer=Answerer(clock),
            closing=closing,
            settling=self._settling(clock, row.assistant),
            elsewhere=Elsewhere(self._runtimes, database=self._database, vault=self._vault),
        )
        voice = QuietVoice(
            received, database=self._database, vault=self._vault, clock=clock, detector=runtime.detector
        )
        course = Course(received, runtime, Notes(), voice, clock.now())
        async for _ in pipeline.run(course):
            pass
        assert closing.row is not None
        return told(closing.row, voice.said, received.key)

    def _settling(self, clock: FixedClock, assistant: str) -> Settling:
        """Return settling as turns have it; a replayed turn's traffic is undivided, so it places nobody."""
        placing = Placing(
            database=self._database, traffic=TrafficControl(clock), clock=clock, assistant=assistant
        )
        return Settling(placing=placing, runtimes=self._runtimes)


def told(row: TurnRow, said: str, key: CustomerKey) -> Told:
    """Return what a turn's row says that it decided, with the words it said.

    Sentences are counted where they were verified: how many of them share a commit is chance.
    """
    verified = [item["what"] for item in decisions_of(row, key) if item["stage"] == Stage.VERIFY.value]
    return Told(
        release=row.release_id,
        outcome=row.outcome,
        reason=row.reason,
        intent=row.intent,
        confidence=None if row.confidence is None else round(row.confidence, 4),
        text=said.strip(),
        cited=tuple(row.cited),
        sent=verified.count("sent") if verified else row.sentences_sent,
        dropped=row.sentences_dropped,
        model=row.model,
        workflow=row.workflow,
        cost=row.cost,
        currency=row.currency,
        latency_ms=round(row.total_ms, 1),
    )


def differences(then: Told, now: Told) -> list[str]:
    """Say what differs between a turn as it was and as it would be."""
    named = (
        ("intent", then.intent, now.intent),
        ("outcome", then.outcome, now.outcome),
        ("reason", then.reason, now.reason),
        ("workflow", then.workflow, now.workflow),
        ("model", then.model, now.model),
    )
    found = [
        f"The {name} was {before or 'none'} and is now {after or 'none'}."
        for name, before, after in named
        if before != after
    ]
    if then.cited != now.cited:
        gone, new = set(then.cited) - set(now.cited), set(now.cited) - set(then.cited)
        found.append(
            f"It cites {len(new)} passages that it didn't and leaves out {len(gone)} that it did."
            if gone or new
            else "It cites the same passages in another order."
        )
    if then.text != now.text:
        found.append("The words differ.")
    if then.dropped != now.dropped:
        found.append(f"Verification dropped {then.dropped} sentences then and {now.dropped} now.")
    return found
