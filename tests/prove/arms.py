"""The rules of assignment, told again from the design alone: which arm and release a message is due.

Nothing here reads the product's code. A customer's bucket is not computed but learnt: a customer who was
seen on the candidate at some share must be there at every larger one, one seen on the baseline at some
share must have been there at every smaller one, and a held-out customer is always held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

UNASSIGNED = "unassigned"
BASELINE, CANDIDATE, HOLDOUT = "baseline", "candidate", "holdout"


@dataclass(slots=True)
class Plan:
    """One phase of a rollout: which share of whom."""

    share_percent: float
    categories: frozenset[str]
    channels: frozenset[str] = frozenset()


@dataclass(slots=True)
class Rollout:
    """A rollout as somebody would tell of it."""

    id: str
    candidate: str
    phases: Sequence[Plan]
    phase: int = 0
    state: str = "running"
    harmed: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether it still divides traffic."""
        return self.state in ("running", "paused")

    @property
    def taking_part(self) -> frozenset[str]:
        """The categories that the candidate may answer now."""
        return self.phases[self.phase].categories - frozenset(self.harmed)


@dataclass(slots=True)
class Lane:
    """What answers everybody, what is held out, and every rollout so far; the last may be open."""

    release: str
    holdout_release: str | None = None
    rollouts: dict[str, Rollout] = field(default_factory=dict)

    @property
    def open(self) -> Rollout | None:
        """The rollout that divides traffic."""
        return next((item for item in self.rollouts.values() if item.is_open), None)

    def as_now(self) -> Lane:
        """Return a copy that stays as it is."""
        return deepcopy(self)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation so far. `arm` never changes once it is assigned; `release` answers it now."""

    customer: str
    channel: str
    release: str
    had_matter: bool = False
    arm: str = UNASSIGNED
    rollout: str | None = None
    phase: int | None = None
    category: str | None = None
    moved: bool = False


class Customers:
    """What has been learnt of the customers' buckets."""

    def __init__(self) -> None:
        self._between: dict[tuple[str, str], tuple[float, float]] = {}
        self._held_out: dict[str, bool] = {}

    def may_be_candidate(self, customer: str, rollout: str, share: float) -> bool:
        """Tell whether nothing known speaks against it."""
        return share > 0 and share > self._between.get((customer, rollout), (0.0, 100.0))[0]

    def may_be_baseline(self, customer: str, rollout: str, share: float) -> bool:
        """Tell whether nothing known speaks against it."""
        return share < self._between.get((customer, rollout), (0.0, 100.0))[1]

    def may_be_held_out(self, customer: str) -> bool:
        """Tell whether nothing known speaks against it."""
        return self._held_out.get(customer, True)

    def may_take_part(self, customer: str) -> bool:
        """Tell whether the customer isn't known to be held out."""
        return not self._held_out.get(customer, False)

    def learn(self, talk: Talk, lane: Lane) -> None:
        """Take in where a customer has just been put."""
        if lane.holdout_release is not None and talk.arm != UNASSIGNED:
            self._held_out[talk.customer] = talk.arm == HOLDOUT
        if talk.rollout is None or talk.phase is None or talk.arm not in (BASELINE, CANDIDATE):
            return
        share = lane.rollouts[talk.rollout].phases[talk.phase].share_percent
        low, high = self._between.get((talk.customer, talk.rollout), (0.0, 100.0))
        known = (low, min(high, share)) if talk.arm == CANDIDATE else (max(low, share), high)
        self._between[talk.customer, talk.rollout] = known


def due(talk: Talk, lane: Lane, category: str | None, customers: Customers) -> list[Talk]:
    """Return everything that a conversation may be after its next message; most often it is one thing.

    Args:
        talk: the conversation before.
        lane: traffic when the message came in.
        category: of the matter that the message names, or None where it names none.
        customers: what is known of the buckets.
    """
    talk = _back(talk, lane)
    if category is None:
        return [talk]
    if not talk.had_matter:
        return _assigned(replace(talk, had_matter=True), lane, category, customers)
    rollout = lane.rollouts.get(talk.rollout or "")
    on_candidate = talk.arm == CANDIDATE and not talk.moved
    if on_candidate and rollout is not None and rollout.is_open and category not in rollout.taking_part:
        return [replace(talk, release=lane.release, moved=True)]
    return [talk]


def _back(talk: Talk, lane: Lane) -> Talk:
    """No turn starts on a rolled-back candidate, nor in a category that it lost."""
    if talk.arm != CANDIDATE or talk.moved or talk.rollout is None:
        return talk
    rollout = lane.rollouts[talk.rollout]
    if rollout.state == "promoted":
        return talk
    if rollout.is_open and talk.category not in rollout.harmed:
        return talk
    return replace(talk, release=lane.release, moved=True)


def _assigned(talk: Talk, lane: Lane, category: str, customers: Customers) -> list[Talk]:
    """It is assigned once, at its first category, if that is eligible."""
    rollout = lane.open
    eligible = (
        rollout is not None
        and rollout.state == "running"
        and category in rollout.taking_part
        and (
            not rollout.phases[rollout.phase].channels
            or talk.channel in rollout.phases[rollout.phase].channels
        )
    )
    where = replace(
        talk,
        category=category,
        rollout=rollout.id if rollout and eligible else None,
        phase=rollout.phase if rollout and eligible else None,
    )
    found: list[Talk] = []
    if lane.holdout_release is not None and customers.may_be_held_out(talk.customer):
        found.append(replace(where, arm=HOLDOUT, release=lane.holdout_release))
    if not customers.may_take_part(talk.customer):
        return found
    if rollout is None or not eligible:
        return [*found, talk]
    share = rollout.phases[rollout.phase].share_percent
    if customers.may_be_candidate(talk.customer, rollout.id, share):
        found.append(replace(where, arm=CANDIDATE, release=rollout.candidate))
    if customers.may_be_baseline(talk.customer, rollout.id, share):
        found.append(replace(where, arm=BASELINE, release=lane.release))
    return found
