"""What the rest of Steward knows of business systems: operations, outcomes, and who calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Argument = str | int | bool


class Secrets(Protocol):
    """Finds secrets by name."""

    def find(self, name: str) -> str | None:
        """Return the secret, or None where the installation has none of that name."""
        ...


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One call that a system offers.

    `path` is below the system's address; `{argument}` in it is filled from the arguments, the
    others travel as query (GET, DELETE) or JSON body. `find` names the read operation of the same
    system that tells what became of an idempotency key (argument `key`). `deadline_s` bounds the
    whole call, a read's second try included.
    """

    system: str
    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    effect: Literal["read", "write"]
    arguments: tuple[str, ...] = ()
    find: str | None = None
    deadline_s: float = 5.0

    @property
    def full_name(self) -> str:
        """The name that workflows use: `system.operation`."""
        return f"{self.system}.{self.name}"


@dataclass(frozen=True, slots=True)
class SystemSpec:
    """A business system reached over HTTP with JSON. The secret, if named, is its bearer token."""

    name: str
    url: str
    secret_name: str | None
    operations: tuple[OperationSpec, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The system did it, or gave the information, and said so."""

    result: Mapping[str, Any]
    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The system said no: definitely not done. `code` is for rules, `sentence` for people."""

    status: int
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Nobody knows whether it happened: time-out, lost connection, failing server, unreadable answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing was sent: definitely not done."""

    reason: str


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """The system doesn't know the idempotency key.

    A request still on its way may yet arrive, so ask again after the operation's deadline before
    believing it; sending the same request with the same key is safe where the system honours keys.
    """


CallResult = Done | Refused | Unsure | Unreachable
FindResult = Done | Refused | NeverSeen | Unsure | Unreachable


class Connector(Protocol):
    """Calls operations of business systems."""

    def operation(self, full_name: str) -> OperationSpec:
        """Return the operation called `system.operation`.

        Raises:
            UnknownOperation: no system offers it.
        """
        ...

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        """Call `system.operation` once (a read: at most twice) and say what became of it.

        Raises:
            UnknownOperation: no system offers it.
            UnknownArgument: the operation doesn't take one of the arguments.
        """
        ...

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        """Ask the system of record what became of a write, by the operation that it names in `find`.

        `Done` and `Refused` are the answer the write got or should have got. The find operation
        answers `{"status": "done", "result": {…}}`, `{"status": "refused", "code", "detail"}`,
        `{"status": "none"}` (or 404) or anything else while it is undecided.

        Raises:
            UnknownOperation: no system offers it, or it names no find operation.
        """
        ...
