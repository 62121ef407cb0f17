"""/v1/admin/rollouts: starting, steering, approving and reading rollouts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from steward.edge.api.answers import api, json_answer
from steward.edge.api.documents import described, takes
from steward.edge.api.objects import fields_of
from steward.edge.bodies import Body, read_body
from steward.edge.callers import role_of, staff_of
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import limit_of, phase_of, rollout_id_of, truth_of
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import require
from steward.improve.rollout.contracts import RolloutId, RolloutKind

router = APIRouter(prefix="/v1/admin", tags=["rollouts"])

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class StartRolloutBody(Body):
    """What is compared with what."""

    candidate: Reference
    """A release: its number, its id, or the id's beginning."""
    baseline: Reference | None = None
    """The release to compare with; the one that is served, if left out."""
    kind: RolloutKind = RolloutKind.ROLLOUT
    simulated: Annotated[bool, Field(strict=True)] = False
    """Whether only conversations with invented customers take part."""
    without_gate: Annotated[bool, Field(strict=True)] = False
    """Start although no evaluation has passed; the ledger names who did."""
    reason: Reason


class StepBody(Body):
    """Why a rollout is steered."""

    reason: Reason


class RollBackBody(StepBody):
    """Why the candidate is taken away, and where."""

    category: Reference | None = None
    """Only in this category; everywhere, if left out."""


class AgreementBody(StepBody):
    """A decision on a phase."""

    approve: Annotated[bool, Field(strict=True)]


@router.get("/rollouts", responses=described(200))
@api(Permission.ROLLOUT_READ)
async def list_rollouts(request: Request, limit: str = "50", simulated: str = "") -> Response:
    """List rollouts, the latest first."""
    services = services_of(request)
    found = await services.rollouts.recent(
        limit=limit_of(limit),
        assistant=services.settings.assistant,
        simulated=truth_of(simulated, "simulated"),
    )
    return json_answer({"rollouts": [fields_of(rollout) for rollout in found]})


@router.post(
    "/rollouts",
    status_code=201,
    openapi_extra=takes(StartRolloutBody),
    responses=described(201, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def start_rollout(request: Request) -> Response:
    """Begin to divide traffic between two releases, as the candidate's folder plans it."""
    services, body = services_of(request), await read_body(request, StartRolloutBody)
    if body.without_gate:
        staff_of(caller_of(request))
        require(caller_of(request).account, Permission.ROLLOUT_WAIVE)
    assistant = services.settings.assistant
    candidate = await services.releases.find(body.candidate, assistant=assistant)
    baseline = (
        (await services.releases.find(body.baseline, assistant=assistant)).id if body.baseline else None
    )
    started = await services.rollouts.start(
        assistant=assistant,
        candidate=candidate.id,
        baseline=baseline,
        kind=body.kind,
        simulated=body.simulated,
        without_gate=body.without_gate,
        by=caller_of(request).account.actor,
        reason=body.reason,
    )
    return json_answer(fields_of(started), status=201)


@router.get("/rollouts/{rollout_id}", responses=described(200, 404))
@api(Permission.ROLLOUT_READ)
async def read_rollout(request: Request, rollout_id: str) -> Response:
    """Return everything about a rollout: its plan, events, approvals, arms and verdicts over time."""
    page = await services_of(request).rollouts.page(rollout_id_of(rollout_id))
    return json_answer(fields_of(page))


@router.post(
    "/rollouts/{rollout_id}/advance",
    openapi_extra=takes(StepBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def advance(request: Request, rollout_id: str) -> Response:
    """Go on to the next phase."""
    identifier, body = rollout_id_of(rollout_id), await read_body(request, StepBody)
    await services_of(request).rollouts.advance(identifier, **_who_and_why(request, body))
    return await _as_it_stands(request, identifier)


@router.post(
    "/rollouts/{rollout_id}/pause",
    openapi_extra=takes(StepBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def pause(request: Request, rollout_id: str) -> Response:
    """Assign nobody new; who is assigned stays."""
    identifier, body = rollout_id_of(rollout_id), await read_body(request, StepBody)
    await services_of(request).rollouts.pause(identifier, **_who_and_why(request, body))
    return await _as_it_stands(request, identifier)


@router.post(
    "/rollouts/{rollout_id}/resume",
    openapi_extra=takes(StepBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def resume(request: Request, rollout_id: str) -> Response:
    """Go on after a pause or a hold."""
    identifier, body = rollout_id_of(rollout_id), await read_body(request, StepBody)
    await services_of(request).rollouts.resume(identifier, **_who_and_why(request, body))
    return await _as_it_stands(request, identifier)


@router.post(
    "/rollouts/{rollout_id}/abort",
    openapi_extra=takes(StepBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def abort(request: Request, rollout_id: str) -> Response:
    """End it without a judgement."""
    identifier, body = rollout_id_of(rollout_id), await read_body(request, StepBody)
    await services_of(request).rollouts.abort(identifier, **_who_and_why(request, body))
    return await _as_it_stands(request, identifier)


@router.post(
    "/rollouts/{rollout_id}/rollback",
    openapi_extra=takes(RollBackBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_WRITE)
async def roll_back(request: Request, rollout_id: str) -> Response:
    """Take the candidate away from everybody, or in one category; no turn starts on it afterwards."""
    identifier, body = rollout_id_of(rollout_id), await read_body(request, RollBackBody)
    await services_of(request).rollouts.roll_back(
        identifier, category=body.category, **_who_and_why(request, body)
    )
    return await _as_it_stands(request, identifier)


@router.post(
    "/rollouts/{rollout_id}/approvals/{phase}",
    openapi_extra=takes(AgreementBody),
    responses=described(200, 404, 409, 422),
)
@api(Permission.ROLLOUT_APPROVE)
async def decide_phase(request: Request, rollout_id: str, phase: str) -> Response:
    """Agree to a phase or deny it, as a person with the role that the plan names."""
    identifier, place = rollout_id_of(rollout_id), phase_of(phase)
    body, role = await read_body(request, AgreementBody), role_of(caller_of(request))
    await services_of(request).rollouts.approve(
        identifier, phase=place, approve=body.approve, role=role, **_who_and_why(request, body)
    )
    return await _as_it_stands(request, identifier)


def _who_and_why(request: Request, body: StepBody) -> dict[str, Any]:
    return {"by": caller_of(request).account.actor, "reason": body.reason}


async def _as_it_stands(request: Request, identifier: RolloutId) -> Response:
    return json_answer(fields_of(await services_of(request).rollouts.get(identifier)))
