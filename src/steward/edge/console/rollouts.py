"""Rollouts: the list, one rollout explained on one page, and what an operator does with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.callers import role_of
from steward.edge.console import measures
from steward.edge.console.entry import form_of, is_partial, page, see, show
from steward.edge.console.people import People
from steward.edge.console.rollout_charts import charts_of
from steward.edge.console.rollout_view import (
    arm_tables,
    categories_of,
    numbers_of,
    sample_ratio_of,
    steering_of,
    steps_of,
    verdicts_of,
)
from steward.edge.console.rollout_words import (
    KINDS,
    STATES,
    baseline_in_words,
    customers_met,
    event_in_words,
    everybody_in_words,
    phase_in_words,
    reason_in_words,
    summary,
    verdict_in_a_word,
)
from steward.edge.contracts import Services
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import phase_of, rollout_id_of
from steward.edge.templates import money, words
from steward.govern.access.permissions import Permission
from steward.improve.rollout.contracts import Rollout, RolloutId, RolloutPage, RolloutState
from steward.supply.releases.contracts import ReleaseId

router = APIRouter(prefix="/console/rollouts", include_in_schema=False)

ADMIN = "admin"
LISTED = 100


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """A rollout in the list, in words."""

    rollout: Rollout
    candidate: str
    baseline: str
    kind: str
    state: str
    reach: str
    since: datetime
    verdict: str


@router.get("")
@page(Permission.ROLLOUT_READ)
async def list_rollouts(request: Request, lane: str = "") -> Response:
    """Show the rollouts, the latest first; the list renews itself."""
    if lane not in {"", "real", "simulated"}:
        raise InvalidInput("lane has to be real or simulated.")
    return await show(
        request,
        "_rollouts.html" if is_partial(request) else "rollouts.html",
        page="rollouts",
        title="Rollouts",
        lane=lane,
        lines=await _lines(services_of(request), lane),
    )


@router.get("/{rollout_id}")
@page(Permission.ROLLOUT_READ)
async def show_rollout(request: Request, rollout_id: str) -> Response:
    """Show one rollout: what happened, when, why, what it cost and who agreed."""
    values = await _state(request, rollout_id_of(rollout_id))
    return await show(request, "rollout.html", assets=("vega.js", "charts.js"), page="rollouts", **values)


@router.get("/{rollout_id}/live")
@page(Permission.ROLLOUT_READ)
async def live_rollout(request: Request, rollout_id: str) -> Response:
    """Return the page's content anew; what is being typed stays."""
    values = await _state(request, rollout_id_of(rollout_id))
    return await show(request, "_rollout.html", page="", **values)


@router.post("/{rollout_id}/advance")
@page(Permission.ROLLOUT_WRITE)
async def advance(request: Request, rollout_id: str) -> Response:
    """Go on to the next phase, or conclude a comparison."""
    return await _steer(request, rollout_id, services_of(request).rollouts.advance)


@router.post("/{rollout_id}/pause")
@page(Permission.ROLLOUT_WRITE)
async def pause(request: Request, rollout_id: str) -> Response:
    """Give nobody new to the candidate."""
    return await _steer(request, rollout_id, services_of(request).rollouts.pause)


@router.post("/{rollout_id}/resume")
@page(Permission.ROLLOUT_WRITE)
async def resume(request: Request, rollout_id: str) -> Response:
    """Go on after a pause or a hold."""
    return await _steer(request, rollout_id, services_of(request).rollouts.resume)


@router.post("/{rollout_id}/abort")
@page(Permission.ROLLOUT_WRITE)
async def abort(request: Request, rollout_id: str) -> Response:
    """End it without a judgement."""
    return await _steer(request, rollout_id, services_of(request).rollouts.abort)


@router.post("/{rollout_id}/rollback")
@page(Permission.ROLLOUT_WRITE)
async def roll_back(request: Request, rollout_id: str) -> Response:
    """Take the candidate away from everybody, or in one category."""
    category = form_of(request).get("category", "") or None
    return await _steer(request, rollout_id, services_of(request).rollouts.roll_back, category=category)


@router.post("/{rollout_id}/approvals/{phase}")
@page(Permission.ROLLOUT_APPROVE)
async def decide(request: Request, rollout_id: str, phase: str) -> Response:
    """Agree to a phase or deny it, with a reason."""
    decision = form_of(request).get("decision")
    if decision not in {"approve", "deny"}:
        raise InvalidInput("Choose to agree or to deny.")
    return await _steer(
        request,
        rollout_id,
        services_of(request).rollouts.approve,
        phase=phase_of(phase),
        approve=decision == "approve",
        role=role_of(caller_of(request)),
    )


async def _steer(
    request: Request, rollout_id: str, deed: Callable[..., Awaitable[object]], **values: Any
) -> Response:
    identifier, reason = rollout_id_of(rollout_id), form_of(request).get("reason", "").strip()
    if not 0 < len(reason) <= 1000:
        raise InvalidInput("Give a reason of up to 1,000 characters; it goes into the ledger.")
    await deed(identifier, by=caller_of(request).account.actor, reason=reason, **values)
    return see(f"/console/rollouts/{identifier}")


