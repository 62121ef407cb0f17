"""Releases: the list with labels, and one release with what it changes and what its evaluation said."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.console.people import People
from steward.edge.console.rollout_words import STATES
from steward.edge.contracts import Services
from steward.edge.entrance import caller_of, services_of
from steward.govern.access.permissions import Permission
from steward.improve.rollout.contracts import Rollout
from steward.supply.releases.contracts import Release, ReleaseLine
from steward.supply.releases.errors import NothingServed

router = APIRouter(prefix="/console/releases", include_in_schema=False)


@router.get("")
@page(Permission.RELEASE_READ)
async def releases(request: Request) -> Response:
    """Show the releases, the latest first."""
    services = services_of(request)
    lines = await services.releases.recent(limit=100)
    people = await People.of(services)
    return await show(
        request, "releases.html", page="releases", title="Releases", lines=lines, person=people.name
    )


@router.get("/{reference}")
@page(Permission.RELEASE_READ)
async def release(request: Request, reference: str, against: str = "") -> Response:
    """Show one release: labels, what differs from another in words, and the cases side by side."""
    services = services_of(request)
    details = await services.releases.show(reference, assistant=services.settings.assistant)
    lines = await services.releases.recent(limit=100, assistant=details.release.assistant)
    other = await _other(services, details.release, lines, against)
    people = await People.of(services)
    return await show(
        request,
        "release.html",
        page="releases",
        title=f"Release {details.release.number}",
        details=details,
        lines=lines,
        other=other,
        difference=await services.releases.diff(other.id, details.release.id) if other else None,
        gate=await services.evaluations.gate(details.release.id, other.id) if other else None,
        person=people.name,
        rollouts=await _rollouts(services, details.release),
    )


@router.post("/{reference}/labels")
@page(Permission.RELEASE_WRITE)
async def label(request: Request, reference: str) -> Response:
    """Give a release a label, or take one off."""
    services, form = services_of(request), form_of(request)
    found = await services.releases.find(reference, assistant=services.settings.assistant)
    name, actor = form.get("name", "").strip(), caller_of(request).account.actor
    match form.get("deed"):
        case "put":
            await services.labels.put(found, name, actor=actor)
        case "remove":
            await services.labels.remove(found, name, actor=actor)
        case _:
            raise InvalidInput("Choose to give a label or to take it off.")
    return see(f"/console/releases/{found.id}")


async def _rollouts(services: Services, shown: Release) -> tuple[tuple[Rollout, str], ...]:
    """Return a release's own rollouts, the latest first, each with its state in words."""
    found = await services.rollouts.recent(limit=100, assistant=shown.assistant)
    return tuple((rollout, STATES[rollout.state]) for rollout in found if rollout.candidate == shown.id)


async def _other(
    services: Services, shown: Release, lines: tuple[ReleaseLine, ...], against: str
) -> Release | None:
    """Return what a release is compared with: the one named, the one served, or the one before it."""
    assistant = shown.assistant
    if against:
        return await services.releases.find(against, assistant=assistant)
    try:
        served = (await services.releases.serving(assistant)).release_id
    except NothingServed:
        served = shown.id
    if served != shown.id:
        return await services.releases.find(served)
    before = next((line for line in lines if line.number < shown.number), None)
    return None if before is None else await services.releases.find(before.id)
