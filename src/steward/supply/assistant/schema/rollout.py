"""`rollout.yaml`: how traffic moves to a new release."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Risk, Share, Text


class Phase(Part):
    """One step of a rollout."""

    name: Name
    stage: Literal["internal", "pilot", "ramp", "full"] = "ramp"
    """`internal` is for staff alone (customers whose token says `staff: true`); `pilot` and `ramp` give the
    candidate a share of the customers; `full` makes it the release that everybody gets."""
    share_percent: Amount
    """Share of the customers who take part that the candidate answers."""
    risks: tuple[Risk, ...] = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)
    """Categories of these risk levels take part."""
    categories: tuple[Name, ...] = ()
    """If given, only these categories of those levels take part."""
    channels: tuple[Name, ...] = ()
    """If given, only conversations on these channels take part."""
    minimum_conversations: int = Field(default=200, ge=1)
    """Customers per arm whose first conversation has ended, before the phase can be left."""
    minimum_hours: Amount = Decimal("24")
    """How long the phase lasts at least."""
    advance: Literal["safe", "no_harm", "approval"] = "safe"
    """What it takes to go on once the minimums are reached: `safe`, every trigger's harm is within its
    margin with confidence; `no_harm`, nothing is harmful (for shares too small to show more); `approval`,
    somebody decides. The phase before `full` is always left by `safe`."""
    approval: Text | None = None
    """Role that must agree before the phase starts."""


class Trigger(Part):
    """A harm that rolls back when it is larger than the margin with confidence."""

    kpi: Name
    margin: Amount
    """Harm that is still acceptable, in the KPI's own unit: 0.02 is two points of a rate."""


class Breaker(Part):
    """What stops a candidate at once, apart from statistics."""

    consecutive_failures: int = Field(default=8, ge=2)
    """Turns in a row that failed or of which verification left nothing."""
    window_turns: int = Field(default=40, ge=5)
    """Latest turns of the candidate that the failure share is taken of."""
    failure_share: Share = Decimal("0.4")
    """Share of failed turns among them that is too much."""


class Maturity(Part):
    """When a conversation's measures are final."""

    idle_minutes: Amount = Decimal("30")
    """A conversation without a message for so long counts as ended."""
    survey_hours: Amount = Decimal("72")
    """How long after its end a survey may be answered."""
    recontact_hours: Amount = Decimal("168")
    """How long after its end the same matter may come back."""


class Baseline(Part):
    """What a candidate is compared with."""

    kind: Literal["release", "external", "human"] = "release"
    """`release` is the one being served; `external` another bot at `url`; `human` the desk."""
    url: Text | None = None
    """Address of the other bot: an OpenAI-compatible server up to and including /v1."""
    model: Text | None = None
    """Model name to ask the other bot for."""
    secret: Text | None = None
    """Name of the secret that holds its key."""


class Rollout(Part):
    """The whole of `rollout.yaml`."""

    phases: tuple[Phase, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    holdout_share: Share = Decimal("0")
    """Share of customers that stays on the old way for good."""
    alpha: Share = Decimal("0.05")
    """Chance of rolling back a harmless release, over all triggers, categories, phases and looks."""
    slow_seconds: Amount = Decimal("3")
    """A turn that takes longer is slow."""
    stale_hours: Amount = Decimal("24")
    """A measure without news for so long, while conversations go on, holds the rollout."""
    breaker: Breaker = Breaker()
    maturity: Maturity = Maturity()
    baseline: Baseline = Baseline()
