"""What retention asks of the packages that store personal data, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from steward.base.db.contracts import ReadSession, WriteSession

Record = Mapping[str, Any]
"""Something kept about a person, in clear, in types that JSON knows."""
ERASED_CHANNEL = "steward_erased"
"""Channel of notifications that a customer was erased: every process forgets what it holds in memory."""


class DataKind(StrEnum):
    """What a rule of `governance.yaml` may be about."""

    MESSAGES = "messages"
    TURNS = "turns"
    CONVERSATIONS = "conversations"
    VAULT = "vault"
    FEEDBACK = "feedback"
    ACTIONS = "actions"
    REVIEWS = "reviews"
    ROLLOUTS = "rollouts"
    EVALUATIONS = "evaluations"
    EXPORTS = "exports"
    SESSIONS = "sessions"
    LEDGER = "ledger"


class Ground(StrEnum):
    """Why a person is erased: Article 17(1) of the GDPR, letters a to e. Fixed words hold nobody's name."""

    REQUEST = "request"
    """They asked for it, and nothing speaks against it."""
    NOT_NEEDED = "not_needed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal_obligation"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one kind of data is kept."""

    kind: DataKind
    days: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What a purger did for one customer: rows by table, and rows that stay without their person."""

    removed: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)


class Purger(Protocol):
    """Knows one package's personal data of one kind.

    `tables` names each table it answers for; `holds` says in a few words what they hold of a person.
    """

    @property
    def name(self) -> str:
        """A short name, unique among purgers."""
        ...

    @property
    def kind(self) -> DataKind | None:
        """The kind whose rule expires it; None where it goes with other rows."""
        ...

    @property
    def holds(self) -> str:
        """What is held of a person."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it answers for."""
        ...

    async def due(self, session: ReadSession, before: datetime) -> int:
        """Count what `expire` would take."""
        ...

    async def expire(self, session: WriteSession, before: datetime, limit: int) -> int:
        """Remove up to `limit` things older than `before`, and return how many rows that were.

        What is held, and what belongs to an open conversation, stays. 0 means that nothing is left to do.
        """
        ...

    async def erase(self, session: WriteSession, customer_id: UUID) -> Erased:
        """Remove everything of a customer, whatever its age."""
        ...

    async def export(self, session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        """Return everything kept of a customer, in clear."""
        ...


class Customers(Protocol):
    """Finds customers by what the company calls them."""

    async def find_customers(self, session: ReadSession, reference: str) -> Sequence[UUID]:
        """Return the customers of a reference: the verified one, and the one who only typed it."""
        ...


class Halting(Protocol):
    """Brings everything of a customer to rest before it is erased."""

    async def halt(self, session: WriteSession, customer_ids: Sequence[UUID]) -> None:
        """Close all conversations under their locks, so that nothing new begins."""
        ...

    async def running(self, session: ReadSession, customer_ids: Sequence[UUID]) -> int:
        """Count the turns that are still running in some living process."""
        ...

    async def undecided(self, session: ReadSession, customer_ids: Sequence[UUID]) -> int:
        """Count the actions of which nobody knows yet whether they happened."""
        ...


class Signed(Protocol):
    """A signature and who can check it."""

    @property
    def public_key(self) -> bytes:
        """32 bytes, Ed25519."""
        ...

    @property
    def signature(self) -> bytes:
        """64 bytes."""
        ...

    @property
    def key_id(self) -> str:
        """The key's short name."""
        ...


class Signer(Protocol):
    """Signs certificates with the installation's key."""

    async def sign(self, message: bytes, /) -> Signed:
        """Return the signature of a message."""
        ...


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Something that was trained, and on what.

    `customers` tells whether customers' data were among it; `data_digest` names the very data.
    """

    name: str
    trained_on: str
    data_digest: str
    customers: bool


class TrainedOn(Protocol):
    """Knows every model that was trained here or is served here."""

    async def models(self) -> Sequence[TrainedModel]:
        """Return them all."""
        ...


class Policy(Protocol):
    """Knows how long things are kept, as the served assistants' folders say."""

    async def rules(self) -> Sequence[Rule]:
        """Return one rule for each kind that expires; a kind without a rule is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold."""

    id: UUID
    customer_id: UUID
    reason: str
    placed_at: datetime
    placed_by: str


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """One erasure in the list."""

    id: UUID
    state: str
    ground: str
    asked_by: str
    begun_at: datetime
    finished_at: datetime | None
    customers: tuple[UUID, ...]
    rows_gone: int


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One export in the list: what left the house, for whom, and its digest."""

    id: UUID
    kind: str
    customer_id: UUID | None
    made_at: datetime
    made_by: str
    records: int
    digest: bytes
