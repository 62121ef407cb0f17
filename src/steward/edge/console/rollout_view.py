"""The page of a rollout, laid out: steps, arms side by side, verdicts with bars, and what is to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from steward.edge.console import measures
from steward.edge.console.rollout_words import (
    FINDINGS,
    leaving_in_words,
    phase_in_words,
    stage_in_words,
    waiting_approval,
)
from steward.edge.templates import DASH, milliseconds, money
from steward.improve.insight.contracts import Sums
from steward.improve.insight.figures import figure_of
from steward.improve.rollout.contracts import (
    ALL,
    ArmFigures,
    Finding,
    PhaseApproval,
    PlannedPhase,
    Rollout,
    RolloutEvent,
    RolloutKind,
    RolloutPage,
    RolloutState,
    TriggerVerdict,
)
from steward.improve.rollout.sample_ratio import SampleRatio, check
from steward.supply.releases.assignment import Arm

_WIDE: Final = 6.0
"""Margins to each side of zero that a bar shows at most; what lies beyond is cut off with an arrow."""
_BAR: Final = 1000.0
_WHOLE: Final = frozenset({"situation", "plan"})
_LEAST_CUSTOMERS: Final = 20
"""Customers before their pace says when evidence will be there."""


class StepState(StrEnum):
    """Where a phase stands."""

    DONE = "done"
    CURRENT = "current"
    ENDED = "ended"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Step:
    """One phase in the strip at the top."""

    name: str
    stage: str
    whom: str
    categories: tuple[str, ...]
    leaving: str
    state: StepState
    began_at: datetime | None
    customers: int
    progress: float | None
    approval: PhaseApproval | None
    needs_role: str | None


@dataclass(frozen=True, slots=True)
class Bar:
    """Places of a harm's interval on a line from 0 to 1000. `cut` ends go on beyond the line."""

    zero: float
    margin: float
    low: float
    high: float
    harm: float
    cut_low: bool
    cut_high: bool
    text: str


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One trigger's verdict with everything that it stands on, in words."""

    kpi: str
    title: str
    meaning: str
    finding: Finding
    word: str
    category: str
    margin: str
    baseline: str
    candidate: str
    harm: str
    interval: str
    n_baseline: int
    n_candidate: int
    needed: int | None
    ready_at: datetime | None
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one arm; `note` says how sure it is."""

    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ArmTable:
    """A phase's arms side by side: each row has a label and a cell per arm."""

    phase: str
    arms: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Steering:
    """What may be done now, before asking who."""

    advance: bool
    conclude: bool
    pause: bool
    resume: bool
    roll_back: bool
    abort: bool
    approval: PhaseApproval | None
    categories: tuple[str, ...]


def steps_of(page: RolloutPage) -> tuple[Step, ...]:
    """Lay the plan's phases out, with what became of each."""
    rollout = page.rollout
    began = {event.phase: event.at for event in page.events if event.kind == "phase_started"}
    approvals = {approval.phase: approval for approval in page.approvals}
    return tuple(
        _step(rollout, place, phase, began.get(place), approvals.get(place), page.arms)
        for place, phase in enumerate(rollout.plan.phases)
    )


def _step(
    rollout: Rollout,
    place: int,
    phase: PlannedPhase,
    began_at: datetime | None,
    approval: PhaseApproval | None,
    arms: Sequence[ArmFigures],
) -> Step:
    here = [arm for arm in arms if arm.phase == place and arm.arm is not Arm.HOLDOUT]
    compared = [arm.ended for arm in here if arm.arm is Arm.CANDIDATE or phase.is_randomised]
    progress = min(compared) / phase.minimum_conversations if compared else None
    return Step(
        name=phase.name,
        stage=stage_in_words(phase),
        whom=phase_in_words(phase, simulated=rollout.simulated),
        categories=phase.categories,
        leaving=leaving_in_words(phase),
        state=_step_state(rollout, place, began_at),
        began_at=began_at,
        customers=sum(arm.customers for arm in here if arm.arm is Arm.CANDIDATE),
        progress=None if progress is None else min(progress, 1.0),
        approval=approval,
        needs_role=phase.approval,
    )


def _step_state(rollout: Rollout, place: int, began_at: datetime | None) -> StepState:
    if place < rollout.phase or rollout.state is RolloutState.PROMOTED:
        return StepState.DONE
    if place > rollout.phase or (began_at is None and not rollout.state.is_open):
        return StepState.AHEAD
    return StepState.CURRENT if rollout.state.is_open else StepState.ENDED


