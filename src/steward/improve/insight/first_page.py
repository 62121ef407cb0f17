"""The figures of the first page: satisfaction, escalation, latency and cost, each with its n."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from steward.base.clock import Clock
from steward.base.db.contracts import Database


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and how many observations it stands on; None means that there are none."""

    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class HourPoint:
    """One hour: turns and their latency."""

    hour: datetime
    turns: int
    p50_ms: float | None
    p95_ms: float | None
    cost: float


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category's conversations."""

    category: str
    conversations: int
    handed_over: int
    csat: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the first page shows about the last `days` days of real traffic."""

    days: int
    csat: Figure
    csat_response_rate: Figure
    escalation_rate: Figure
    containment_rate: Figure
    turn_p50_ms: Figure
    turn_p95_ms: Figure
    first_token_p50_ms: Figure
    first_token_p95_ms: Figure
    cost_total: Decimal
    cost_per_conversation: Figure
    currency: str | None
    turns: int
    outcomes: tuple[tuple[str, int], ...]
    by_hour: tuple[HourPoint, ...]
    by_category: tuple[CategoryLine, ...]
    waiting_now: int
    open_now: int


class FirstPage:
    """Reads the figures; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def figures(self, *, days: int = 7) -> Figures:
        """Return the figures; simulated traffic is left out."""
        since = {"since": self._clock.now() - timedelta(days=days)}
        async with self._database.read() as session:
            talk = await session.one(
                """select count(*), count(*) filter (where handed_over), count(*) filter (where state = 'closed'),
                          count(*) filter (where state = 'closed' and not handed_over), avg(csat)::float8, count(csat),
                          count(*) filter (where state = 'open')
                   from conversations where opened_at >= %(since)s and not simulated""",
                since,
            )
            turn = await session.one(
                """select count(*), percentile_cont(array[0.5, 0.95]) within group (order by total_ms),
                          percentile_cont(array[0.5, 0.95]) within group (order by first_token_ms),
                          count(first_token_ms), coalesce(sum(cost), 0), max(currency)
                   from turns where started_at >= %(since)s and not simulated and outcome <> 'silent'""",
                since,
            )
            outcomes = await session.all(
                """select outcome, count(*) from turns where started_at >= %(since)s and not simulated
                   group by outcome order by count(*) desc""",
                since,
            )
            hours = await session.all(
                """select date_trunc('hour', started_at), count(*),
                          percentile_cont(0.5) within group (order by total_ms),
                          percentile_cont(0.95) within group (order by total_ms), coalesce(sum(cost), 0)::float8
                   from turns where started_at >= %(since)s and not simulated and outcome <> 'silent'
                   group by 1 order by 1""",
                since,
            )
            categories = await session.all(
                """select coalesce(category, 'none'), count(*), count(*) filter (where handed_over), avg(csat)::float8
                   from conversations where opened_at >= %(since)s and not simulated
                   group by 1 order by 2 desc""",
                since,
            )
            waiting = await session.one(
                "select count(*) from handover where taken_at is null and ended_at is null"
            )
        assert talk is not None and turn is not None and waiting is not None
        conversations, escalated, closed, contained, csat, rated, open_now = talk
        turns, latency, first, firsts, cost, currency = turn
        return Figures(
            days=days,
            csat=Figure(csat, rated),
            csat_response_rate=share(rated, closed),
            escalation_rate=share(escalated, conversations),
            containment_rate=share(contained, closed),
            turn_p50_ms=Figure(latency[0] if latency else None, turns),
            turn_p95_ms=Figure(latency[1] if latency else None, turns),
            first_token_p50_ms=Figure(first[0] if first else None, firsts),
            first_token_p95_ms=Figure(first[1] if first else None, firsts),
            cost_total=cost,
            cost_per_conversation=Figure(
                float(cost) / conversations if conversations else None, conversations
            ),
            currency=currency,
            turns=turns,
            outcomes=tuple((row[0], row[1]) for row in outcomes),
            by_hour=tuple(HourPoint(*row) for row in hours),
            by_category=tuple(CategoryLine(*row) for row in categories),
            waiting_now=waiting[0],
            open_now=open_now,
        )


def share(part: int, whole: int) -> Figure:
    """Return part / whole with n = whole; None where there is nothing to divide by."""
    return Figure(part / whole if whole else None, whole)
