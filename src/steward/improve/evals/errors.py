"""Errors of evaluations.

Refusal
├── InvalidInput
│   └── DifferentAssistants  two releases of two assistants can't be compared
└── NotFound
    ├── NoCases              the folder has no evaluation case
    └── NoSuchCase           none has the name
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from steward.base.errors import InvalidInput, NotFound


class DifferentAssistants(InvalidInput):
    """Two releases that belong to two assistants were to be compared."""

    def __init__(self, candidate: str, baseline: str) -> None:
        super().__init__(
            f"The candidate is a release of '{candidate}' and the baseline one of '{baseline}': "
            "compare releases of one assistant."
        )


class NoCases(NotFound):
    """There is nothing to evaluate with."""

    def __init__(self, assistant: str) -> None:
        super().__init__(f"The folder of '{assistant}' has no evaluation cases: write some below cases/.")


class NoSuchCase(NotFound):
    """No case has the name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(name, list(known), 1)
        hint = f"; nearest: {near[0]}" if near else ""
        super().__init__(f"There is no case '{name}'{hint}.")
