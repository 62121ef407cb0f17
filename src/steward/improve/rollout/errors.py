"""What can be wrong with rollouts.

NotFound
├── NoSuchRollout       there is none of this id
└── NoSuchCategory      the rollout has no category of this name
InvalidInput
└── BadPlan             rollout.yaml can't be followed
Conflict
├── AlreadyUnderWay     another rollout of the assistant is open
├── NotComparable       the two releases can't be told apart by traffic
├── GateClosed          the evaluation hasn't passed, or there is none
├── NothingAsked        nobody was asked to agree to anything
└── WrongState          it can't be done to a rollout that stands where this one does
NotAllowed
└── NotThatRole         somebody else has to agree
"""

from __future__ import annotations

from steward.base.errors import Conflict, InvalidInput, NotAllowed, NotFound
from steward.improve.rollout.contracts import RolloutId


class NoSuchRollout(NotFound):
    """There is none of this id."""

    def __init__(self, reference: object) -> None:
        super().__init__(f"there is no rollout '{reference}'; `steward rollout list` shows those there are")


class NoSuchCategory(NotFound):
    """The rollout has no category of this name."""

    def __init__(self, rollout_id: RolloutId, category: str, categories: tuple[str, ...]) -> None:
        there = ", ".join(categories)
        super().__init__(f"rollout {rollout_id} has no category '{category}'; it has {there}")


class BadPlan(InvalidInput):
    """rollout.yaml can't be followed."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"rollout.yaml can't be followed: {problem}")


class AlreadyUnderWay(Conflict):
    """Another rollout of the assistant is open on the same lane."""

    def __init__(self, assistant: str, rollout_id: RolloutId, state: str) -> None:
        super().__init__(
            f"a rollout of '{assistant}' is {state} ({rollout_id}); wait for its end, or abort it with "
            f"`steward rollout abort {rollout_id}`"
        )
        self.rollout_id = rollout_id


class NotComparable(Conflict):
    """The two releases can't be compared by traffic."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"these releases can't be compared: {problem}")


class GateClosed(Conflict):
    """The evaluation hasn't passed, or there is none."""


class NothingAsked(Conflict):
    """Nobody was asked to agree to anything."""

    def __init__(self, rollout_id: RolloutId, state: str) -> None:
        super().__init__(
            f"no agreement is asked for: rollout {rollout_id} is {state}, and `steward rollout status "
            f"{rollout_id}` shows what it waits for"
        )


class WrongState(Conflict):
    """It can't be done to a rollout that stands where this one does."""

    def __init__(self, rollout_id: RolloutId, state: str, deed: str, hint: str = "") -> None:
        super().__init__(f"rollout {rollout_id} is {state}, so it can't be {deed}{hint and f'; {hint}'}")


class NotThatRole(NotAllowed):
    """Somebody else has to agree."""

    def __init__(self, phase: str, role: str) -> None:
        super().__init__(f"phase '{phase}' needs the agreement of the role '{role}'")
