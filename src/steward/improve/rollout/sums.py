"""Running sums of a ratio's units: adding to them and carrying them as JSON without losing a bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from steward.improve.insight.contracts import Sums


@dataclass(frozen=True, slots=True)
class Unit:
    """One customer's part in a ratio; both are 0 where the customer says nothing about it."""

    numerator: float
    denominator: float


def of_units(units: Iterable[Unit], *, start: Sums | None = None) -> Sums:
    """Return the sums of `start` and of units, added in the order given."""
    so_far = start or Sums()
    n, y, d = so_far.n, so_far.y, so_far.d
    yy, dd, yd = so_far.yy, so_far.dd, so_far.yd
    for unit in units:
        n += 1
        y += unit.numerator
        d += unit.denominator
        yy += unit.numerator * unit.numerator
        dd += unit.denominator * unit.denominator
        yd += unit.numerator * unit.denominator
    return Sums(n, y, d, yy, dd, yd)


def as_json(sums: Sums) -> dict[str, int | str]:
    """Return a form whose floats are texts that read back to the same bits."""
    return {
        "n": sums.n,
        "y": repr(float(sums.y)),
        "d": repr(float(sums.d)),
        "yy": repr(float(sums.yy)),
        "dd": repr(float(sums.dd)),
        "yd": repr(float(sums.yd)),
    }


def from_json(kept: Mapping[str, Any]) -> Sums:
    """Read what `as_json` wrote."""
    return Sums(
        n=int(kept["n"]),
        y=float(kept["y"]),
        d=float(kept["d"]),
        yy=float(kept["yy"]),
        dd=float(kept["dd"]),
        yd=float(kept["yd"]),
    )
