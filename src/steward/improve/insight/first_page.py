"""The figures of the first page: satisfaction, escalation, latency and cost, each with its n."""

from __future__ import annotations

from collections.abc import Mapping
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
class Spread:
    """The middle and the slow end of a duration in ms, and of how many."""

    p50: float | None
    p95: float | None
    n: int


@dataclass(frozen=True, slots=True)
class HourLine:
    """One hour: how many conversations and turns, hand-overs, and how slow."""

    hour: datetime
    conversations: int
    turns: int
    handed_over: int
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the first page shows about the last `days` days of real traffic."""

    days: int
    csat: Figure
    csat_response_rate: Figure
    escalation: Figure
    containment: Figure
    turn_ms: Spread
    first_token_ms: Spread
    cost_total: Decimal
    cost_per_conversation: Decimal | None
    currency: str
    turns: int
    outcomes: Mapping[str, int]
    categories: Mapping[str, int]
    hours: tuple[HourLine, ...]
    waiting: int
    open: int


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
                """select count(*), count(*) filter (where handed_over),
                          count(*) filter (where state = 'closed'),
                          count(*) filter (where state = 'closed' and not handed_over), avg(csat)::float8,
                          count(csat),
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
                """select date_trunc('hour', started_at), count(distinct conversation_id), count(*),
                          count(*) filter (where outcome = 'handed_over'),
                          percentile_cont(0.95) within group (order by total_ms)
                   from turns where started_at >= %(since)s and not simulated and outcome <> 'silent'
                   group by 1 order by 1""",
                since,
            )
            categories = await session.all(
                """select coalesce(category, 'none'), count(*)
                   from conversations where opened_at >= %(since)s and not simulated
                   group by 1 order by 2 desc""",
                since,
            )
            waiting = await session.one(
                "select count(*) from handover where taken_at is null and ended_at is null"
            )
        assert talk is not None
        assert turn is not None
        assert waiting is not None
        conversations, escalated, closed, contained, csat, rated, open_now = talk
        turns, latency, first, firsts, cost, currency = turn
        return Figures(
            days=days,
            csat=Figure(csat, rated),
            csat_response_rate=share(rated, closed),
            escalation=share(escalated, conversations),
            containment=share(contained, closed),
            turn_ms=Spread(latency[0], latency[1], turns) if latency else Spread(None, None, 0),
            first_token_ms=Spread(first[0], first[1], firsts) if first else Spread(None, None, 0),
            cost_total=cost,
            cost_per_conversation=cost / conversations if conversations else None,
            currency=currency or "",
            turns=turns,
            outcomes=dict(outcomes),
            categories=dict(categories),
            hours=tuple(HourLine(*row) for row in hours),
            waiting=waiting[0],
            open=open_now,
        )


def share(part: int, whole: int) -> Figure:
    """Return part / whole with n = whole; None where there is nothing to divide by."""
    return Figure(part / whole if whole else None, whole)