def verdicts_of(page: RolloutPage, *, now: datetime) -> tuple[VerdictLine, ...]:
    """Return the verdicts over all categories, in the plan's order of triggers."""
    order = {trigger.kpi: place for place, trigger in enumerate(page.rollout.plan.triggers)}
    overall = sorted(
        (verdict for verdict in page.latest if verdict.category == ALL),
        key=lambda verdict: order.get(verdict.kpi, len(order)),
    )
    return tuple(_line(page, verdict, now) for verdict in overall)


def categories_of(page: RolloutPage, *, now: datetime) -> Mapping[str, tuple[VerdictLine | None, ...]]:
    """Return the verdicts of each category that has its own, in the plan's order of triggers."""
    lines = {
        (verdict.category, verdict.kpi): _line(page, verdict, now)
        for verdict in page.latest
        if verdict.category != ALL
    }
    names = sorted({category for category, _ in lines})
    triggers = [trigger.kpi for trigger in page.rollout.plan.triggers]
    return {name: tuple(lines.get((name, kpi)) for kpi in triggers) for name in names}


def _line(page: RolloutPage, verdict: TriggerVerdict, now: datetime) -> VerdictLine:
    currency = page.currency
    undecided = verdict.finding is Finding.UNKNOWN and page.rollout.state.is_open
    return VerdictLine(
        kpi=verdict.kpi,
        title=measures.title_of(verdict.kpi),
        meaning=measures.meaning_of(verdict.kpi),
        finding=verdict.finding,
        word=FINDINGS[verdict.finding],
        category=verdict.category,
        margin=measures.change_in_words(verdict.kpi, verdict.margin, currency),
        baseline=measures.value_in_words(verdict.kpi, verdict.baseline, currency),
        candidate=measures.value_in_words(verdict.kpi, verdict.candidate, currency),
        harm=_harm(verdict, currency),
        interval=measures.range_in_words(verdict.kpi, verdict.low, verdict.high, currency),
        n_baseline=verdict.n_baseline,
        n_candidate=verdict.n_candidate,
        needed=verdict.needed if undecided else None,
        ready_at=_ready_at(page, verdict, now) if undecided else None,
        bar=bar_of(verdict, currency),
    )


def _harm(verdict: TriggerVerdict, currency: str) -> str:
    if verdict.harm is None:
        return DASH
    amount = measures.change_in_words(verdict.kpi, verdict.harm, currency)
    if amount.startswith("0 "):
        return "no difference"
    return f"{amount} {'worse' if verdict.harm > 0 else 'better'}"


def _ready_at(page: RolloutPage, verdict: TriggerVerdict, now: datetime) -> datetime | None:
    """Return when enough customers will have come at the phase's pace so far."""
    since, so_far = page.rollout.phase_started_at, verdict.n_baseline + verdict.n_candidate
    if since is None or verdict.needed is None or so_far < _LEAST_CUSTOMERS or now <= since:
        return None
    wait_s = verdict.needed * (now - since).total_seconds() / so_far
    return now + timedelta(seconds=wait_s) if wait_s < timedelta(days=365).total_seconds() else None


def bar_of(verdict: TriggerVerdict, currency: str) -> Bar | None:
    """Place a harm's interval on a line that shows zero and the margin; None before there is any."""
    if verdict.harm is None:
        return None
    margin = verdict.margin or abs(verdict.harm) or 1.0
    widest = _WIDE * margin
    low = -widest if verdict.low is None else verdict.low
    high = widest if verdict.high is None else verdict.high
    left = max(min(low, verdict.harm, -1.5 * margin), -widest) * 1.08
    right = min(max(high, verdict.harm, 2.5 * margin), max(widest, verdict.harm * 1.3)) * 1.08

    def place(value: float) -> float:
        return min(max((value - left) / (right - left), 0.0), 1.0) * _BAR

    cut_low = verdict.low is None or low < left
    cut_high = verdict.high is None or high > right
    return Bar(
        zero=place(0.0),
        margin=place(verdict.margin),
        low=place(low),
        high=place(high),
        harm=place(verdict.harm),
        cut_low=cut_low,
        cut_high=cut_high,
        text=f"harm {measures.range_in_words(verdict.kpi, verdict.low, verdict.high, currency)}, "
        f"margin {measures.change_in_words(verdict.kpi, verdict.margin, currency)}",
    )


# ------------------------------------------------------------------ arms side by side


def arm_tables(page: RolloutPage) -> tuple[ArmTable, ...]:
    """Return the arms of each phase that has begun, the latest phase first."""
    places = sorted({arm.phase for arm in page.arms}, reverse=True)
    return tuple(_table(page, place) for place in places)


