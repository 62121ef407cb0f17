"""Refusals of retention.

NoSuchCustomer (404) · NoSuchErasure (404) · NotHeld (404) · UnderHold (409) · AlreadyHeld (409) ·
BeingErased (409) · ActionsUndecided (409) · TurnStillRunning (409) · BadGround (400) · BadHoldReason (400) ·
NoCertificate (400)
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Conflict, InvalidInput, NotFound
from steward.govern.retention.contracts import Ground


class NoSuchCustomer(NotFound):
    """Nobody is known by this reference or id."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody is known by this reference: either nothing was ever kept about them, or they were erased."
        )


class NoSuchErasure(NotFound):
    """No erasure has this id, or it isn't done."""

    def __init__(self, erasure_id: UUID) -> None:
        super().__init__(f"There is no finished erasure {erasure_id}, so there is no certificate of it.")


class UnderHold(Conflict):
    """A legal hold keeps the customer's data."""

    def __init__(self, held: int) -> None:
        super().__init__(
            f"A legal hold keeps this customer's data ({held} in force); lift it before erasing: "
            "`steward retention lift CUSTOMER`."
        )


class NotHeld(NotFound):
    """There is no hold to lift."""

    def __init__(self) -> None:
        super().__init__("No legal hold is in force for this customer, so there is nothing to lift.")


class AlreadyHeld(Conflict):
    """A hold is in force already."""

    def __init__(self) -> None:
        super().__init__("A legal hold is in force for this customer already.")


class BeingErased(Conflict):
    """An erasure has begun."""

    def __init__(self) -> None:
        super().__init__("This customer is being erased, so nothing can be held or exported any more.")


class ActionsUndecided(Conflict):
    """Something was sent to a business system and nobody knows what became of it."""

    def __init__(self, undecided: int) -> None:
        super().__init__(
            f"{undecided} of this customer's actions aren't decided yet: erasing now could hide an effect "
            "that happened. A running Steward asks the business system every few seconds; erase again then."
        )


class TurnStillRunning(Conflict):
    """A turn of the customer doesn't end."""

    def __init__(self, running: int, waited_s: float) -> None:
        super().__init__(
            f"{running} of this customer's turns were still running after {waited_s:.0f} s; their "
            "conversations are closed, and nothing is erased yet: erase again in a minute."
        )


class BadGround(InvalidInput):
    """The ground isn't one of the law's."""

    def __init__(self, ground: str) -> None:
        super().__init__(
            f"'{ground[:40]}' isn't a ground for erasing; choose one of {', '.join(sorted(Ground))}. "
            "Free words aren't kept, for they could name the person."
        )


class BadHoldReason(InvalidInput):
    """A hold needs a reason."""

    def __init__(self) -> None:
        super().__init__("A legal hold needs a reason of up to 200 characters: a case's number, not a name.")


class NoCertificate(InvalidInput):
    """A file holds no certificate of an erasure."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"This is no certificate of an erasure in JSON: {problem}.")
