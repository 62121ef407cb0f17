"""What a shadow showed: how often the candidate would have done the same, checked, cost and taken as much.

Turns are named by their ids; their words stay where they are and are shown by the turn's own page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from steward.base.db.contracts import Database, Row
from steward.base.errors import NotFound
from steward.improve.rollout.pairs import PairedDifference, ShareOf, paired_difference, share_of

SHOWN: Final = 20
"""Differences that are listed."""
WORSE_OUTCOMES: Final = ("failed", "handed_over", "fell_back", "refused", "asked")
"""Outcomes that leave a customer without an answer, the worst first."""

_ROLLOUT = "select 1 from rollout where id = %(rollout)s and kind = 'shadow'"
_COMPARED = """
    select turn_id, at, category, baseline_outcome, candidate_outcome, baseline_intent, candidate_intent,
           same_sources, same, baseline_dropped, candidate_dropped, baseline_cost, candidate_cost,
           baseline_ms, candidate_ms, currency
    from shadow_turn where rollout_id = %(rollout)s and state = 'compared' order by turn_id"""
_FAILURES = """
    select failure, count(*) from shadow_turn where rollout_id = %(rollout)s and state = 'failed'
    group by failure order by count(*) desc, failure"""


@dataclass(frozen=True, slots=True)
class ShadowTurn:
    """One turn as both releases answered it. Milliseconds are those of the stages that a replay runs."""

    turn_id: UUID
    at: datetime
    category: str | None
    baseline_outcome: str
    candidate_outcome: str
    baseline_intent: str | None
    candidate_intent: str | None
    same_sources: bool
    same: bool
    baseline_dropped: int
    candidate_dropped: int
    baseline_cost: Decimal | None
    candidate_cost: Decimal | None
    baseline_ms: float
    candidate_ms: float
    currency: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A figure of both releases over the same turns."""

    baseline: float | None
    candidate: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """From one outcome or intent to another, and how often."""

    before: str
    after: str
    turns: int


@dataclass(frozen=True, slots=True)
class ShadowPage:
    """Everything that a shadow's page shows, over `compared` turns.

    A turn fails verification when at least one sentence was dropped. `broken` counts replays that gave
    no answer, by the kind of error.
    """

    compared: int
    broken: tuple[tuple[str, int], ...]
    same: ShareOf
    same_intent: ShareOf
    same_outcome: ShareOf
    same_sources: ShareOf
    failed_baseline: ShareOf
    failed_candidate: ShareOf
    failures: PairedDifference
    handed_over_baseline: ShareOf
    handed_over_candidate: ShareOf
    handed_over: PairedDifference
    p50_ms: SideBySide
    p95_ms: SideBySide
    cost_per_turn: SideBySide
    currency: str | None
    outcomes: tuple[Change, ...]
    intents: tuple[Change, ...]
    telling: tuple[ShadowTurn, ...]


