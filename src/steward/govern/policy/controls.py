"""The registry of controls: each a part of Steward that can be shown at work, and tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Control(StrEnum):
    """What a risk may be lowered by."""

    MASKING = "masking"
    GUARD = "guard"
    VERIFICATION = "verification"
    CONFIRMATION = "confirmation"
    APPROVAL = "approval"
    OVERRIDE = "override"
    EXACTLY_ONCE = "exactly_once"
    ROLLBACK = "rollback"
    LEDGER = "ledger"
    REVIEW = "review"
    ACCESS = "access"
    EVIDENCE = "evidence"


MEANINGS: Final[Mapping[Control, str]] = MappingProxyType(
    {
        Control.MASKING: "Personal values are replaced by tokens before anything is stored or sent",
        Control.GUARD: "Dangerous messages and attempts to give new orders are noticed and answered as set",
        Control.VERIFICATION: "What the knowledge doesn't support, or what promises too much, isn't said",
        Control.CONFIRMATION: "Nothing happens in a business system before the customer has said yes to it",
        Control.APPROVAL: "A person of the desk agrees before a dear action",
        Control.OVERRIDE: "Whoever asks for a person gets one",
        Control.EXACTLY_ONCE: "An action happens once, whatever crashes; a lost answer is looked up",
        Control.ROLLBACK: "A release that does harm is taken away by itself",
        Control.LEDGER: "What was done is on record, and a change of the record shows",
        Control.REVIEW: "People judge samples of what was said",
        Control.ACCESS: "Accounts are touched for verified customers alone; staff do what their role allows",
        Control.EVIDENCE: "Answers stand on the folder's own knowledge and cite it",
    }
)

BY_PROBE: Final = frozenset({Control.EXACTLY_ONCE, Control.ROLLBACK, Control.LEDGER, Control.REVIEW})
"""Controls of the installation: no conversation can test them, so the live probe is their test."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a live probe found, in a sentence."""

    live: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class ControlState:
    """A control of a release as it stands.

    Attributes:
        control: which.
        shown: what the probe found.
        cases: names of the evaluation cases that test it.
        failing: those that didn't pass in the release's last evaluation, or weren't run in it.
        tested_at: when it was tested last; None where it never was on this release.
    """

    control: Control
    shown: Shown
    cases: tuple[str, ...]
    failing: tuple[str, ...]
    tested_at: datetime | None

    @property
    def works(self) -> bool:
        """Whether it is live and its tests passed."""
        return self.shown.live and self.fault is None

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in a sentence; None where it works."""
        if not self.shown.live:
            return f"control '{self.control}' isn't at work: {self.shown.sentence}"
        if self.control in BY_PROBE:
            return None
        if not self.cases:
            return f"no evaluation case names control '{self.control}' under `controls`"
        if self.tested_at is None:
            return f"the cases of control '{self.control}' haven't been run on this release"
        if self.failing:
            names = ", ".join(self.failing[:3]) + (" and others" if len(self.failing) > 3 else "")
            return f"cases of control '{self.control}' didn't pass: {names}"
        return None
