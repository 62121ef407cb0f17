"""Starting a rollout: choose two releases, see what would happen and what could be found, then begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, Refusal
from steward.edge.console import measures
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.console.rollout_words import leaving_in_words, phase_in_words
from steward.edge.contracts import Services
from steward.edge.entrance import caller_of, services_of
from steward.edge.templates import DASH
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import require
from steward.improve.evals.contracts import GateResult
from steward.improve.rollout.contracts import PlannedTrigger, RolloutKind
from steward.improve.rollout.forecast import Forecast, PhaseForecast
from steward.improve.rollout.power import TriggerPower
from steward.supply.releases.contracts import Release
from steward.supply.releases.difference import Difference

router = APIRouter(prefix="/console/rollouts", include_in_schema=False)

KIND_CHOICES = (
    (RolloutKind.ROLLOUT, "a rollout: by phases towards everybody"),
    (RolloutKind.EXPERIMENT, "an A/B comparison: half and half, nothing is promoted"),
    (RolloutKind.SHADOW, "a shadow: it answers, nobody hears it"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody thinks of starting."""

    candidate: str = ""
    baseline: str = ""
    kind: RolloutKind = RolloutKind.ROLLOUT
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class PowerLine:
    """What one trigger can find in one phase, in words."""

    title: str
    margin: str
    usual: str
    finds: str
    double: str
    safe: str


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """One phase before it starts."""

    name: str
    whom: str
    leaving: str
    needs_role: str | None
    customers_per_day: float | None
    lines: tuple[PowerLine, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything that is shown about a choice before it is made."""

    candidate: Release
    baseline: Release
    difference: Difference
    gate: GateResult | None
    phases: tuple[PhaseLine, ...]


@router.get("/new")
@page(Permission.ROLLOUT_WRITE)
async def choose(
    request: Request, candidate: str = "", baseline: str = "", kind: str = "", lane: str = ""
) -> Response:
    """Show the form, and what the choice would mean once a candidate is named."""
    choice = Choice(candidate, baseline, kind_of(kind or "rollout"), lane == "simulated")
    return await _form(request, choice)


@router.post("")
@page(Permission.ROLLOUT_WRITE)
async def start(request: Request) -> Response:
    """Begin, and show the rollout; what stands in the way is told beside the form."""
    form, services = form_of(request), services_of(request)
    reason = form.get("reason", "").strip()
    choice = Choice(
        form.get("candidate", ""),
        form.get("baseline", ""),
        kind_of(form.get("kind", "")),
        form.get("lane") == "simulated",
    )
    if not 0 < len(reason) <= 1000:
        raise InvalidInput("Give a reason of up to 1,000 characters; it goes into the ledger.")
    waives = form.get("without_gate") == "yes"
    if waives:
        require(caller_of(request).account, Permission.ROLLOUT_WAIVE)
    try:
        started = await services.rollouts.start(
            assistant=services.settings.assistant,
            candidate=choice.candidate,
            baseline=choice.baseline or None,
            kind=choice.kind,
            simulated=choice.simulated,
            without_gate=waives,
            by=caller_of(request).account.actor,
            reason=reason,
        )
    except Refusal as refusal:
        return await _form(request, choice, problem=str(refusal), reason=reason)
    return see(f"/console/rollouts/{started.id}")


async def _form(request: Request, choice: Choice, *, problem: str = "", reason: str = "") -> Response:
    services = services_of(request)
    outlook = None
    if choice.candidate:
        try:
            outlook = await outlook_of(services, choice)
        except Refusal as refusal:
            problem = problem or str(refusal)
    return await show(
        request,
        "start.html",
        status=409 if problem and reason else 200,
        page="rollouts",
        title="Start a rollout",
        releases=await services.releases.recent(limit=100, assistant=services.settings.assistant),
        choice=choice,
        kinds=KIND_CHOICES,
        may_waive=Permission.ROLLOUT_WAIVE in caller_of(request).account.permissions,
        outlook=outlook,
        problem=problem,
        reason=reason,
    )


def kind_of(text: str) -> RolloutKind:
    """Return what is to be started.

    Raises:
        InvalidInput: it's none of the three.
    """
    if text not in set(RolloutKind):
        raise InvalidInput("kind has to be rollout, experiment or shadow.")
    return RolloutKind(text)


async def outlook_of(services: Services, choice: Choice) -> Outlook:
    """Return what a choice would mean."""
    assistant = services.settings.assistant
    candidate = await services.releases.find(choice.candidate, assistant=assistant)
    if choice.baseline:
        baseline = await services.releases.find(choice.baseline, assistant=assistant)
    else:
        served = await services.releases.traffic(assistant, simulated=choice.simulated)
        baseline = await services.releases.find(served.release_id)
    forecast = await services.forecasts.of(candidate.id, kind=choice.kind, simulated=choice.simulated)
    return Outlook(
        candidate=candidate,
        baseline=baseline,
        difference=await services.releases.diff(baseline.id, candidate.id),
        gate=await services.evaluations.gate(candidate.id, baseline.id),
        phases=phase_lines(forecast, simulated=choice.simulated),
    )


def phase_lines(forecast: Forecast, *, simulated: bool) -> tuple[PhaseLine, ...]:
    """Return a plan's phases with what each could find."""
    known: Mapping[str, PhaseForecast] = {item.phase.name: item for item in forecast.phases}
    return tuple(
        PhaseLine(
            name=phase.name,
            whom=phase_in_words(phase, simulated=simulated),
            leaving=leaving_in_words(phase),
            needs_role=phase.approval,
            customers_per_day=known[phase.name].customers_per_day if phase.name in known else None,
            lines=_power_lines(forecast, known[phase.name]) if phase.name in known else (),
        )
        for phase in forecast.plan.phases
    )


def _power_lines(forecast: Forecast, phase: PhaseForecast) -> tuple[PowerLine, ...]:
    """Return what each trigger could find; nothing can be told of those whose KPI isn't known yet."""
    known = {power.kpi: power for power in phase.powers}
    return tuple(
        power_line(known[trigger.kpi]) if trigger.kpi in known else _unknown(trigger)
        for trigger in forecast.plan.triggers
    )


def _unknown(trigger: PlannedTrigger) -> PowerLine:
    margin = measures.change_in_words(trigger.kpi, trigger.margin, "")
    return PowerLine(measures.title_of(trigger.kpi), margin, "no data yet", DASH, DASH, DASH)


def power_line(power: TriggerPower) -> PowerLine:
    """Put what one trigger can find into words."""

    def takes(customers: int | None, days: float | None) -> str:
        if customers is None:
            return "never"
        return f"{customers:,} customers" + ("" if days is None else f", {in_days(days)}")

    def change(amount: Any) -> str:
        return measures.change_in_words(power.kpi, amount, "")

    return PowerLine(
        title=measures.title_of(power.kpi),
        margin=change(power.margin),
        usual=measures.value_in_words(power.kpi, power.baseline, ""),
        finds="no harm, however large"
        if power.harm_80 is None
        else f"harm of {change(power.harm_80)} or more",
        double=takes(power.double_customers, power.double_days),
        safe=takes(power.safe_customers, power.safe_days),
    )


def in_days(days: float) -> str:
    """Return a time that people can plan with."""
    if days < 1:
        return f"{max(1, round(days * 24))} h"
    return f"{days:.0f} days" if days < 730 else f"{days / 365:.0f} years"
