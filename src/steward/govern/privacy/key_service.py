"""What an external key service does for us: seal a master key, and open it again.

Only master keys go there, at the start of a process and at a rotation; customers' keys are wrapped by a
master key in memory. A service that is away stops nobody who is running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a key service says of its key.

    Attributes:
        version: the newest version, which seals.
        least_version: the oldest version that still opens.
    """

    version: int
    least_version: int


class KeyService(Protocol):
    """Seals and opens short secrets with keys that never leave it."""

    @property
    def name(self) -> str:
        """What the database and the ledger call the service and its key."""
        ...

    async def seal(self, plain: Sequence[bytes]) -> list[str]:
        """Return secrets in a form that only the service opens.

        Raises:
            KeyServiceUnavailable: it doesn't answer.
            KeyServiceRefused: it says no.
        """
        ...

    async def open(self, sealed: Sequence[str]) -> list[bytes]:
        """Return what was sealed; raises as `seal` does."""
        ...

    async def reseal(self, sealed: Sequence[str]) -> list[str]:
        """Return the same secrets sealed by the newest version; raises as `seal` does."""
        ...

    async def rotate(self) -> int:
        """Make a new version of the service's key and return its number; raises as `seal` does."""
        ...

    async def state(self) -> ServiceState:
        """Return which versions there are; raises as `seal` does."""
        ...

    async def close(self) -> None:
        """Give up connections."""
        ...
