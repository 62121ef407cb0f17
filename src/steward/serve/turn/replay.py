"""A past turn again: the same message and history through another run of the stages, effects off.

Nothing is stored and nobody is called: the turn runs on the masked text that was stored, its voice
keeps the words to itself, and a workflow goes as far as the question before its first effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.errors import NotFound
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import MessageId, MessageRole, TurnId
from steward.serve.conversations.queries import select_conversation, select_turn_messages
from steward.serve.conversations.speech import open_body
from steward.serve.conversations.turn_records import TurnRow, select_turn
from steward.serve.turn.answering import Answerer
from steward.serve.turn.guard import Reaction, guard
from steward.serve.turn.receive import Received, read_history
from steward.serve.turn.record import Findings
from steward.serve.turn.retrieve import retrieve
from steward.serve.turn.runtime import Runtime, Runtimes
from steward.serve.turn.timing import Notes
from steward.serve.turn.understand import asks_for_human, understand


@dataclass(frozen=True, slots=True)
class Told:
    """What a turn decided and said."""

    release: str
    outcome: str
    intent: str | None
    confidence: float | None
    text: str
    cited: tuple[str, ...]


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
            asked = next(message for message in messages if message.role is MessageRole.CUSTOMER)
            text = open_body(asked, key)
            received = Received(
                conversation=replace(conversation, turn_id=row.id),
                turn_id=row.id,
                message_id=MessageId(asked.id),
                text=text,
                masked_count=row.masked_count,
                key=key,
                history=await read_history(session, conversation.id, key, before=asked.seq),
                run=None,
                claims={},
                asked_back=0,
            )
            said = "".join(open_body(item, key) for item in messages if item.role is MessageRole.ASSISTANT)
        runtime = await self._runtimes.of(release_id or row.release_id)
        return Compared(row.id, told_then(row, said), await self._again(received, runtime, row))

    async def _again(self, received: Received, runtime: Runtime, row: TurnRow) -> Told:
        understood = await understand(received.text, runtime, before=received.last_matter)
        clock = FixedClock(row.started_at)

        def told(outcome: str, text: str, cited: tuple[str, ...] = ()) -> Told:
            confidence = round(understood.confidence, 4)
            return Told(runtime.release_id, outcome, understood.intent.name, confidence, text, cited)

        guarded = guard(
            received.text, understood.vector, received.customer_texts, runtime.guard_rules,
            out_of_scope=understood.out_of_scope,
        )  # fmt: skip
        if guarded.reaction is Reaction.HAND_OVER:
            return told("handed_over", guarded.reply or "")
        if understood.override:
            return told("handed_over", "")
        if guarded.reaction is not Reaction.PASS:
            return told("refused" if guarded.reaction is Reaction.REFUSE else "answered", guarded.reply or "")
        if asks_for_human(understood):
            return told("handed_over", "")
        if understood.intent.reply and not understood.out_of_scope:
            return told("answered", understood.intent.reply)
        if row.workflow is not None and row.evidence is None:
            return told(row.outcome, "(a step of a workflow: effects are off)")
        evidence = await retrieve(received, understood, runtime, today=clock.now().date())
        if evidence.weak:
            outcome = "refused" if understood.out_of_scope else "asked"
            return told(outcome, runtime.folder.guardrails.evidence.ask_back)
        notes, findings = Notes(), Findings(understood=understood, guarded=guarded, evidence=evidence)
        text, cited = "", []
        async with Answerer(clock).sentences(received, runtime, notes, findings) as batches:
            async for batch, _ in batches:
                for sentence in batch:
                    text += f"{sentence.text}{sentence.ending}"
                    cited += [passage.id for passage in sentence.cited if passage.id not in cited]
        return told("answered" if text else "handed_over", text.strip(), tuple(cited))


def told_then(row: TurnRow, said: str) -> Told:
    """Return what a stored turn decided and said."""
    confidence = None if row.confidence is None else round(row.confidence, 4)
    return Told(row.release_id, row.outcome, row.intent, confidence, said, tuple(row.cited))
