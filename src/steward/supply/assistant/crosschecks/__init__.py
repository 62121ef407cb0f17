"""Checks that cross files: every reference leads somewhere, every text and pattern can be used.

Each module yields faults for one concern from a draft. They judge only what could be read: where
a file's names can't be known, references into it are left alone, so that one fault is said once.
"""

from __future__ import annotations

from collections.abc import Iterator

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault


def cross_check(draft: Draft) -> Iterator[Fault]:
    """Yield every fault that only shows when files are read together."""
    yield from ()
