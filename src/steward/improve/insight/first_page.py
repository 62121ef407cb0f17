"""The figures of the first page: satisfaction, escalation, latency and cost, each with its n."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, Row
from steward.improve.insight.contracts import By, Sums
from steward.improve.insight.figures import Counts, quantile_of
from steward.improve.insight.live import ALL_PARTS, Slice, ratio_rows, sketches
from steward.improve.insight.rolling import OUTCOME_PREFIX, OUTCOMES
from steward.improve.insight.rollups import RollUps


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
    """One hour: conversations opened in it and those of them handed over, turns, and how slow."""

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

    def __init__(self, *, database: Database, clock: Clock, roll_ups: RollUps | None = None) -> None:
        self._database = database
        self._clock = clock
        self._roll_ups = roll_ups or RollUps(database=database, clock=clock)

    async def figures(self, *, days: int = 7) -> Figures:
        """Return the figures, those of conversations that still go on included; simulated traffic isn't."""
        await self._roll_ups.refresh_if_stale()
        traffic = Slice(since=self._clock.now() - timedelta(days=days))
        async with self._database.read() as session:
            known = _Known(await ratio_rows(session, _MEASURES, traffic))
            hours = await _hours(session, traffic)
            categories = _Known(await ratio_rows(session, [_ESCALATION], traffic, by=By.CATEGORY))
            turn_ms = _spread(await sketches(session, "turn_ms", traffic))
            first_ms = _spread(await sketches(session, "first_token_ms", traffic))
            open_now, waiting, currency = await _now(session, traffic)
        talked, spent = known.of(_ESCALATION), Decimal(repr(round(known.of("cost_per_turn").y, 8)))
        ended, rated = known.of("containment_rate", mature_only=True), known.of("csat")
        return Figures(
            days=days,
            csat=Figure(rated.y / rated.d if rated.d else None, rated.n),
            csat_response_rate=share(rated.n, ended.n),
            escalation=share(talked.y, talked.n),
            containment=share(ended.y, ended.n),
            turn_ms=turn_ms,
            first_token_ms=first_ms,
            cost_total=spent,
            cost_per_conversation=spent / talked.n if talked.n else None,
            currency=currency,
            turns=round(known.of("error_rate").d),
            outcomes=_largest_first({name: round(known.of(OUTCOME_PREFIX + name).y) for name in OUTCOMES}),
            categories=_largest_first(
                {str(part) or "none": categories.of(_ESCALATION, part).n for part in categories.parts}
            ),
            hours=hours,
            waiting=waiting,
            open=open_now,
        )


_ESCALATION = "escalation_rate"
_MEASURES = (
    _ESCALATION, "containment_rate", "csat", "cost_per_turn", "error_rate",
    *(OUTCOME_PREFIX + name for name in OUTCOMES),
)  # fmt: skip


class _Known:
    """Sums by KPI and part."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._sums = {(row[0], row[1], row[2]): Sums(*row[3:]) for row in rows}

    @property
    def parts(self) -> list[Any]:
        return sorted({part for _, part, _ in self._sums})

    def of(self, name: str, part: object = ALL_PARTS, *, mature_only: bool = False) -> Sums:
        mature = self._sums.get((name, part, True), Sums())
        return mature if mature_only else mature.plus(self._sums.get((name, part, False), Sums()))


async def _hours(session: ReadSession, traffic: Slice) -> tuple[HourLine, ...]:
    known = _Known(await ratio_rows(session, [_ESCALATION, "error_rate"], traffic, by=By.HOUR))
    durations = await sketches(session, "turn_ms", traffic, by=By.HOUR)
    return tuple(
        HourLine(
            hour,
            known.of(_ESCALATION, hour).n,
            round(known.of("error_rate", hour).d),
            round(known.of(_ESCALATION, hour).y),
            quantile_of(durations[hour], 0.95) if hour in durations else None,
        )
        for hour in known.parts
    )


async def _now(session: ReadSession, traffic: Slice) -> tuple[int, int, str]:
    row = await session.one(
        """select (select count(*) from conversations
                   where state = 'open' and opened_at >= %s and not simulated),
                  (select count(*) from handover h join conversation c on c.id = h.conversation_id
                   where h.taken_at is null and h.ended_at is null and not c.simulated),
                  (select currency from turn order by id desc limit 1)""",
        (traffic.since,),
    )
    assert row is not None
    return row[0], row[1], row[2] or ""


def _spread(durations: Mapping[Any, Counts]) -> Spread:
    counts = durations.get(ALL_PARTS)
    if counts is None:
        return Spread(None, None, 0)
    return Spread(quantile_of(counts, 0.5), quantile_of(counts, 0.95), int(counts.sum()))


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in sorted(counts.items(), key=lambda item: -item[1]) if n}


def share(part: float, whole: int) -> Figure:
    """Return part / whole with n = whole; None where there is nothing to divide by."""
    return Figure(part / whole if whole else None, whole)
