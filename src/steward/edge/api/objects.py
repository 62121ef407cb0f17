"""Records of services as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from steward.edge.api.answers import moment
from steward.edge.contracts import Anatomy, Figures


def fields_of(record: object) -> Any:
    """Return a dataclass, and all it holds, as plain JSON values; bytes become hexadecimal."""
    if is_dataclass(record):
        return {field.name: fields_of(getattr(record, field.name)) for field in fields(record)}
    match record:
        case None | bool() | int() | float():
            return record
        case Enum():
            return record.value
        case str():
            return record
        case datetime():
            return moment(record)
        case bytes():
            return record.hex()
        case Mapping():
            return {str(key): fields_of(value) for key, value in record.items()}
        case Sequence() | frozenset():
            return [fields_of(item) for item in record]
        case _:
            return str(record)


def anatomy_object(anatomy: Anatomy) -> dict[str, Any]:
    """Return one turn's anatomy as JSON."""
    return {
        "turn_id": str(anatomy.turn_id),
        "conversation_id": str(anatomy.conversation_id),
        "started_at": moment(anatomy.started_at),
        "outcome": str(anatomy.outcome),
        "reason": anatomy.reason,
        "release": anatomy.release,
        "intent": anatomy.intent,
        "confidence": anatomy.confidence,
        "category": anatomy.category,
        "model": anatomy.model,
        "tokens": {"prompt": anatomy.prompt_tokens, "completion": anatomy.completion_tokens},
        "cost": None if anatomy.cost is None else str(anatomy.cost),
        "currency": anatomy.currency,
        "total_ms": anatomy.total_ms,
        "first_token_ms": anatomy.first_token_ms,
        "stages": [{"name": stage.name, "ms": stage.ms} for stage in anatomy.stages],
        "decisions": [
            {"stage": made.stage, "what": made.what, "value": str(made.value)} for made in anatomy.decisions
        ],
        "passages": [
            {
                "title": found.title,
                "heading": found.heading,
                "body": found.body,
                "score": found.score,
                "cited": found.cited,
            }
            for found in anatomy.passages
        ],
        "sentences": [
            {"text": said.text, "verdict": said.verdict, "reason": said.reason} for said in anatomy.sentences
        ],
    }


def figures_object(figures: Figures) -> dict[str, Any]:
    """Return the first page's figures as JSON."""
    return {
        "csat": {"value": figures.csat.value, "n": figures.csat.n},
        "escalation_rate": {"value": figures.escalation.value, "n": figures.escalation.n},
        "containment_rate": {"value": figures.containment.value, "n": figures.containment.n},
        "turn_ms": {"p50": figures.turn_ms.p50, "p95": figures.turn_ms.p95, "n": figures.turn_ms.n},
        "first_token_ms": {
            "p50": figures.first_token_ms.p50,
            "p95": figures.first_token_ms.p95,
            "n": figures.first_token_ms.n,
        },
        "cost": {
            "total": None if figures.cost_total is None else str(figures.cost_total),
            "per_conversation": None
            if figures.cost_per_conversation is None
            else str(figures.cost_per_conversation),
            "currency": figures.currency,
        },
        "outcomes": dict(figures.outcomes),
        "categories": dict(figures.categories),
        "hours": [
            {
                "hour": moment(line.hour),
                "conversations": line.conversations,
                "turns": line.turns,
                "handed_over": line.handed_over,
                "p95_ms": line.p95_ms,
            }
            for line in figures.hours
        ],
        "waiting": figures.waiting,
    }
