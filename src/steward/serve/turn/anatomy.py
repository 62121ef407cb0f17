"""One turn taken apart: what each stage decided, on what, and how long it took."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from steward.base.db.contracts import Database, ReadSession
from steward.base.errors import NotFound
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import TurnId
from steward.serve.conversations.queries import select_conversation
from steward.serve.conversations.turn_records import TurnRow, select_turn, select_turns
from steward.serve.turn.decisions import open_decisions
from steward.serve.turn.explaining import DECIDED, Explanation, Why, explanation, plainly
from steward.serve.turn.faults import in_words
from steward.serve.turn.timing import Stage


@dataclass(frozen=True, slots=True)
class StageTime:
    """Milliseconds of one stage; `start_ms` is where it would begin if the stages ran in order."""

    name: str
    start_ms: float
    ms: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Something a stage decided, with the values it stood on, as JSON text."""

    stage: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class SentenceVerdict:
    """A sentence that wanted to be said."""

    text: str
    verdict: str
    reason: str | None
    support: float
    why: str = ""
    """The reason as a sentence."""


@dataclass(frozen=True, slots=True)
class PassageShown:
    """A passage that the answer could stand on."""

    id: str
    title: str
    heading: str
    body: str
    score: float
    cited: bool


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Everything about one turn; texts are masked."""

    turn_id: TurnId
    conversation_id: UUID
    started_at: datetime
    outcome: str
    reason: str
    release: str
    arm: str
    intent: str | None
    confidence: float | None
    category: str | None
    guard_rule: str | None
    evidence: float | None
    model: str | None
    route: str | None
    workflow: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: str | None
    currency: str
    total_ms: float
    first_token_ms: float | None
    stages: tuple[StageTime, ...]
    decisions: tuple[Decision, ...]
    sentences: tuple[SentenceVerdict, ...]
    passages: tuple[PassageShown, ...]
    why: Explanation | None


@dataclass(frozen=True, slots=True)
class AnatomyLine:
    """One turn in a conversation's list."""

    turn_id: TurnId
    started_at: datetime
    outcome: str
    reason: str
    intent: str | None
    confidence: float | None
    model: str | None
    total_ms: float
    cost: str | None
    currency: str


class Anatomies:
    """Reads turns for those who want to know why."""

    def __init__(self, *, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def show(self, turn_id: UUID) -> Anatomy:
        """Return one finished turn, taken apart.

        Raises:
            NotFound: there is no such turn, or it isn't finished.
        """
        async with self._database.read() as session:
            row = await select_turn(session, turn_id)
            if row is None:
                raise NotFound(f"There is no finished turn {turn_id}.")
            noted = await self._noted(session, row)
            passages = await self._passages(session, row, noted)
        return Anatomy(
            turn_id=row.id,
            conversation_id=row.conversation_id,
            started_at=row.started_at,
            outcome=row.outcome,
            reason=row.reason,
            release=row.release_id,
            arm=row.arm,
            intent=row.intent,
            confidence=row.confidence,
            category=row.category,
            guard_rule=row.guard_rule,
            evidence=row.evidence,
            model=row.model,
            route=row.route,
            workflow=row.workflow,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            cost=None if row.cost is None else f"{row.cost:f}",
            currency=row.currency,
            total_ms=row.total_ms,
            first_token_ms=row.first_token_ms,
            stages=stage_times(row),
            decisions=tuple(
                decision_of(item)
                for item in noted
                if item["stage"] != Stage.VERIFY.value and item["what"] != DECIDED
            ),
            sentences=tuple(
                SentenceVerdict(
                    item["text"], item["what"], item["reason"], item["support"], in_words(item["reason"])
                )
                for item in noted
                if item["stage"] == Stage.VERIFY.value
            ),
            passages=passages,
            why=explanation(noted),
        )

    async def why(self, conversation_id: UUID, turn_id: UUID) -> Why:
        """Return why a turn of a conversation ended as it did, in the customer's words.

        Raises:
            NotFound: the conversation has no such turn, or it isn't finished.
        """
        async with self._database.read() as session:
            row = await select_turn(session, turn_id)
            if row is None or row.conversation_id != conversation_id:
                raise NotFound(f"There is no finished turn {turn_id} in this conversation.")
            noted = await self._noted(session, row)
            found = await self._passages(session, row, noted)
        return plainly(row, noted, tuple(dict.fromkeys(item.title for item in found if item.cited)))

    async def of_conversation(self, conversation_id: UUID) -> tuple[AnatomyLine, ...]:
        """Return a conversation's finished turns, oldest first."""
        async with self._database.read() as session:
            rows = await select_turns(session, conversation_id)
        return tuple(
            AnatomyLine(
                turn_id=row.id,
                started_at=row.started_at,
                outcome=row.outcome,
                reason=row.reason,
                intent=row.intent,
                confidence=row.confidence,
                model=row.model,
                total_ms=row.total_ms,
                cost=None if row.cost is None else f"{row.cost:f}",
                currency=row.currency,
            )
            for row in rows
        )

    async def _noted(self, session: ReadSession, row: TurnRow) -> list[dict[str, Any]]:
        conversation = await select_conversation(session, row.conversation_id)
        if conversation is None or row.decisions is None:
            return []
        key = await self._vault.key_for(session, conversation.customer_id)
        return open_decisions(key, row.decisions)

    async def _passages(
        self, session: ReadSession, row: TurnRow, noted: list[dict[str, Any]]
    ) -> tuple[PassageShown, ...]:
        found = [item for item in noted if item["stage"] == Stage.RETRIEVE.value]
        scores = {entry[0]: entry[2] for item in found for entry in item["passages"]}
        rows = await session.all(
            """select p.id, d.title, p.heading, p.body from passage p
               join knowledge_document d on d.id = p.document_id where p.id = any(%s)""",
            (row.passages,),
        )
        shown = (
            PassageShown(
                id=entry[0],
                title=entry[1],
                heading=entry[2],
                body=entry[3],
                score=scores.get(entry[0], 0.0),
                cited=entry[0] in row.cited,
            )
            for entry in rows
        )
        return tuple(sorted(shown, key=lambda item: -item.score))


def decision_of(noted: dict[str, Any]) -> Decision:
    """Return a noted decision in the form that people read."""
    values = {
        name: value for name, value in noted.items() if name not in ("stage", "what") and value is not None
    }
    return Decision(noted["stage"], noted["what"], json.dumps(values, ensure_ascii=False))


def stage_times(row: TurnRow) -> tuple[StageTime, ...]:
    """Return the stages that took part, in their order."""
    times: list[StageTime] = []
    start = 0.0
    for stage in Stage:
        ms = getattr(row, f"{stage.value}_ms")
        if ms is not None:
            times.append(StageTime(stage.value, start, ms))
            start += ms
    return tuple(times)
