"""`governance.yaml`: who answers for what, which risks were seen, how long things are kept."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from steward.govern.policy.controls import Control
from steward.supply.assistant.schema.base import Name, Part, Text

CONTROLS: Final = tuple(control.value for control in Control)
"""What a risk may be lowered by; each is a part of Steward that can be shown at work."""
HIGH_RISK: Final = 12


class UseCase(Part):
    """Something the assistant is used for, with its RACI."""

    name: Name
    title: Text
    categories: tuple[Name, ...]
    responsible: tuple[Text, ...]
    accountable: Text
    consulted: tuple[Text, ...] = ()
    informed: tuple[Text, ...] = ()
    lawful_basis: Literal["consent", "contract", "legal_obligation", "legitimate_interest"]


class RiskEntry(Part):
    """One row of the risk matrix."""

    name: Name
    title: Text
    likelihood: int = Field(ge=1, le=5)
    impact: int = Field(ge=1, le=5)
    owner: Text
    controls: tuple[Name, ...] = ()
    """Controls that lower it: masking, guard, verification, confirmation, approval, override,
    exactly_once, rollback, ledger, review, access, evidence."""
    mitigation: Text | None = None
    """What is done about it besides, in words."""

    @property
    def score(self) -> int:
        """Likelihood times impact, 1 to 25."""
        return self.likelihood * self.impact


class Retention(Part):
    """How long one kind of data is kept."""

    data: Literal[
        "messages",
        "turns",
        "conversations",
        "vault",
        "feedback",
        "actions",
        "reviews",
        "rollouts",
        "evaluations",
        "exports",
        "sessions",
        "ledger",
    ]
    """Kind of data. The ledger is append-only: its days say how long it is kept at least."""
    days: int = Field(ge=1)


class Governance(Part):
    """The whole of `governance.yaml`."""

    use_cases: tuple[UseCase, ...] = ()
    risks: tuple[RiskEntry, ...] = ()
    retention: tuple[Retention, ...] = ()
    approve_release: tuple[Text, ...] = ()
    """Roles that must agree before a release reaches customers."""
    four_eyes: bool = False
    """Whether nobody may agree to a release that they made, nor in two roles."""
    high_risk: int = Field(default=HIGH_RISK, ge=1, le=25)
    """Likelihood times impact from which a risk is high: it then needs a live control with passing tests."""
