"""What a situation asks for. Pure: the same situation gives the same decision, now and from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from steward.improve.rollout import breaker, sample_ratio
from steward.improve.rollout import situation as situations
from steward.improve.rollout.contracts import (
    ALL,
    Advance,
    Evidence,
    Finding,
    Look,
    Rollout,
    RolloutKind,
    RolloutState,
    Stage,
    TriggerVerdict,
)
from steward.improve.rollout.plan import buckets_of
from steward.improve.rollout.sample_ratio import SampleRatio
from steward.improve.rollout.situation import Situation
from steward.improve.rollout.verdicts import evidence_of, judge
from steward.supply.releases.assignment import BUCKETS, Arm

NO_DATA: Final = "No data"
"""How the reason of a hold begins that ends by itself when the measure arrives again."""
MISMATCH: Final = "The groups' sizes"
"""How the reason of a hold begins that doesn't."""
GRAVE: Final = "the guard or the ledger failed in a turn of the candidate"
LEAST_LEFT: Final = 30
"""Customers per arm in the other categories from which these may go on when one is rolled back."""
REMEMBERED: Final = 4096
"""Verdicts kept: sums that haven't changed are not judged again."""

judged = lru_cache(maxsize=REMEMBERED)(judge)


class Deed(StrEnum):
    """What to do; each is also the timeline's word for it, but for `NOTHING`."""

    NOTHING = "nothing"
    ROLL_BACK = "rolled_back"
    ROLL_BACK_CATEGORIES = "category_rolled_back"
    HOLD = "held"
    RESUME = "resumed"
    ASK = "approval_asked"
    ENTER = "phase_started"
    PROMOTE = "promoted"
    CONCLUDE = "concluded"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why. `event_at` is the last event that decided it; `phase` is the one to enter."""

    deed: Deed
    reason: str = ""
    categories: tuple[str, ...] = ()
    phase: int | None = None
    event_at: datetime | None = None


NOTHING: Final = Decision(Deed.NOTHING)


# ------------------------------------------------------------------ looking


def look(situation: Situation, *, phase: int | None = None) -> Look:
    """Judge every trigger over all categories that take part, and in each of several."""
    phase = situation.rollout.phase if phase is None else phase
    ratio = _sample_ratio(situation, phase)
    return Look(
        rollout_id=situation.rollout.id,
        phase=phase,
        at=situation.at,
        verdicts=tuple(judged(item) for item in _evidence(situation, phase)),
        sample_ratio_ok=ratio.ok,
        sample_ratio_p=ratio.p,
    )


def _evidence(situation: Situation, phase: int) -> Iterator[Evidence]:
    plan = situation.rollout.plan
    if not plan.phases[phase].is_randomised:
        return
    live = situation.categories(phase)
    for category in (ALL, *(live if len(live) > 1 else ())):
        among = live if category == ALL else (category,)
        for trigger in plan.triggers:
            yield evidence_of(
                plan,
                trigger,
                category=category,
                phase=phase,
                baseline=situation.total(phase, trigger.kpi, Arm.BASELINE, categories=among).sums,
                candidate=situation.total(phase, trigger.kpi, Arm.CANDIDATE, categories=among).sums,
                stale=trigger.kpi in situation.stale and phase == situation.rollout.phase,
            )


def _sample_ratio(situation: Situation, phase: int) -> SampleRatio:
    planned = situation.rollout.plan.phases[phase]
    if not planned.is_randomised or phase != situation.rollout.phase:
        return SampleRatio(ok=True, p=None)
    share = buckets_of(planned.share_percent) / BUCKETS
    assigned = situation.assigned
    return sample_ratio.check(assigned.get(Arm.BASELINE, 0), assigned.get(Arm.CANDIDATE, 0), share=share)


def numbers_of(situation: Situation, seen: Look) -> dict[str, Any]:
    """Return what a decision stood on, for timeline and ledger."""
    return {
        "situation": situations.as_json(situation),
        "verdicts": [verdict_json(verdict) for verdict in seen.verdicts],
        "sample_ratio": {"ok": seen.sample_ratio_ok, "p": seen.sample_ratio_p},
    }


def verdict_json(verdict: TriggerVerdict) -> dict[str, Any]:
    """Return a verdict as plain values."""
    return {name: getattr(verdict, name) for name in TriggerVerdict.__slots__}


# ------------------------------------------------------------------ deciding


def decide(situation: Situation, seen: Look) -> Decision:
    """Return what to do: stop harm first, then hold, then go on."""
    rollout = situation.rollout
    if rollout.kind is RolloutKind.SHADOW or not rollout.state.is_open or rollout.phase_started_at is None:
        return NOTHING
    return (
        broken(situation)
        or _harm(situation, seen)
        or _hold(situation, seen)
        or _way_on(situation, seen)
        or NOTHING
    )


def broken(situation: Situation) -> Decision | None:
    """Roll back for turns that fail, apart from statistics."""
    turns = situation.turns
    if grave := [turn.finished_at for turn in turns if turn.grave]:
        return Decision(Deed.ROLL_BACK, f"breaker: {GRAVE}", event_at=max(grave))
    why = breaker.tripped([turn.failed for turn in turns], situation.rollout.plan.breaker)
    if why is None:
        return None
    return Decision(Deed.ROLL_BACK, f"breaker: {why}", event_at=max(turn.finished_at for turn in turns))


def _harm(situation: Situation, seen: Look) -> Decision | None:
    """Roll back what is harmful, in this phase or in one whose conversations became final only now."""
    rollout = situation.rollout
    looks = [seen, *(look(situation, phase=phase) for phase in range(rollout.phase))]
    harmful = [
        (item.phase, verdict)
        for item in looks
        for verdict in item.verdicts
        if verdict.finding is Finding.HARMFUL
    ]
    if not harmful:
        return None
    live = situation.categories(rollout.phase)
    harmed = tuple(sorted({verdict.category for _, verdict in harmful} - {ALL}))
    left = tuple(name for name in live if name not in harmed)
    reason = "; ".join(_harm_in_words(verdict) for _, verdict in harmful)
    event_at = max(_last_event(situation, phase, verdict) for phase, verdict in harmful)
    if harmed and left and _rest_is_well(situation, harmed, {verdict.kpi for _, verdict in harmful}):
        return Decision(Deed.ROLL_BACK_CATEGORIES, reason, categories=harmed, event_at=event_at)
    return Decision(Deed.ROLL_BACK, reason, event_at=event_at)


def _rest_is_well(situation: Situation, harmed: Sequence[str], kpis: Set[str]) -> bool:
    """Tell whether the other categories show no harm by the measures that show it, from figures of their own.

    Categories that nothing is known of don't go on by themselves: what is known of the candidate is harm.
    """
    rollout = situation.rollout
    without = tuple(sorted({*rollout.harmed_categories, *harmed}))
    rest = replace(situation, rollout=replace(rollout, harmed_categories=without))
    verdicts = [item for phase in range(rollout.phase + 1) for item in look(rest, phase=phase).of(ALL)]
    if any(item.finding is Finding.HARMFUL for item in verdicts):
        return False
    return all(
        min(item.n_baseline, item.n_candidate) >= LEAST_LEFT
        and item.harm is not None
        and item.harm <= item.margin
        for item in look(rest).of(ALL)
        if item.kpi in kpis
    )


def _harm_in_words(verdict: TriggerVerdict) -> str:
    assert verdict.low is not None
    where = f" in {verdict.category}" if verdict.category != ALL else ""
    return (
        f"{verdict.kpi}{where} is worse by at least {verdict.low:.4g}, more than the margin of "
        f"{verdict.margin:g} (after {verdict.n_baseline + verdict.n_candidate} conversations)"
    )


def _last_event(situation: Situation, phase: int, verdict: TriggerVerdict) -> datetime:
    among = situation.categories(phase) if verdict.category == ALL else (verdict.category,)
    return max(situation.total(phase, verdict.kpi, arm, categories=among).last_at for arm in situations.SIDES)


def _hold(situation: Situation, seen: Look) -> Decision | None:
    """Stop going on where the data can't be trusted; go on again when a missing measure is back."""
    state = situation.rollout.state
    reason = _distrust(seen)
    if state is RolloutState.HELD:
        was_missing = (situation.rollout.hold_reason or "").startswith(NO_DATA)
        if reason is None and was_missing:
            return Decision(Deed.RESUME, "the measure arrives again")
        return NOTHING
    if state is RolloutState.PAUSED:
        return NOTHING
    return None if reason is None else Decision(Deed.HOLD, reason)


