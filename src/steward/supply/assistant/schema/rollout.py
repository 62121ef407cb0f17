"""`rollout.yaml`: how traffic moves to a new release."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Risk, Share, Text


class Phase(Part):
    """One step of a rollout."""

    name: Name
    share_percent: Amount
    risks: tuple[Risk, ...]
    """Categories of these risk levels take part."""
    minimum_conversations: int = Field(default=200, ge=1)
    minimum_hours: int = Field(default=24, ge=0)
    approval: Text | None = None
    """Role that must agree before the phase starts."""


class Trigger(Part):
    """A harm that rolls back when it is larger than the margin with confidence."""

    kpi: Name
    margin: Amount


class Rollout(Part):
    """The whole of `rollout.yaml`."""

    phases: tuple[Phase, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    holdout_share: Share = Decimal("0")
    alpha: Share = Decimal("0.05")
    """Chance of rolling back a harmless release, over all triggers and looks."""
