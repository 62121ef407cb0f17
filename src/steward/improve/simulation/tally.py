"""What simulated traffic came to, counted while it runs, and its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any


@dataclass(slots=True)
class Tally:
    """Counts of one run. `deferred` are the times that the server asked to come back later.

    `faults` are what failed on the server's side: 5xx, broken connections and streams; `refusals`
    what it answered with another 4xx than expected.
    """

    started: int = 0
    finished: int = 0
    deferred: int = 0
    turned_away: int = 0
    customers: set[int] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    arms: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    thumbs: Counter[str] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)
    first_words_ms: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def server_failed(self) -> bool:
        """Whether anything went wrong that a server must not do."""
        return bool(self.faults)

    def fault(self, what: str) -> None:
        """Count something that failed on the server's side."""
        self.faults[what] += 1

    def refused(self, status: int, where: str) -> None:
        """Count an answer that isn't a success: a fault from 500 on."""
        (self.faults if status >= 500 else self.refusals)[f"{status} on {where}"] += 1

    def summary(self, *, seconds: float, seed: int) -> Summary:
        """Sum up."""
        handed_over = self.endings["handed_over"] + self.endings["reached_human"]
        return Summary(
            seed=seed,
            seconds=round(seconds, 1),
            customers=len(self.customers),
            conversations=self.finished,
            conversations_per_second=round(self.finished / seconds, 2) if seconds > 0 else 0.0,
            turns=sum(self.outcomes.values()),
            outcomes=dict(self.outcomes.most_common()),
            arms=dict(self.arms.most_common()),
            endings=dict(self.endings.most_common()),
            csat=round(mean(self.scores), 3) if self.scores else None,
            csat_answers=len(self.scores),
            escalation_rate=round(handed_over / self.finished, 4) if self.finished else None,
            thumbs=dict(self.thumbs),
            turn_ms_p50=quantile(self.total_ms, 0.5),
            turn_ms_p95=quantile(self.total_ms, 0.95),
            first_words_ms_p50=quantile(self.first_words_ms, 0.5),
            first_words_ms_p95=quantile(self.first_words_ms, 0.95),
            deferred=self.deferred,
            turned_away=self.turned_away,
            faults=dict(self.faults),
            refusals=dict(self.refusals),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures. Times in milliseconds, from sending a message to its turn's end.

    Everything in it is about invented customers; `csat` is the stated model's answer, not anybody's.
    """

    seed: int
    seconds: float
    customers: int
    conversations: int
    conversations_per_second: float
    turns: int
    outcomes: Mapping[str, int]
    arms: Mapping[str, int]
    endings: Mapping[str, int]
    csat: float | None
    csat_answers: int
    escalation_rate: float | None
    thumbs: Mapping[str, int]
    turn_ms_p50: float | None
    turn_ms_p95: float | None
    first_words_ms_p50: float | None
    first_words_ms_p95: float | None
    deferred: int
    turned_away: int
    faults: Mapping[str, int]
    refusals: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return it for other programs; `simulated` says what it is."""
        return {"simulated": True, **{name: getattr(self, name) for name in self.__slots__}}


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which that share lies (nearest rank), in tenths; None without values."""
    if not values:
        return None
    ranked = sorted(values)
    return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1)
