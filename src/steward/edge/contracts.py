"""What edge needs from everything below it: one `Services`, built by the composition root.

Faces of services are Protocols here, so that pages and routes depend on what they call and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access.accounts import Accounts
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.access.keys import ApiKeys
from steward.govern.access.limits import RateLimits
from steward.govern.access.principal import Principal
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.ledger.service import Ledger
from steward.serve.conversations.contracts import (
    ActionChanged,
    Conversation,
    ConversationId,
    Customer,
    Event,
    HandedOver,
    Message,
)
from steward.serve.conversations.overview import ConversationLine
from steward.serve.conversations.service import Started
from steward.serve.desk.requests import Waiting
from steward.serve.workflows.approvals import ApprovalLine

# ------------------------------------------------------------------ conversations and turns


class Conversations(Protocol):
    """Starting, reading, following, rating and closing conversations."""

    async def start(
        self, *, assistant: str, channel: str, customer: Customer, locale: str | None, simulated: bool = False
    ) -> Started: ...

    async def get(self, conversation_id: UUID) -> Conversation: ...

    async def messages(self, conversation_id: UUID, *, after: int = 0) -> tuple[Message, ...]: ...

    async def transcript(self, conversation_id: UUID, *, after: int = 0) -> tuple[Message, ...]: ...

    def follow(
        self, conversation_id: UUID, *, after: int
    ) -> AsyncIterator[Message | HandedOver | ActionChanged]: ...

    async def feedback(
        self,
        conversation_id: UUID,
        *,
        csat: int | None = None,
        turn_id: UUID | None = None,
        thumb: str | None = None,
        comment: str | None = None,
    ) -> None: ...

    async def close(self, conversation_id: UUID, *, resolved: bool | None, by: str) -> None: ...

    async def belongs_to(self, conversation_id: UUID, reference: str) -> bool: ...

    async def find_by_transcript(self, digest: bytes) -> ConversationId | None: ...

    async def remember_transcript(self, conversation_id: UUID, digest: bytes) -> None: ...


class Overview(Protocol):
    """The list of conversations that staff see."""

    async def recent(
        self, *, limit: int = 50, state: str | None = None, waiting: bool = False
    ) -> tuple[ConversationLine, ...]: ...


class Scored(Protocol):
    """An intent with its calibrated probability."""

    @property
    def intent(self) -> str: ...
    @property
    def confidence(self) -> float: ...


class Routed(Protocol):
    """Where a text would go."""

    @property
    def intent(self) -> str | None: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def risk(self) -> str | None: ...
    @property
    def queue(self) -> str: ...
    @property
    def out_of_scope(self) -> bool: ...
    @property
    def alternatives(self) -> Sequence[Scored]: ...
    @property
    def slots(self) -> Mapping[str, str]: ...


class Turns(Protocol):
    """One customer message, start to finish."""

    def message(self, conversation_id: UUID, text: str, *, key: str) -> AsyncIterator[Event]: ...

    async def route(self, text: str) -> Routed: ...


class StageTime(Protocol):
    """A stage and how long it took."""

    @property
    def name(self) -> str: ...
    @property
    def ms(self) -> float: ...


class Decision(Protocol):
    """Something that a stage decided."""

    @property
    def stage(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def value(self) -> str: ...


class FoundPassage(Protocol):
    """A passage that retrieval brought."""

    @property
    def title(self) -> str: ...
    @property
    def heading(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def cited(self) -> bool: ...


class CheckedSentence(Protocol):
    """A sentence and what verification said of it."""

    @property
    def text(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


class Anatomy(Protocol):
    """Everything about one turn."""

    @property
    def turn_id(self) -> UUID: ...
    @property
    def conversation_id(self) -> UUID: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def intent(self) -> str | None: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...
    @property
    def cost(self) -> object: ...
    @property
    def currency(self) -> str: ...
    @property
    def total_ms(self) -> float: ...
    @property
    def first_token_ms(self) -> float | None: ...
    @property
    def stages(self) -> Sequence[StageTime]: ...
    @property
    def decisions(self) -> Sequence[Decision]: ...
    @property
    def passages(self) -> Sequence[FoundPassage]: ...
    @property
    def sentences(self) -> Sequence[CheckedSentence]: ...


class AnatomyLine(Protocol):
    """One turn at a glance."""

    @property
    def turn_id(self) -> UUID: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def outcome(self) -> str: ...
    @property
    def intent(self) -> str | None: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def total_ms(self) -> float: ...
    @property
    def cost(self) -> object: ...


class Anatomies(Protocol):
    """Reads turns as staff see them, masked."""

    async def show(self, turn_id: UUID) -> Anatomy: ...

    async def of_conversation(self, conversation_id: UUID) -> Sequence[AnatomyLine]: ...


# ------------------------------------------------------------------ people


class Desk(Protocol):
    """Where humans answer."""

    async def waiting(self) -> tuple[Waiting, ...]: ...

    async def held_by(self, account_id: UUID) -> tuple[ConversationId, ...]: ...

    async def take_over(self, conversation_id: UUID, *, account_id: UUID) -> None: ...

    async def reply(self, conversation_id: UUID, text: str, *, account_id: UUID) -> Message: ...

    async def give_back(self, conversation_id: UUID, *, account_id: UUID) -> None: ...


class Approvals(Protocol):
    """What waits for somebody to agree."""

    async def waiting(self) -> tuple[ApprovalLine, ...]: ...

    async def decide(
        self, approval_id: UUID, *, approve: bool, principal: Principal, reason: str
    ) -> None: ...


class Reveals(Protocol):
    """Shows one masked value to a person who may, and writes that down."""

    async def reveal(
        self, conversation_id: UUID, token: str, *, principal: Principal, reason: str
    ) -> str: ...


# ------------------------------------------------------------------ figures, releases, ledger


class Estimate(Protocol):
    """A figure and how many observations it stands on."""

    @property
    def value(self) -> float | None: ...
    @property
    def n(self) -> int: ...


class Spread(Protocol):
    """The middle and the slow end of a duration, in ms."""

    @property
    def p50(self) -> float | None: ...
    @property
    def p95(self) -> float | None: ...
    @property
    def n(self) -> int: ...


class HourLine(Protocol):
    """One hour's figures."""

    @property
    def hour(self) -> datetime: ...
    @property
    def conversations(self) -> int: ...
    @property
    def turns(self) -> int: ...
    @property
    def handed_over(self) -> int: ...
    @property
    def p95_ms(self) -> float | None: ...