def _table(page: RolloutPage, place: int) -> ArmTable:
    order = {Arm.BASELINE: 0, Arm.CANDIDATE: 1, Arm.HOLDOUT: 2}
    arms = sorted((arm for arm in page.arms if arm.phase == place), key=lambda arm: order[arm.arm])
    phase = page.rollout.plan.phases[place]
    rows: list[tuple[str, tuple[Cell, ...]]] = [
        ("Customers", tuple(Cell(f"{arm.customers:,}") for arm in arms)),
        ("Conversations", tuple(Cell(f"{arm.conversations:,}", f"{arm.ended:,} ended") for arm in arms)),
        ("Turns", tuple(Cell(f"{arm.turns:,}") for arm in arms)),
    ]
    watched = [trigger.kpi for trigger in page.rollout.plan.triggers]
    others = sorted({kpi for arm in arms for kpi in arm.sums} - set(watched))
    for kpi in (*watched, *others):
        cells = tuple(_kpi_cell(kpi, arm.sums.get(kpi), page.currency) for arm in arms)
        rows.append((measures.title_of(kpi), cells))
    rows += [
        ("Cost", tuple(_cost_cell(arm, page.currency) for arm in arms)),
        (
            "Whole answer",
            tuple(
                Cell(milliseconds(arm.p50_ms), f"95 of 100 within {milliseconds(arm.p95_ms)}") for arm in arms
            ),
        ),
    ]
    return ArmTable(
        phase=f"{phase.name}: {phase_in_words(phase, simulated=page.rollout.simulated)}",
        arms=tuple(_arm_title(page, arm.arm) for arm in arms),
        rows=tuple(rows),
    )


def _arm_title(page: RolloutPage, arm: Arm) -> str:
    match arm:
        case Arm.CANDIDATE:
            return f"Candidate, release {page.candidate_number}"
        case Arm.BASELINE:
            return f"Baseline, release {page.baseline_number}"
        case Arm.HOLDOUT:
            return "Holdout"


def _kpi_cell(kpi: str, sums: Sums | None, currency: str) -> Cell:
    if sums is None or not sums.d:
        return Cell(DASH, "n = 0")
    figure = figure_of(sums, share=measures.unit_of(kpi) == "share")
    value = measures.value_in_words(kpi, figure.value, currency)
    # Where each unit counts once or not at all, those that count are the sum of the denominators.
    n = round(sums.d) if sums.dd == sums.d else sums.n
    counted = f"n = {n:,}" if n == sums.n else f"n = {n:,} of {sums.n:,} customers"
    if figure.low is None or figure.high is None or figure.low == figure.high:
        return Cell(value, counted)
    low, high = (measures.value_in_words(kpi, end, currency) for end in (figure.low, figure.high))
    unit = high.partition(" ")[2]
    return Cell(value, f"{low.removesuffix(unit).strip()} to {high}, {counted}")


def _cost_cell(arm: ArmFigures, currency: str) -> Cell:
    if not arm.conversations:
        return Cell(DASH)
    each = money(f"{arm.cost / arm.conversations:.6f}", currency)
    return Cell(money(f"{arm.cost:.6f}", currency), f"{each} a conversation")


# ------------------------------------------------------------------ what is to do, what to trust


def steering_of(page: RolloutPage) -> Steering:
    """Return what may be done in the state that a rollout is in."""
    rollout = page.rollout
    state, shadow = rollout.state, rollout.kind is RolloutKind.SHADOW
    begun = state.is_open and rollout.phase_started_at is not None
    going_on = begun and state in (RolloutState.RUNNING, RolloutState.WAITING)
    left = sorted(set(rollout.current.categories) - set(rollout.harmed_categories))
    return Steering(
        advance=going_on and rollout.kind is RolloutKind.ROLLOUT and waiting_approval(page) is None,
        conclude=begun and rollout.kind is not RolloutKind.ROLLOUT,
        pause=begun and state is not RolloutState.PAUSED,
        resume=begun and state in (RolloutState.HELD, RolloutState.PAUSED),
        roll_back=begun and not shadow,
        abort=state.is_open,
        approval=waiting_approval(page) if state.is_open else None,
        categories=tuple(left) if len(left) > 1 else (),
    )


def numbers_of(event: RolloutEvent) -> Mapping[str, object]:
    """Return what an event stood on, without the whole situation, which the ledger keeps."""
    return {name: value for name, value in event.evidence.items() if name not in _WHOLE}


def sample_ratio_of(page: RolloutPage) -> SampleRatio | None:
    """Check the current phase's arms against the planned share; None where it compares none."""
    phase = page.rollout.current
    counts = {arm.arm: arm.customers for arm in page.arms if arm.phase == page.rollout.phase}
    if not phase.is_randomised or not counts:
        return None
    baseline, candidate = counts.get(Arm.BASELINE, 0), counts.get(Arm.CANDIDATE, 0)
    return check(baseline, candidate, share=phase.share_percent / 100)
