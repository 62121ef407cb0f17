"""Refusals of this package."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from steward.base.errors import InvalidInput, NotFound


class KpiNotFound(NotFound):
    """There is no KPI of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.nearest = next(iter(get_close_matches(name, list(known), n=1, cutoff=0.5)), None)
        hint = f"did you mean '{self.nearest}'?" if self.nearest else "`steward kpi` lists them"
        super().__init__(f"there is no KPI '{name}': {hint}")


class NotATrigger(InvalidInput):
    """The KPI exists, and two arms can't be compared by it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the KPI '{name}' can't be a trigger: {why}")
