"""A measured number beside what is asked of it, and how benchmarks print it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        dataset: what it was measured on.
        measure: what was measured, with its unit.
        value: the number.
        target: what is asked; None where nothing is.
        at_most: whether the target is the largest good value, not the smallest.
        low: lower end of the interval of 95 %; None without one.
        high: its upper end.
        count: rows that the number stands on; None where that says nothing.
        whose: what was measured.
    """

    dataset: str
    measure: str
    value: float
    target: float | None = None
    at_most: bool = False
    low: float | None = None
    high: float | None = None
    count: int | None = None
    whose: str = "steward"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def asked(self) -> str:
        """The target and whether it's met, in words; empty without one."""
        if self.target is None:
            return ""
        return (
            f"{'at most' if self.at_most else 'at least'} {self.target:g}  {'met' if self.met else 'MISSED'}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return every field and whether the target is met."""
        return asdict(self) | {"met": self.met}
