"""`steward rollout start|status`: what needs releases and evaluations as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.evaluate import told
from steward.app.commands.steering import find, line_of, rollout_json
from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation, open_foundation
from steward.base.errors import InvalidInput
from steward.improve.evals.reports import gate_as_text
from steward.improve.evals.service import Evals
from steward.improve.rollout.contracts import (
    ALL,
    Finding,
    RolloutEvent,
    RolloutKind,
    RolloutPage,
    TriggerVerdict,
)
from steward.improve.rollout.errors import AlreadyUnderWay
from steward.improve.rollout.service import Rollouts
from steward.supply.releases.traffic import TrafficControl

SAID = {
    Finding.HARMFUL: "harmful",
    Finding.SAFE: "safe",
    Finding.UNKNOWN: "not enough evidence",
    Finding.NO_DATA: "no data",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for."""

    release: str
    against: str | None
    experiment: bool
    shadow: bool
    simulated: bool
    without_gate: bool
    reason: str

    @property
    def kind(self) -> RolloutKind:
        """What traffic is to be divided for.

        Raises:
            InvalidInput: two kinds were asked for.
        """
        if self.experiment and self.shadow:
            raise InvalidInput("--experiment and --shadow are two things; choose one.")
        if self.experiment:
            return RolloutKind.EXPERIMENT
        return RolloutKind.SHADOW if self.shadow else RolloutKind.ROLLOUT


def run_start(wanted: Wanted, *, as_json: bool, data_dir: Path | None) -> int:
    """Evaluate where that is still to be done, then begin."""
    kind = wanted.kind

    async def work(foundation: Foundation) -> int:
        evals = open_evals(foundation)
        candidate = await foundation.releases.find(wanted.release)
        rollouts = rollouts_of(foundation, evals)
        asked = kind is not RolloutKind.SHADOW and not wanted.without_gate
        if asked:
            await _refuse_a_second(rollouts, candidate.assistant, simulated=wanted.simulated)
        if asked and not await _evaluated(foundation, evals, wanted, candidate.assistant, candidate.id):
            return 1
        rollout = await rollouts.start(
            assistant=candidate.assistant,
            candidate=candidate.id,
            kind=kind,
            baseline=wanted.against,
            simulated=wanted.simulated,
            by=OPERATOR,
            reason=wanted.reason,
            without_gate=wanted.without_gate,
        )
        print_json(rollout_json(rollout)) if as_json else print(line_of(rollout))
        return 0

    return _with_foundation(data_dir, work)


async def _refuse_a_second(rollouts: Rollouts, assistant: str, *, simulated: bool) -> None:
    """Say before an evaluation, which may cost money, what the start would say after it."""
    for other in await rollouts.recent(assistant=assistant, simulated=simulated):
        if other.state.is_open and other.kind is not RolloutKind.SHADOW:
            raise AlreadyUnderWay(assistant, other.id, other.state.value)


async def _evaluated(
    foundation: Foundation, evals: Evals, wanted: Wanted, assistant: str, candidate: str
) -> bool:
    """Run the comparison unless it was run; tell why when it isn't passed."""
    if wanted.against is None:
        baseline = (await foundation.releases.traffic(assistant, simulated=wanted.simulated)).release_id
    else:
        baseline = (await foundation.releases.find(wanted.against, assistant=assistant)).id
    if baseline == candidate:
        return True
    gate = await evals.gate(candidate, baseline)
    if gate is None:
        say("evaluating both releases first")
        gate = await evals.compare(candidate, baseline, progress=told)
    if not gate.passed:
        print(gate_as_text(gate))
    return gate.passed


def run_status(reference: str | None, *, as_json: bool, data_dir: Path | None) -> int:
    """Show a rollout; without a reference the newest."""

    async def work(foundation: Foundation) -> int:
        rollouts = rollouts_of(foundation, open_evals(foundation))
        rollout = await find(rollouts, reference, newest=True)
        page = await rollouts.page(rollout.id)
        missing = await rollouts.missing(rollout.id)
        if as_json:
            print_json({**asdict(page), "rollout": rollout_json(page.rollout), "missing": missing})
        else:
            print(in_words(page, missing))
        return 0

    return _with_foundation(data_dir, work)


def rollouts_of(foundation: Foundation, evals: Evals) -> Rollouts:
    """Build the service for a command."""
    return Rollouts(
        database=foundation.store.database,
        releases=foundation.releases,
        gates=evals,
        ledger=foundation.ledger,
        traffic=TrafficControl(foundation.clock),
        clock=foundation.clock,
        conditions=foundation.governing,
    )


def in_words(page: RolloutPage, missing: tuple[str, ...]) -> str:
    """Return a rollout for people: where it stands, what is known, what happened."""
    rollout = page.rollout
    lane = ", simulated customers only" if rollout.simulated else ""
    lines = [
        f"{rollout.kind.value} {rollout.id} of '{rollout.assistant}'{lane}",
        f"  release {page.candidate_number} against {page.baseline_number}: "
        f"{rollout.state.value.replace('_', ' ')}, phase '{rollout.current.name}'",
    ]
    for reason in (rollout.hold_reason, rollout.end_reason):
        lines += [f"  because {reason}"] if reason else []
    lines += [f"  changed: {change}" for change in page.changes]
    for arm in page.arms:
        name = rollout.plan.phases[arm.phase].name
        lines.append(
            f"  {name:<12} {arm.arm.value:<10} {arm.customers:>6} customers, {arm.ended:>6} ended, "
            f"{arm.turns:>7} turns"
        )
    lines.append(
        f"  {page.customers_met or 0} {'invented ' if rollout.simulated else ''}customers met it; its "
        f"answers cost {page.cost_candidate:.2f} {page.currency}"
    )
    lines += [f"  {verdict_in_words(verdict)}" for verdict in page.latest if verdict.category == ALL]
    lines += [f"  lacks {each}" for each in missing]
    lines += ["", *(event_in_words(event) for event in page.events)]
    return "\n".join(lines)


def verdict_in_words(verdict: TriggerVerdict) -> str:
    """Return a verdict in one line."""
    harm = "not known yet" if verdict.harm is None else f"{verdict.harm:+.4g} ({_interval(verdict)})"
    needs = f", needs about {verdict.needed} more customers" if verdict.needed else ""
    return f"{verdict.kpi:<24} {SAID[verdict.finding]:<20} harm {harm}, margin {verdict.margin:g}{needs}"


def _interval(verdict: TriggerVerdict) -> str:
    low, high = verdict.low, verdict.high
    if low is None and high is None:
        return "interval not known yet"
    if high is None:
        return f"at least {low:+.4g}"
    return f"at most {high:+.4g}" if low is None else f"{low:+.4g} to {high:+.4g}"


def event_in_words(event: RolloutEvent) -> str:
    """Return what happened in one line."""
    within = event.evidence.get("decided_within_ms")
    quickly = "" if within is None else f" ({within} ms after the event that decided)"
    return (
        f"{event.at:%Y-%m-%d %H:%M:%S}  {event.kind.replace('_', ' '):<21} {event.actor:<10} "
        f"{event.reason}{quickly}"
    )


def _with_foundation(data_dir: Path | None, work: Callable[[Foundation], Awaitable[int]]) -> int:
    settings = prepared(data_dir)

    async def opened() -> int:
        async with open_foundation(settings, say=say) as foundation:
            return await work(foundation)

    return run_async(opened)
