"""Stage 9: one row per turn with every decision, its time, tokens and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from steward.base.clock import Clock
from steward.serve.conversations.contracts import Citation, Done, Outcome, Tokens
from steward.serve.conversations.turn_ends import Settled
from steward.serve.conversations.turn_records import TurnRow
from steward.serve.turn.deciding import Decision
from steward.serve.turn.decisions import seal_decisions
from steward.serve.turn.guard import Guarded
from steward.serve.turn.placing import names_a_matter
from steward.serve.turn.receive import Received
from steward.serve.turn.retrieve import Evidence
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Notes, Stage
from steward.serve.turn.understand import Understood


@dataclass(slots=True)
class Findings:
    """What the stages found out, gathered by the pipeline for the row."""

    understood: Understood | None = None
    guarded: Guarded | None = None
    evidence: Evidence | None = None
    decision: Decision | None = None
    model: str | None = None
    route: str | None = None
    workflow: str | None = None
    proposed: str | None = None
    run_id: UUID | None = None
    citations: list[Citation] = field(default_factory=list)
    sent: int = 0
    dropped: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: Decimal | None = None
    asked_back: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn at its end: its row, what it leaves in the conversation, and what its followers hear of it."""

    row: TurnRow
    settled: Settled
    done: Done


def ended(
    received: Received,
    findings: Findings,
    notes: Notes,
    runtime: Runtime,
    *,
    outcome: Outcome,
    reason: str,
    started_at: datetime,
    clock: Clock,
) -> Ended:
    """Return what is to be stored and told of a turn that ends now."""
    row = turn_row(
        received, findings, notes, runtime, outcome=outcome, reason=reason, started_at=started_at,
        finished_at=clock.now(),
    )  # fmt: skip
    is_matter = findings.understood is not None and names_a_matter(findings.understood)
    settled = Settled(
        answered=received.message_id,
        asked_back=received.asked_back + 1 if findings.asked_back else 0,
        category=row.category if is_matter else None,
        intent=row.intent if is_matter else None,
    )
    return Ended(row, settled, done_of(row, findings.citations))


def done_of(row: TurnRow, citations: Sequence[Citation]) -> Done:
    """Return the event that ends a turn, from its row."""
    return Done(
        turn_id=row.id,
        outcome=Outcome(row.outcome),
        release=row.release_id,
        arm=row.arm,
        intent=row.intent,
        confidence=None if row.confidence is None else round(row.confidence, 4),
        category=row.category,
        citations=tuple(citations),
        latency_ms=round(row.total_ms, 1),
        first_token_ms=None if row.first_token_ms is None else round(row.first_token_ms, 1),
        cost=None if row.cost is None else f"{row.cost:f}",
        currency=row.currency,
        tokens=Tokens(row.prompt_tokens, row.completion_tokens),
    )


def turn_row(
    received: Received,
    findings: Findings,
    notes: Notes,
    runtime: Runtime,
    *,
    outcome: Outcome,
    reason: str,
    started_at: datetime,
    finished_at: datetime,
) -> TurnRow:
    """Build the row from what the stages noted."""
    conversation, understood, guarded = received.conversation, findings.understood, findings.guarded
    evidence, decision, ms = findings.evidence, findings.decision, notes.stage_ms
    return TurnRow(
        id=received.turn_id,
        conversation_id=conversation.id,
        message_id=received.message_id,
        release_id=conversation.release_id,
        assistant=conversation.assistant,
        arm=conversation.arm,
        channel=conversation.channel,
        simulated=conversation.simulated,
        outcome=outcome.value,
        reason=reason,
        intent=understood.intent.name if understood else None,
        confidence=understood.confidence if understood else None,
        in_scope=understood.prediction.in_scope if understood else None,
        out_of_scope=understood.out_of_scope if understood else None,
        category=understood.category.name if understood else None,
        risk=understood.category.risk.value if understood else None,
        override=bool(understood and understood.override),
        guard_rule=guarded.rule if guarded else None,
        guard_score=guarded.score if guarded else None,
        masked_count=received.masked_count,
        evidence=evidence.strength if evidence else None,
        passages=[passage.id for passage in evidence.passages] if evidence else [],
        cited=[citation.passage for citation in findings.citations],
        model=findings.model,
        route=findings.route,
        workflow=findings.workflow,
        workflow_run_id=findings.run_id,
        sentences_sent=findings.sent,
        sentences_dropped=findings.dropped,
        resumed=received.resumed,
        prompt_tokens=findings.prompt_tokens,
        completion_tokens=findings.completion_tokens,
        cost=findings.cost if findings.prompt_tokens is not None else Decimal(0),
        currency=runtime.folder.assistant.currency,
        receive_ms=ms.get(Stage.RECEIVE),
        mask_ms=ms.get(Stage.MASK),
        understand_ms=ms.get(Stage.UNDERSTAND),
        guard_ms=ms.get(Stage.GUARD),
        retrieve_ms=ms.get(Stage.RETRIEVE),
        generate_ms=ms.get(Stage.GENERATE),
        verify_ms=ms.get(Stage.VERIFY),
        act_ms=ms.get(Stage.ACT),
        record_ms=ms.get(Stage.RECORD),
        first_token_ms=notes.first_token_ms,
        total_ms=notes.elapsed_ms(),
        decisions=seal_decisions(received.key, notes.decisions),
        started_at=started_at,
        finished_at=finished_at,
        rollout_id=conversation.rollout_id,
        answerable=evidence.answerable if evidence else None,
        decision=decision.choice.value if decision else None,
        expected_cost=decision.cost if decision else None,
    )