class Figures(Protocol):
    """What the first page shows."""

    @property
    def csat(self) -> Estimate: ...
    @property
    def escalation(self) -> Estimate: ...
    @property
    def containment(self) -> Estimate: ...
    @property
    def turn_ms(self) -> Spread: ...
    @property
    def first_token_ms(self) -> Spread: ...
    @property
    def cost_total(self) -> object: ...
    @property
    def cost_per_conversation(self) -> object: ...
    @property
    def currency(self) -> str: ...
    @property
    def outcomes(self) -> Mapping[str, int]: ...
    @property
    def categories(self) -> Mapping[str, int]: ...
    @property
    def hours(self) -> Sequence[HourLine]: ...
    @property
    def waiting(self) -> int: ...


class FirstPage(Protocol):
    """Computes the first page's figures."""

    async def figures(self, *, days: int = 7) -> Figures: ...


class ReleaseLine(Protocol):
    """A release at a glance."""

    @property
    def id(self) -> str: ...
    @property
    def assistant(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def created_by(self) -> str: ...
    @property
    def serving(self) -> bool: ...


class Releases(Protocol):
    """Lists what has been frozen and what is served."""

    async def recent(self, *, limit: int = 50) -> Sequence[ReleaseLine]: ...


# ------------------------------------------------------------------ who may


@dataclass(frozen=True, slots=True)
class Access:
    """Finds out who calls and how much they may call."""

    keys: ApiKeys
    accounts: Accounts
    sessions: ConsoleSessions
    customer_tokens: CustomerTokens
    limits: RateLimits


# ------------------------------------------------------------------ the whole


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What the composition root decides about the faces.

    `allowed_origins` are the sites whose pages may call the API with the public key; `*` stands for any.
    """

    assistant: str
    assistant_title: str
    version: str
    public_url: str | None = None
    public_key: str | None = None
    allowed_origins: tuple[str, ...] = ("*",)
    requests_per_minute: int = 120
    sign_ins_per_minute: int = 10
    secure_cookies: bool = False


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """An invented customer whom a visitor of the demo may play."""

    reference: str
    name: str
    story: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo page offers. Present in the demo only, never in production."""

    company: str
    key: str
    customers: tuple[DemoCustomer, ...]
    token_for: Callable[[str], Awaitable[str]]
    questions: tuple[str, ...]
    login: str
    password: str
    business_url: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """One thing that has to be there before customers are served."""

    name: str
    ready: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that edge calls. `stopping` is set when the server begins to shut down."""

    settings: EdgeSettings
    clock: Clock
    database: Database
    access: Access
    conversations: Conversations
    overview: Overview
    turns: Turns
    anatomies: Anatomies
    desk: Desk
    approvals: Approvals
    reveals: Reveals
    first_page: FirstPage
    releases: Releases
    ledger: Ledger
    readiness: Callable[[], Awaitable[Sequence[Readiness]]]
    stopping: asyncio.Event
    demo: Demo | None = None
