"""What can be wrong with releases.

NotFound
├── NoSuchRelease       nothing has this id, beginning of an id or number
└── NothingServed       the assistant serves no release yet
Conflict
├── AmbiguousRelease    a beginning that several ids share
├── RolloutUnderWay     traffic is divided, so another release can't simply be served
└── CannotDerive        made with another encoder or trainer than this installation has
Misconfigured
└── DamagedRelease      the stored bundle isn't what the id says
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Conflict, Misconfigured, NotFound
from steward.supply.releases.contracts import short_id


class NoSuchRelease(NotFound):
    """Nothing has this id, beginning of an id or number."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"there is no release '{reference}'; `steward release list` shows those there are")


class NothingServed(NotFound):
    """The assistant serves no release yet."""

    def __init__(self, assistant: str) -> None:
        super().__init__(
            f"assistant '{assistant}' serves no release yet; create one with `steward release create`"
        )


class AmbiguousRelease(Conflict):
    """A beginning that several ids share."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"several releases begin with '{reference}'; write more of the id")


class RolloutUnderWay(Conflict):
    """Traffic is divided, so another release can't simply be served."""

    def __init__(self, assistant: str, rollout_id: UUID) -> None:
        super().__init__(
            f"a rollout of '{assistant}' is under way ({rollout_id}); abort it first, or wait for its end"
        )


class CannotDerive(Conflict):
    """A release was made with another encoder or trainer than this installation has."""

    def __init__(self, release_id: str, what: str) -> None:
        super().__init__(
            f"release {short_id(release_id)} was made with another {what} than this installation has; "
            "create a new release from its folder, or install the version that made it"
        )


class DamagedRelease(Misconfigured):
    """The stored bundle isn't what the id says."""

    def __init__(self, release_id: str) -> None:
        super().__init__(
            f"the stored files of release {short_id(release_id)} don't match its id; restore the database "
            "from a backup, or create the release again from its folder"
        )
