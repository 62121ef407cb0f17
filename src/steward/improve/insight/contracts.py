"""What a KPI is: defined once, carried to every engine.

A ratio has a numerator and a denominator per conversation, so that it has a variance and two arms can
be compared; its sums roll up. A quantile is read from a column of turns; its roll-up is a histogram of
log-spaced buckets that can be added. Expressions are SQL over the documented columns of
`conversations` and `turns`, in the form that sqlglot reads as PostgreSQL's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum


class Over(StrEnum):
    """Which of the two tables an expression reads."""

    CONVERSATIONS = "conversations"
    TURNS = "turns"


class Better(StrEnum):
    """Which direction is good; `NEITHER` has none."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Matures(StrEnum):
    """When a conversation's part in a KPI is final."""

    CLOSED = "closed"
    """When it was closed or has lain idle."""
    SURVEY = "survey"
    """When the survey can't be answered any longer."""
    RECONTACT = "recontact"
    """When the same matter can't come back within the window any longer."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What expressions may name as `:slow_ms` and so on; an installation's own figures."""

    slow_ms: float = 3000.0
    """A turn that takes longer is slow."""
    idle_minutes: float = 30.0
    """A conversation without a message for so long counts as ended."""
    survey_hours: float = 72.0
    """How long after a conversation's end its survey may be answered."""
    recontact_hours: float = 168.0
    """How long after a conversation's end the same matter may come back."""

    def values(self) -> dict[str, float]:
        """Return the figures by the names that expressions use."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sum of numerators over sum of denominators.

    `numerator` and `denominator` are expressions over one row of `over`; rows where either is null don't
    count. Over turns, both are added up per conversation first, so that the unit is always one
    conversation. `trigger` tells whether a rollout may watch it, `rare` that its events are too few for
    a normal approximation.
    """

    name: str
    title: str
    meaning: str
    unit: str
    better: Better
    stakeholders: tuple[str, ...]
    over: Over
    numerator: str
    denominator: str
    matures: Matures = Matures.CLOSED
    trigger: bool = False
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of a column over rows of `turns` where it isn't null."""

    name: str
    title: str
    meaning: str
    unit: str
    better: Better
    stakeholders: tuple[str, ...]
    expression: str
    share: float


Kpi = Ratio | Quantile


class By(StrEnum):
    """What figures may be split by."""

    HOUR = "hour"
    DAY = "day"
    CATEGORY = "category"
    CHANNEL = "channel"
    RELEASE = "release"
    ARM = "arm"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a figure is about. `at` is the moment that maturity is judged from; None bounds nothing."""

    at: datetime
    since: datetime | None = None
    until: datetime | None = None
    assistant: str | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Running sums of a ratio's units: n of them, numerators y, denominators d, squares and products."""

    n: int = 0
    y: float = 0.0
    d: float = 0.0
    yy: float = 0.0
    dd: float = 0.0
    yd: float = 0.0

    def plus(self, other: Sums) -> Sums:
        """Return the sums of both."""
        return Sums(
            self.n + other.n, self.y + other.y, self.d + other.d,
            self.yy + other.yy, self.dd + other.dd, self.yd + other.yd,
        )  # fmt: skip


class Method(StrEnum):
    """How an interval was made."""

    WILSON = "wilson"
    """Wilson's score interval of a proportion."""
    DELTA = "delta"
    """The normal approximation of a ratio of sums (delta method)."""
    ORDER = "order"
    """Order statistics: the values at the ranks between which a quantile lies."""
    NONE = "none"
    """Too few units for any."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A KPI's value, its 95 % interval, and what it stands on.

    `n` counts conversations (a quantile's: turns). `immature` counts those that don't count yet, `so_far`
    is the value with them included. `design` is the factor by which the interval's variance was raised
    because customers come back. None means that there is nothing to show.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: Method
    immature: int = 0
    so_far: float | None = None
    design: float = 1.0
