"""Types of conversations that every package above uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from steward.govern.privacy.contracts import CustomerId

ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
TurnId = NewType("TurnId", UUID)


class MessageRole(StrEnum):
    """Who said a message."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    HUMAN = "human"
    SYSTEM = "system"


class Speaker(StrEnum):
    """Who holds the lease: the right to speak."""

    ASSISTANT = "assistant"
    HUMAN = "human"


class Outcome(StrEnum):
    """How a turn ended."""

    ANSWERED = "answered"
    ASKED = "asked"
    ACTED = "acted"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    FELL_BACK = "fell_back"
    SILENT = "silent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who a conversation belongs to, as the channel brought them.

    `claims` are those of a verified token (name, account, ...); empty for anyone else.
    """

    reference: str | None
    verified: bool
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's state as of one read.

    `arm` stays what was `assigned` at the first matter; `moved` tells that the conversation has left the
    candidate since, and `pinned` that it stays on its release whatever happens to traffic.
    """

    id: ConversationId
    customer_id: CustomerId
    assistant: str
    release_id: str
    arm: str
    channel: str
    locale: str | None
    verified: bool
    simulated: bool
    state: str
    speaker: Speaker
    speaker_account: UUID | None
    epoch: int
    turn_id: TurnId | None
    category: str | None
    intent: str | None
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    resolved: bool | None
    rollout_id: UUID | None = None
    phase: int | None = None
    assigned: bool = False
    assigned_category: str | None = None
    moved: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its reader may see it."""

    id: MessageId
    seq: int
    role: MessageRole
    text: str
    at: datetime
    turn_id: TurnId | None
    events: tuple[Event, ...] = ()


# ------------------------------------------------------------------ events, in the order of api.md


@dataclass(frozen=True, slots=True)
class Status:
    """A stage has begun."""

    stage: str


@dataclass(frozen=True, slots=True)
class Delta:
    """Verified words of the assistant."""

    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence stands. `index` is the number shown as [n]."""

    index: int
    document: str
    passage: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """Something the customer is asked; its text is part of the answer as well."""

    slot: str | None
    text: str


class ActionState(StrEnum):
    """Where a workflow stands, as the customer sees it."""

    PROPOSED = "proposed"
    CONFIRMING = "confirming"
    AWAITING_APPROVAL = "awaiting_approval"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ActionChanged:
    """A workflow reached a new state."""

    workflow: str
    state: ActionState
    summary: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A human is asked to take the word."""

    queue: str
    reason: str
    position: int | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that a turn used; None where no model was called."""

    prompt: int | None
    completion: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """The turn is finished and stored."""

    turn_id: TurnId
    outcome: Outcome
    release: str
    arm: str
    intent: str | None
    confidence: float | None
    category: str | None
    citations: tuple[Citation, ...]
    latency_ms: float
    first_token_ms: float | None
    cost: str | None
    currency: str
    tokens: Tokens


Event = Status | Delta | Citation | Question | ActionChanged | HandedOver | Done