def _distrust(seen: Look) -> str | None:
    if not seen.sample_ratio_ok:
        return (
            f"{MISMATCH} don't come from chance (p = {seen.sample_ratio_p:.2g}): something puts customers "
            "into one group or loses them from it. Abort, find it and start again"
        )
    missing = sorted({item.kpi for item in seen.verdicts if item.finding is Finding.NO_DATA})
    if missing:
        return f"{NO_DATA}: {', '.join(missing)} stopped arriving while conversations go on"
    return None


def _way_on(situation: Situation, seen: Look) -> Decision | None:
    """Leave the phase when its minimums are reached and its rule is fulfilled."""
    rollout = situation.rollout
    if unmet(situation, seen):
        return None
    if rollout.kind is RolloutKind.EXPERIMENT:
        return Decision(Deed.CONCLUDE, "every trigger's harm is within its margin with confidence")
    following = rollout.phase + 1
    planned = rollout.plan.phases[following]
    if planned.stage is Stage.FULL and rollout.harmed_categories:
        return Decision(Deed.HOLD, _left_out(rollout))
    if situation.waits_for_agreement(following):
        if situation.agreements.get(following) == "waiting" and rollout.state is RolloutState.WAITING:
            return None
        return Decision(Deed.ASK, f"phase '{planned.name}' needs an agreement", phase=following)
    reason = f"phase '{rollout.current.name}' has reached its minimums, and {_rule_in_words(situation)}"
    if planned.stage is Stage.FULL:
        return Decision(Deed.PROMOTE, reason, phase=following)
    return Decision(Deed.ENTER, reason, phase=following)


