"""What edge needs from everything below it: one `Services`, built by the composition root.

Faces of services are Protocols here, so that pages and routes depend on what they call and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access.accounts import Accounts
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.access.keys import ApiKeys
from steward.govern.access.limits import RateLimits
from steward.govern.access.permissions import Role
from steward.govern.access.second_factor import SecondFactors
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.access.sign_ins import SignIns
from steward.govern.access.tries import Tries
from steward.govern.ledger.contracts import Signer
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.govern.retention.erasing import Erasing
from steward.govern.retention.exporting import Exporting
from steward.improve.evals.contracts import GateResult
from steward.improve.insight.first_page import FirstPage
from steward.improve.insight.live import Live
from steward.improve.review.service import Reviews
from steward.improve.rollout.contracts import Plan, Rollout, RolloutId, RolloutKind, RolloutPage
from steward.improve.rollout.forecast import Forecasts
from steward.improve.rollout.governing import Governing
from steward.improve.rollout.results import Results
from steward.improve.rollout.shadow_results import ShadowResults
from steward.serve.conversations.overview import Overview
from steward.serve.conversations.service import Conversations
from steward.serve.desk.service import Desk
from steward.serve.turn.anatomy import Anatomies
from steward.serve.turn.reach import Reach
from steward.serve.turn.service import Turns
from steward.serve.workflows.approvals import Approvals
from steward.supply.releases.labels import Labels
from steward.supply.releases.service import Releases

# ------------------------------------------------------------------ who may


@dataclass(frozen=True, slots=True)
class Access:
    """Finds out who calls and how much they may call. `sign_ins` is there where a provider is."""

    keys: ApiKeys
    accounts: Accounts
    sessions: ConsoleSessions
    second_factors: SecondFactors
    customer_tokens: CustomerTokens
    limits: RateLimits
    tries: Tries
    sign_ins: SignIns | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """What customers may ask for: everything kept about them, and to be erased."""

    erasing: Erasing
    exporting: Exporting


# ------------------------------------------------------------------ moving traffic by evidence


class RolloutsFace(Protocol):
    """Starts, steers and shows rollouts. `by` is an actor as the ledger names it."""

    async def start(
        self,
        *,
        assistant: str,
        candidate: str,
        kind: RolloutKind = RolloutKind.ROLLOUT,
        baseline: str | None = None,
        simulated: bool = False,
        plan: Plan | None = None,
        by: str,
        reason: str,
        without_gate: bool = False,
    ) -> Rollout:
        """Begin to divide traffic."""
        ...

    async def get(self, rollout_id: RolloutId, /) -> Rollout:
        """Return a rollout as it stands."""
        ...

    async def recent(
        self, *, limit: int = 50, assistant: str | None = None, simulated: bool | None = None
    ) -> tuple[Rollout, ...]:
        """List rollouts, the latest first."""
        ...

    async def page(self, rollout_id: RolloutId, /) -> RolloutPage:
        """Return everything about a rollout."""
        ...

    async def advance(self, rollout_id: RolloutId, /, *, by: str, reason: str) -> object:
        """Go on to the next phase."""
        ...

    async def pause(self, rollout_id: RolloutId, /, *, by: str, reason: str) -> object:
        """Assign nobody new until it's resumed."""
        ...

    async def resume(self, rollout_id: RolloutId, /, *, by: str, reason: str) -> object:
        """Go on after a pause or a hold."""
        ...

    async def abort(self, rollout_id: RolloutId, /, *, by: str, reason: str) -> object:
        """End it without a judgement; the baseline answers everybody."""
        ...

    async def roll_back(
        self, rollout_id: RolloutId, /, *, by: str, reason: str, category: str | None = None
    ) -> object:
        """Take the candidate away from everybody, or in one category."""
        ...

    async def approve(
        self, rollout_id: RolloutId, /, *, phase: int, approve: bool, role: str, by: str, reason: str
    ) -> object:
        """Agree to a phase, or deny it."""
        ...


class EvaluationsFace(Protocol):
    """Shows what the cases said of releases."""

    async def gate(self, candidate: str, baseline: str, /) -> GateResult | None:
        """Return the latest answer of the gate about two releases, None where there is none."""
        ...

    async def recent(self, *, assistant: str | None = None, limit: int = 20) -> Sequence[GateResult]:
        """List the gate's answers, the latest first."""
        ...


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
    key_requests_per_minute: int = 6000
    messages_per_minute: int = 60
    sign_ins_per_minute: int = 10
    reveals_per_hour: int = 30
    secure_cookies: bool = False
    local_accounts: bool = True
    second_factor_roles: frozenset[Role] = frozenset()


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
    reach: Reach
    turns: Turns
    anatomies: Anatomies
    desk: Desk
    approvals: Approvals
    vault: Vault
    first_page: FirstPage
    releases: Releases
    ledger: Ledger
    readiness: Callable[[], Awaitable[Sequence[Readiness]]]
    stopping: asyncio.Event
    rollouts: RolloutsFace
    evaluations: EvaluationsFace
    forecasts: Forecasts
    results: Results
    shadow_results: ShadowResults
    live: Live
    labels: Labels
    reviews: Reviews
    rights: Rights
    governing: Governing
    ledger_signer: Signer
    demo: Demo | None = None