class ShadowResults:
    """Reads what shadows showed; built once by the composition root."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def of(self, rollout_id: UUID) -> ShadowPage:
        """Return what one showed so far.

        Raises:
            NotFound: there is no such shadow.
        """
        asked = {"rollout": rollout_id}
        async with self._database.read() as session:
            if await session.one(_ROLLOUT, asked) is None:
                raise NotFound(f"There is no shadow {rollout_id}; see the list of rollouts.")
            turns = [shadow_turn(row) for row in await session.all(_COMPARED, asked)]
            broken = await session.all(_FAILURES, asked)
        return page_of(turns, broken=tuple((row[0], row[1]) for row in broken))


def shadow_turn(row: Row) -> ShadowTurn:
    """Build a turn from a row of the query."""
    return ShadowTurn(*row)


def page_of(turns: Sequence[ShadowTurn], *, broken: tuple[tuple[str, int], ...] = ()) -> ShadowPage:
    """Put the figures of compared turns together."""
    n = len(turns)

    def agreeing(name: str) -> ShareOf:
        before, after = f"baseline_{name}", f"candidate_{name}"
        return share_of(sum(getattr(turn, before) == getattr(turn, after) for turn in turns), n)

    dropped = [(turn.baseline_dropped > 0, turn.candidate_dropped > 0) for turn in turns]
    handed = [
        (turn.baseline_outcome == "handed_over", turn.candidate_outcome == "handed_over") for turn in turns
    ]
    return ShadowPage(
        compared=n,
        broken=broken,
        same=share_of(sum(turn.same for turn in turns), n),
        same_intent=agreeing("intent"),
        same_outcome=agreeing("outcome"),
        same_sources=share_of(sum(turn.same_sources for turn in turns), n),
        failed_baseline=share_of(sum(before for before, _ in dropped), n),
        failed_candidate=share_of(sum(after for _, after in dropped), n),
        failures=_paired(dropped),
        handed_over_baseline=share_of(sum(before for before, _ in handed), n),
        handed_over_candidate=share_of(sum(after for _, after in handed), n),
        handed_over=_paired(handed),
        p50_ms=_quantiles(turns, 0.5),
        p95_ms=_quantiles(turns, 0.95),
        cost_per_turn=SideBySide(
            _mean([turn.baseline_cost for turn in turns]), _mean([turn.candidate_cost for turn in turns])
        ),
        currency=turns[-1].currency if turns else None,
        outcomes=_changes([(turn.baseline_outcome, turn.candidate_outcome) for turn in turns]),
        intents=_changes([(turn.baseline_intent or "", turn.candidate_intent or "") for turn in turns]),
        telling=most_telling(turns),
    )


def most_telling(turns: Sequence[ShadowTurn]) -> tuple[ShadowTurn, ...]:
    """Return the turns that differ, those first that the candidate would have left worse off."""
    differing = [turn for turn in turns if weight_of(turn) > 0]
    return tuple(sorted(differing, key=lambda turn: (-weight_of(turn), turn.turn_id))[:SHOWN])


def weight_of(turn: ShadowTurn) -> int:
    """Return how much a difference tells; 0 where there is none.

    A worse outcome tells most, then sentences that failed only on the candidate, a better outcome,
    another intent, and other sources.
    """
    before, after = _badness(turn.baseline_outcome), _badness(turn.candidate_outcome)
    weight = 100 + 10 * (after - before) if after > before else 0
    weight += 60 if turn.candidate_dropped > turn.baseline_dropped else 0
    weight += 40 if turn.candidate_outcome != turn.baseline_outcome and after <= before else 0
    weight += 20 if turn.candidate_intent != turn.baseline_intent else 0
    return weight + (0 if turn.same_sources else 5)


def _badness(outcome: str) -> int:
    return len(WORSE_OUTCOMES) - WORSE_OUTCOMES.index(outcome) if outcome in WORSE_OUTCOMES else 0


def _paired(fails: Sequence[tuple[bool, bool]]) -> PairedDifference:
    only_baseline = sum(before and not after for before, after in fails)
    only_candidate = sum(after and not before for before, after in fails)
    return paired_difference(only_baseline, only_candidate, len(fails))


def _changes(pairs: Sequence[tuple[str, str]]) -> tuple[Change, ...]:
    counted: dict[tuple[str, str], int] = {}
    for pair in pairs:
        if pair[0] != pair[1]:
            counted[pair] = counted.get(pair, 0) + 1
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Change(before, after, turns) for (before, after), turns in ranked[:SHOWN])


def _quantiles(turns: Sequence[ShadowTurn], share: float) -> SideBySide:
    return SideBySide(
        _quantile([turn.baseline_ms for turn in turns], share),
        _quantile([turn.candidate_ms for turn in turns], share),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Return the quantile by the nearest rank."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _mean(costs: Sequence[Decimal | None]) -> float | None:
    """Return the mean per turn; a turn that called no model cost nothing."""
    return float(sum((cost or Decimal(0) for cost in costs), Decimal(0))) / len(costs) if costs else None