def _left_out(rollout: Rollout) -> str:
    """Say why a release that was taken out of a category isn't promoted: that gives it to everybody."""
    return (
        f"everybody would get a release that was rolled back in {', '.join(rollout.harmed_categories)}. "
        "Abort, mend it there and start again"
    )


def _rule_in_words(situation: Situation) -> str:
    phase = situation.rollout.current
    if phase.advance is Advance.SAFE:
        return "every trigger's harm is within its margin with confidence"
    return "somebody agreed" if phase.advance is Advance.APPROVAL else "nothing is harmful"


def unmet(situation: Situation, seen: Look) -> tuple[str, ...]:
    """Return, in words, what is still missing before the phase can be left."""
    rollout, phase = situation.rollout, situation.rollout.current
    assert rollout.phase_started_at is not None
    missing = []
    arms = situations.SIDES if phase.is_randomised else (Arm.CANDIDATE,)
    for arm in arms:
        if (ended := situation.ended(arm)) < phase.minimum_conversations:
            missing.append(
                f"{phase.minimum_conversations - ended} more ended conversations on the {arm.value}"
            )
    lasts_until = rollout.phase_started_at + timedelta(hours=phase.minimum_hours)
    if situation.at < lasts_until:
        missing.append(f"time until {lasts_until:%Y-%m-%d %H:%M} UTC")
    if phase.advance is Advance.SAFE or rollout.kind is RolloutKind.EXPERIMENT:
        missing.extend(
            f"enough evidence on {item.kpi}" for item in seen.of(ALL) if item.finding is not Finding.SAFE
        )
    return tuple(missing)


def blocked(situation: Situation, seen: Look) -> str | None:
    """Return why not even a person may go on, or None: harm, data that can't be trusted, an unsafe full."""
    harmful = [verdict.kpi for verdict in seen.verdicts if verdict.finding is Finding.HARMFUL]
    if harmful:
        return f"{', '.join(sorted(set(harmful)))} is worse than the margin allows"
    if (reason := _distrust(seen)) is not None:
        return reason
    following = situation.rollout.plan.phases[situation.rollout.phase + 1]
    if following.stage is Stage.FULL and situation.rollout.harmed_categories:
        return _left_out(situation.rollout)
    unsafe = [item.kpi for item in seen.of(ALL) if item.finding is not Finding.SAFE]
    if following.stage is Stage.FULL and unsafe:
        return f"everybody gets a release only when it's known to be safe, and {', '.join(unsafe)} isn't yet"
    return None
