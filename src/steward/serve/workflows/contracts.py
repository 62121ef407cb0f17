"""Types of workflows in flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import CustomerId
from steward.serve.conversations.contracts import ActionState, Outcome
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.connectors.contracts import Connector

Values = Mapping[str, Any]


class RunState(StrEnum):
    """Where a run stands. The last five are final."""

    OFFERED = "offered"
    COLLECTING = "collecting"
    CONFIRMING = "confirming"
    AWAITING_APPROVAL = "awaiting_approval"
    ACTING = "acting"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True, slots=True)
class Run:
    """One customer's way through a workflow.

    `values` holds slots by name, results of checks and steps by theirs, and `customer`. `asking` is
    the slot whose answer is awaited; `attempts` counts answers that didn't fit.
    """

    id: UUID
    conversation_id: UUID
    customer_id: CustomerId
    release_id: str
    workflow: str
    state: RunState
    asking: str | None
    attempts: int
    values: Values
    confirm_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Procedure:
    """A workflow's definition, as its release pins it, and the systems that it calls."""

    name: str
    definition: Workflow
    connector: Connector


@dataclass(frozen=True, slots=True)
class Heard:
    """What the customer said to a run: their real words, never stored in this form."""

    text: str
    verified: bool
    question: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What the engine decided: the run as it is now, and what to say.

    `text` holds real values; whoever says it masks it first. `aside` means that the message wasn't
    meant for the workflow: answer it, then say `text` again as a reminder.
    """

    run: Run
    text: str
    outcome: Outcome
    action: ActionState | None = None
    slot: str | None = None
    asks: bool = False
    aside: bool = False
    hand_over: str | None = None


class Liveness(Protocol):
    """Tells which processes of this installation are alive."""

    @property
    def instance(self) -> int:
        """This process's own number."""
        ...

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        """Tell whether the process with this number still runs, asking on a session that is open already."""
        ...
