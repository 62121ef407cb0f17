"""Errors of connectors: only mistakes in the configuration; what a system does is a `CallResult`.

OperationalError
└── Misconfigured
    ├── UnknownOperation
    ├── UnknownArgument
    └── BadSystem
"""

from __future__ import annotations

from steward.base.errors import Misconfigured


class UnknownOperation(Misconfigured):
    """A workflow names a call that no system offers."""

    def __init__(self, operation: str, missing: str = "isn't offered by any system") -> None:
        super().__init__(f"{operation} {missing}; correct the name or add it to connectors.yaml.")
        self.operation = operation


class UnknownArgument(Misconfigured):
    """A workflow gives a call something that it doesn't take."""

    def __init__(self, operation: str, argument: str) -> None:
        super().__init__(f"{operation} takes no argument {argument!r}; see its arguments in connectors.yaml.")
        self.operation = operation
        self.argument = argument


class BadSystem(Misconfigured):
    """A system or operation is described in a way that can't be called."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The system {name!r} in connectors.yaml {problem}.")
        self.name = name
