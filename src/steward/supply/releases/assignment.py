"""Which customers a release answers: buckets, arms and eligibility. Pure.

Customers are hashed into 10,000 buckets under a salt of the rollout's own, so that rollouts are
independent of each other, a growing share only moves customers from the baseline to the candidate,
and nobody leaves the candidate. The permanent holdout has another salt and comes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from steward.supply.releases.contracts import ReleaseId

BUCKETS: Final = 10_000


class Arm(StrEnum):
    """The side of a comparison that a customer is on."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"
    HOLDOUT = "holdout"


class BaselineKind(StrEnum):
    """What customers outside the candidate are answered by."""

    RELEASE = "release"
    EXTERNAL = "external"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The old way: a release, another bot at `url` (with `model` and `secret`, a name), or the desk."""

    kind: BaselineKind = BaselineKind.RELEASE
    url: str | None = None
    model: str | None = None
    secret: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the form that the database keeps."""
        return {"kind": self.kind.value, "url": self.url, "model": self.model, "secret": self.secret}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Baseline:
        """Read what `as_json` wrote."""
        return cls(BaselineKind(kept["kind"]), kept["url"], kept["model"], kept["secret"])


@dataclass(frozen=True, slots=True)
class Split:
    """A running rollout's division of traffic.

    `categories` take part; empty `channels` means all. With `staff_only` the candidate answers staff and
    nobody else; with `staff_stay` they had it in an earlier phase and keep it, outside the comparison.
    While `paused` nobody new is assigned; those who are stay where they are.
    """

    rollout_id: UUID
    phase: int
    candidate: ReleaseId
    candidate_buckets: int
    categories: frozenset[str]
    channels: frozenset[str] = frozenset()
    staff_only: bool = False
    staff_stay: bool = False
    paused: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the form that the database keeps."""
        return {
            "rollout_id": str(self.rollout_id),
            "phase": self.phase,
            "candidate": self.candidate,
            "candidate_buckets": self.candidate_buckets,
            "categories": sorted(self.categories),
            "channels": sorted(self.channels),
            "staff_only": self.staff_only,
            "staff_stay": self.staff_stay,
            "paused": self.paused,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Split:
        """Read what `as_json` wrote."""
        return cls(
            rollout_id=UUID(kept["rollout_id"]),
            phase=kept["phase"],
            candidate=ReleaseId(kept["candidate"]),
            candidate_buckets=kept["candidate_buckets"],
            categories=frozenset(kept["categories"]),
            channels=frozenset(kept["channels"]),
            staff_only=kept["staff_only"],
            staff_stay=kept["staff_stay"],
            paused=kept["paused"],
        )


@dataclass(frozen=True, slots=True)
class Holdout:
    """Customers who stay on the old way for good: `release_id`, or what `baseline` says."""

    salt: str
    buckets: int
    release_id: ReleaseId
    baseline: Baseline = Baseline()

    def as_json(self) -> dict[str, Any]:
        """Return the form that the database keeps."""
        return {
            "salt": self.salt,
            "buckets": self.buckets,
            "release_id": self.release_id,
            "baseline": self.baseline.as_json(),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Holdout:
        """Read what `as_json` wrote."""
        baseline = Baseline.from_json(kept["baseline"])
        return cls(kept["salt"], kept["buckets"], ReleaseId(kept["release_id"]), baseline)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who is answered by what on one lane; `generation` is another after every change.

    `simulated` tells of the lane of rehearsals. `baseline` answers everybody whom nothing else is said of:
    most often `release_id`, else another bot or the desk, who had the word before Steward.
    """

    assistant: str
    simulated: bool
    release_id: ReleaseId
    generation: int
    split: Split | None = None
    holdout: Holdout | None = None
    baseline: Baseline = Baseline()


@dataclass(frozen=True, slots=True)
class Seeker:
    """What eligibility looks at; none of it can be influenced by a candidate.

    `category` is that of the first matter by the baseline's classifier.
    """

    customer_id: UUID
    category: str
    channel: str
    staff: bool


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where a conversation belongs from its first matter on; without a rollout only holdouts are assigned.

    One that isn't `compared` is on the candidate for another reason than chance.
    """

    arm: Arm
    release_id: ReleaseId
    rollout_id: UUID | None
    phase: int | None
    compared: bool = True


def bucket_of(customer_id: UUID, salt: str) -> int:
    """Return a customer's bucket, 0 to 9,999: SHA-256 of salt and customer, uniform to 1 in 10^15."""
    digest = hashlib.sha256(f"{salt}:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BUCKETS


def is_held_out(holdout: Holdout | None, customer_id: UUID) -> bool:
    """Tell whether a customer belongs to the permanent holdout."""
    return holdout is not None and bucket_of(customer_id, holdout.salt) < holdout.buckets


def is_eligible(split: Split, seeker: Seeker) -> bool:
    """Tell whether somebody takes part in a rollout, before and apart from chance."""
    return (
        seeker.category in split.categories
        and (not split.channels or seeker.channel in split.channels)
        and (seeker.staff or not split.staff_only)
    )


def assign(traffic: Traffic, seeker: Seeker) -> Assigned | None:
    """Return where a conversation belongs; None where nothing is being compared for it."""
    split, holdout = traffic.split, traffic.holdout
    if holdout is not None and is_held_out(holdout, seeker.customer_id):
        taking_part = split is not None and not split.paused and is_eligible(split, seeker)
        return Assigned(
            Arm.HOLDOUT,
            holdout.release_id,
            split.rollout_id if split and taking_part else None,
            split.phase if split and taking_part else None,
        )
    if split is None or split.paused or not is_eligible(split, seeker):
        return None
    kept = seeker.staff and split.staff_stay
    drawn = bucket_of(seeker.customer_id, str(split.rollout_id)) < split.candidate_buckets
    chosen = split.staff_only or kept or drawn
    arm, release_id = (Arm.CANDIDATE, split.candidate) if chosen else (Arm.BASELINE, traffic.release_id)
    return Assigned(arm, release_id, split.rollout_id, split.phase, compared=not kept)