# ------------------------------------------------------------------ what pages show


async def _lines(services: Services, lane: str) -> tuple[RolloutLine, ...]:
    assistant = services.settings.assistant
    found = await services.rollouts.recent(
        limit=LISTED, assistant=assistant, simulated={"real": False, "simulated": True}.get(lane)
    )
    releases = await services.releases.recent(limit=1000, assistant=assistant)
    numbers = {line.id: line.number for line in releases}
    return tuple([await _rollout_line(services, rollout, numbers) for rollout in found])


async def _rollout_line(
    services: Services, rollout: Rollout, numbers: Mapping[ReleaseId, int]
) -> RolloutLine:
    latest = (await services.rollouts.page(rollout.id)).latest if rollout.state.is_open else ()
    candidate, baseline = numbers.get(rollout.candidate, 0), numbers.get(rollout.baseline, 0)
    return RolloutLine(
        rollout=rollout,
        candidate=str(candidate),
        baseline=baseline_in_words(rollout.baseline_kind, baseline),
        kind=KINDS[rollout.kind],
        state=STATES[rollout.state],
        reach=reach_of(rollout),
        since=rollout.ended_at or rollout.phase_started_at or rollout.created_at,
        verdict=verdict_in_a_word(rollout, latest),
    )


def reach_of(rollout: Rollout) -> str:
    """Say who gets the candidate now."""
    if rollout.state is RolloutState.PROMOTED:
        return f"reached {everybody_in_words(simulated=rollout.simulated)}"
    if not rollout.state.is_open or rollout.phase_started_at is None:
        return "nobody"
    return phase_in_words(rollout.current, simulated=rollout.simulated)


async def _state(request: Request, rollout_id: RolloutId) -> dict[str, Any]:
    services = services_of(request)
    shown = await services.rollouts.page(rollout_id)
    people = await People.of(services)
    return {
        "path": f"/console/rollouts/{rollout_id}",
        **view_of(shown, people, now=services.clock.now()),
        "may_agree": _may_agree(request, shown),
    }


def _may_agree(request: Request, shown: RolloutPage) -> bool:
    role = caller_of(request).account.role
    asked = steering_of(shown).approval
    return asked is not None and role is not None and role.value in (asked.role, ADMIN)


def view_of(shown: RolloutPage, people: People, *, now: datetime) -> dict[str, Any]:
    """Return everything that the page of a rollout is made of, but who looks."""
    rollout, steering = shown.rollout, steering_of(shown)
    charts = charts_of(shown, now=now)
    asked = None if steering.approval is None else rollout.plan.phases[steering.approval.phase]
    agreed = [item for item in shown.approvals if item.state == "approved"]
    return {
        "shown": shown,
        "title": f"Release {shown.candidate_number} against "
        f"{baseline_in_words(rollout.baseline_kind, shown.baseline_number)}",
        "kind": KINDS[rollout.kind],
        "kind_name": rollout.kind.value,
        "state": STATES[rollout.state],
        "summary": summary(shown),
        "lasted": lasting((rollout.ended_at or now) - rollout.created_at),
        "met": customers_met(shown),
        "cost": money(f"{shown.cost_candidate:.6f}", shown.currency),
        "agreed": ", ".join(dict.fromkeys(people.name(item.decided_by) for item in agreed)),
        "agreed_note": ", ".join(words(rollout.plan.phases[item.phase].name) for item in agreed)
        or "agreements are in the history",
        "steering": steering,
        "asked_phase": "" if asked is None else words(asked.name),
        "asked_whom": "" if asked is None else phase_in_words(asked, simulated=rollout.simulated),
        "steps": steps_of(shown),
        "verdicts": verdicts_of(shown, now=now),
        "categories": categories_of(shown, now=now),
        "trigger_titles": [measures.title_of(trigger.kpi) for trigger in rollout.plan.triggers],
        "tables": arm_tables(shown),
        "ratio": sample_ratio_of(shown),
        "charts": charts,
        "trigger_charts": [
            (name, measures.title_of(name), _chart_in_words(shown, name))
            for name in charts
            if name != "share"
        ],
        "events": sorted(shown.events, key=lambda event: event.at, reverse=True),
        "numbers": numbers_of,
        "event_word": event_in_words,
        "why": lambda event: reason_in_words(event, shown.currency),
        "person": people.name,
    }


def _chart_in_words(shown: RolloutPage, kpi: str) -> str:
    last = next((verdict for verdict in shown.latest if verdict.kpi == kpi and not verdict.category), None)
    if last is None:
        return f"{measures.title_of(kpi)} over time"
    interval = measures.range_in_words(kpi, last.low, last.high, shown.currency)
    margin = measures.change_in_words(kpi, last.margin, shown.currency)
    return (
        f"{measures.title_of(kpi)} over time; at the end the harm lies at {interval}, the margin is {margin}"
    )


def lasting(span: timedelta) -> str:
    """Return how long something lasted, in its two largest units."""
    seconds = max(0, round(span.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return "lasted " + (" ".join(shown) or "0 s")
