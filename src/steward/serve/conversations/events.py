"""Events as JSON: the names and shapes of the public API, used for storing and for sending."""

from __future__ import annotations

from typing import Any, assert_never
from uuid import UUID

from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Citation,
    Delta,
    Done,
    Event,
    HandedOver,
    Outcome,
    Question,
    Status,
    Tokens,
    TurnId,
)


def event_name(event: Event) -> str:
    """Return the event's name on the wire."""
    match event:
        case Status():
            return "status"
        case Delta():
            return "delta"
        case Citation():
            return "citation"
        case Question():
            return "question"
        case ActionChanged():
            return "action"
        case HandedOver():
            return "handover"
        case Done():
            return "done"
        case _:
            assert_never(event)


def event_data(event: Event) -> dict[str, Any]:
    """Return the event's JSON object."""
    data = {field: getattr(event, field) for field in event.__slots__}
    if isinstance(event, Done):
        data["turn_id"] = str(event.turn_id)
        data["citations"] = [event_data(citation) for citation in event.citations]
        data["tokens"] = {"prompt": event.tokens.prompt, "completion": event.tokens.completion}
    return data


def read_event(name: str, data: dict[str, Any]) -> Event:
    """Rebuild an event from its name and JSON object.

    Raises:
        ValueError: the name is not an event's.
    """
    match name:
        case "status":
            return Status(**data)
        case "delta":
            return Delta(**data)
        case "citation":
            return Citation(**data)
        case "question":
            return Question(**data)
        case "action":
            return ActionChanged(**{**data, "state": ActionState(data["state"])})
        case "handover":
            return HandedOver(**data)
        case "done":
            return Done(
                **{
                    **data,
                    "turn_id": TurnId(UUID(data["turn_id"])),
                    "outcome": Outcome(data["outcome"]),
                    "citations": tuple(Citation(**item) for item in data["citations"]),
                    "tokens": Tokens(**data["tokens"]),
                }
            )
        case _:
            raise ValueError(f"'{name}' is not an event")
