"""Everything that a decision about a rollout is made from, read at one moment, and as JSON.

A situation holds the sums of every phase, so that the decision can be made again from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.improve.insight.contracts import Sums
from steward.improve.rollout import plan as plans
from steward.improve.rollout import queries, sums
from steward.improve.rollout.contracts import Advance, PlannedTrigger, Rollout, RolloutKind, RolloutState
from steward.supply.releases.assignment import Arm

ENDED: Final = "ended"
"""Stands in the sums where KPIs do: customers whose first conversation in the phase has ended."""
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a measure last arrived that hasn't yet."""
MORE_TURNS: Final = 200
"""Turns that may end between two looks without one being missed by the breaker."""
EXPECTED: Final = 10.0
"""Arrivals that must be missing before a measure counts as stuck: none of ten has a chance of e^-10."""
UNSEEN_RATE: Final = 0.1
"""Share of conversations taken to have a measure that was never seen in either arm."""
SIDES: Final = (Arm.BASELINE, Arm.CANDIDATE)


class Key(NamedTuple):
    """Which units some sums are of."""

    phase: int
    kpi: str
    category: str
    arm: Arm


@dataclass(frozen=True, slots=True)
class Cell:
    """Sums, and when the last unit with a value in them became final."""

    sums: Sums
    last_at: datetime


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """One of the candidate's turns as the breaker sees it; `grave` is a fault of the guard or the ledger."""

    id: UUID
    finished_at: datetime
    failed: bool
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """A rollout and what is known of it. `turns` are the candidate's latest, oldest first.

    `assigned` are customers per arm in the current phase; `stale` names KPIs that stopped arriving;
    `agreements` are the states of approvals by phase.
    """

    rollout: Rollout
    at: datetime
    cells: Mapping[Key, Cell]
    assigned: Mapping[Arm, int]
    stale: frozenset[str]
    turns: tuple[TurnOutcome, ...]
    agreements: Mapping[int, str]

    def categories(self, phase: int) -> tuple[str, ...]:
        """Return the categories of a phase that still take part."""
        planned = self.rollout.plan.phases[phase].categories
        return tuple(name for name in planned if name not in self.rollout.harmed_categories)

    def total(self, phase: int, kpi: str, arm: Arm, *, categories: tuple[str, ...]) -> Cell:
        """Return the sums over some categories, added in their order."""
        together, last_at = Sums(), NEVER
        for category in categories:
            cell = self.cells.get(Key(phase, kpi, category, arm))
            if cell is not None:
                together, last_at = together.plus(cell.sums), max(last_at, cell.last_at)
        return Cell(together, last_at)

    def ended(self, arm: Arm) -> int:
        """Return the customers of the current phase whose first conversation has ended."""
        phase = self.rollout.phase
        return self.total(phase, ENDED, arm, categories=self.categories(phase)).sums.n

    def lacks_agreement(self, phase: int) -> bool:
        """Tell whether a phase names a role that hasn't agreed to it yet."""
        planned = self.rollout.plan.phases[phase]
        return planned.approval is not None and self.agreements.get(phase) != "approved"

    def waits_for_agreement(self, phase: int) -> bool:
        """Tell whether somebody must agree before a phase begins by itself."""
        by_decision = self.rollout.current.advance is Advance.APPROVAL
        return self.lacks_agreement(phase) or (by_decision and self.agreements.get(phase) != "approved")


async def gather(session: ReadSession, rollout: Rollout, *, at: datetime) -> Situation:
    """Read the situation of a rollout."""
    rows = await session.all(queries.SUMS, {"id": rollout.id})
    cells = {
        Key(phase, kpi, category, Arm(arm)): Cell(Sums(*numbers), last_at)
        for phase, kpi, category, arm, *numbers, last_at in rows
    }
    counted = await session.all(queries.ASSIGNED, {"id": rollout.id, "phase": rollout.phase})
    approvals = await session.all(queries.APPROVALS, {"id": rollout.id})
    situation = Situation(
        rollout=rollout,
        at=at,
        cells=cells,
        assigned={Arm(arm): number for arm, number in counted},
        stale=frozenset(),
        turns=await latest_turns(session, rollout),
        agreements={row[0]: row[2] for row in approvals},
    )
    return replace(situation, stale=await _stale(session, situation))


async def latest_turns(session: ReadSession, rollout: Rollout) -> tuple[TurnOutcome, ...]:
    """Return the candidate's latest turns, oldest first."""
    breaker = rollout.plan.breaker
    rows = await session.all(
        queries.LATEST_TURNS,
        {
            "id": rollout.id,
            "candidate": rollout.candidate,
            "harmed": list(rollout.harmed_categories),
            "limit": max(breaker.window_turns, breaker.consecutive_failures) + MORE_TURNS,
        },
    )
    return tuple(TurnOutcome(*row) for row in reversed(rows))


# ------------------------------------------------------------------ measures that stopped arriving


async def _stale(session: ReadSession, situation: Situation) -> frozenset[str]:
    """Return the KPIs that haven't arrived in some arm for too long, while its conversations went on."""
    rollout = situation.rollout
    if rollout.phase_started_at is None or not rollout.current.is_randomised:
        return frozenset()
    oldest = situation.at - timedelta(hours=rollout.plan.stale_hours)
    suspects = [
        (trigger, arm, cell)
        for trigger in rollout.plan.triggers
        for arm in SIDES
        for cell in [_arrived(situation, trigger, arm)]
        if max(cell.last_at, rollout.phase_started_at) < oldest
    ]
    if not suspects:
        return frozenset()
    rows = await session.all(
        queries.SINCE,
        {
            "id": rollout.id,
            "phase": rollout.phase,
            "kpis": [trigger.kpi for trigger, _, _ in suspects],
            "arms": [arm.value for _, arm, _ in suspects],
            "classes": [trigger.matures for trigger, _, _ in suspects],
            "since": [None if cell.last_at == NEVER else cell.last_at for _, _, cell in suspects],
        },
    )
    since = {(kpi, arm): number for kpi, arm, _, number in rows}
    return frozenset(
        trigger.kpi
        for trigger, arm, _ in suspects
        if since.get((trigger.kpi, arm.value), 0) * _rate(situation, trigger, arm) >= EXPECTED
    )


def _arrived(situation: Situation, trigger: PlannedTrigger, arm: Arm) -> Cell:
    phase = situation.rollout.phase
    return situation.total(phase, trigger.kpi, arm, categories=situation.categories(phase))


def _rate(situation: Situation, trigger: PlannedTrigger, arm: Arm) -> float:
    """Return the share of an arm's conversations that have the measure, as far as was seen.

    Those that have it are counted by Kish's effective number: weights and turns don't make them more.
    """
    other = Arm.CANDIDATE if arm is Arm.BASELINE else Arm.BASELINE
    for side in (arm, other):
        seen = _arrived(situation, trigger, side).sums
        if seen.dd > 0:
            return min(1.0, seen.d * seen.d / seen.dd / seen.n)
    return UNSEEN_RATE


# ------------------------------------------------------------------ as JSON


def as_json(situation: Situation) -> dict[str, Any]:
    """Return what a decision stood on as plain values."""
    rollout = situation.rollout
    return {
        "at": situation.at,
        "kind": rollout.kind,
        "state": rollout.state,
        "phase": rollout.phase,
        "phase_started_at": rollout.phase_started_at,
        "hold_reason": rollout.hold_reason,
        "harmed": list(rollout.harmed_categories),
        "plan": plans.as_json(rollout.plan),
        "sums": [
            {
                "phase": key.phase,
                "kpi": key.kpi,
                "category": key.category,
                "arm": key.arm,
                "last_at": cell.last_at,
                **sums.as_json(cell.sums),
            }
            for key, cell in sorted(situation.cells.items())
        ],
        "assigned": {arm.value: number for arm, number in sorted(situation.assigned.items())},
        "stale": sorted(situation.stale),
        "turns": [[str(turn.id), turn.finished_at, turn.failed, turn.grave] for turn in situation.turns],
        "agreements": {str(phase): state for phase, state in sorted(situation.agreements.items())},
    }


def from_json(kept: Mapping[str, Any], rollout: Rollout) -> Situation:
    """Read what `as_json` wrote; `rollout` gives what doesn't matter to the decision: ids and names."""
    started = kept["phase_started_at"]
    then = replace(
        rollout,
        kind=RolloutKind(kept["kind"]),
        state=RolloutState(kept["state"]),
        phase=kept["phase"],
        phase_started_at=None if started is None else datetime.fromisoformat(started),
        hold_reason=kept["hold_reason"],
        harmed_categories=tuple(kept["harmed"]),
        plan=plans.from_json(kept["plan"]),
    )
    return Situation(
        rollout=then,
        at=datetime.fromisoformat(kept["at"]),
        cells={
            Key(item["phase"], item["kpi"], item["category"], Arm(item["arm"])): Cell(
                sums.from_json(item), datetime.fromisoformat(item["last_at"])
            )
            for item in kept["sums"]
        },
        assigned={Arm(arm): number for arm, number in kept["assigned"].items()},
        stale=frozenset(kept["stale"]),
        turns=tuple(
            TurnOutcome(UUID(turn), datetime.fromisoformat(finished), *how)
            for turn, finished, *how in kept["turns"]
        ),
        agreements={int(phase): state for phase, state in kept["agreements"].items()},
    )
