"""/v1/admin/releases and /v1/admin/evaluations: differences, labels, what cases said, reviews."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from steward.base.errors import NotFound
from steward.edge.api.answers import api, json_answer, no_content
from steward.edge.api.documents import described, takes
from steward.edge.api.objects import fields_of
from steward.edge.bodies import Body, read_body
from steward.edge.callers import staff_of
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import limit_of, record_id_of
from steward.govern.access.permissions import Permission
from steward.improve.review.service import HEAVIEST, Judgement

router = APIRouter(prefix="/v1/admin", tags=["evidence"])


class LabelBody(Body):
    """A name that people give to a release."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class ReviewBody(Body):
    """What a person found in a turn; what is left out wasn't judged."""

    intent_right: Annotated[bool, Field(strict=True)] | None = None
    misrouted: Annotated[bool, Field(strict=True)] | None = None
    grounded: Annotated[bool, Field(strict=True)] | None = None
    guard_right: Annotated[bool, Field(strict=True)] | None = None
    """Whether the guard was right to stop the message, or to let it pass."""
    weight: Annotated[float, Field(gt=0, le=HEAVIEST, allow_inf_nan=False)] = 1.0
    """One over the chance that this turn was picked for review."""


@router.get("/releases/{reference}/diff/{other}", responses=described(200, 404))
@api(Permission.RELEASE_READ)
async def difference(request: Request, reference: str, other: str) -> Response:
    """Say what differs from one release to another, in files, in sentences and in cost."""
    services = services_of(request)
    found = await services.releases.diff(reference, other, assistant=services.settings.assistant)
    return json_answer(fields_of(found))


@router.post(
    "/releases/{reference}/labels",
    status_code=204,
    openapi_extra=takes(LabelBody),
    responses=described(204, 404, 422),
)
@api(Permission.RELEASE_WRITE)
async def put_label(request: Request, reference: str) -> Response:
    """Give a release a label; another release of the assistant that had it loses it."""
    services, body = services_of(request), await read_body(request, LabelBody)
    release = await services.releases.find(reference, assistant=services.settings.assistant)
    await services.labels.put(release, body.name, actor=caller_of(request).account.actor)
    return no_content()


@router.post("/releases/{reference}/labels/{name}/remove", status_code=204, responses=described(204, 404))
@api(Permission.RELEASE_WRITE)
async def remove_label(request: Request, reference: str, name: str) -> Response:
    """Take a label off a release."""
    services = services_of(request)
    release = await services.releases.find(reference, assistant=services.settings.assistant)
    await services.labels.remove(release, name, actor=caller_of(request).account.actor)
    return no_content()


@router.get("/evaluations", responses=described(200))
@api(Permission.EVALUATION_READ)
async def list_evaluations(request: Request, limit: str = "20") -> Response:
    """List the gate's answers, the latest first."""
    services = services_of(request)
    found = await services.evaluations.recent(assistant=services.settings.assistant, limit=limit_of(limit))
    return json_answer({"evaluations": [fields_of(result) for result in found]})


@router.get("/evaluations/{candidate}/{baseline}", responses=described(200, 404))
@api(Permission.EVALUATION_READ)
async def read_evaluation(request: Request, candidate: str, baseline: str) -> Response:
    """Return the gate's latest answer about two releases, case by case."""
    services = services_of(request)
    assistant = services.settings.assistant
    new = await services.releases.find(candidate, assistant=assistant)
    old = await services.releases.find(baseline, assistant=assistant)
    found = await services.evaluations.gate(new.id, old.id)
    if found is None:
        raise NotFound(
            f"Releases {new.number} and {old.number} haven't been compared yet; "
            f"run `steward eval compare {new.number} {old.number}`."
        )
    return json_answer(fields_of(found))


@router.get("/turns/{turn_id}/reviews", responses=described(200, 404))
@api(Permission.TURN_READ)
async def list_reviews(request: Request, turn_id: str) -> Response:
    """Return what people found in a turn, the latest first."""
    found = await services_of(request).reviews.of(record_id_of(turn_id, "turn"))
    return json_answer({"reviews": [fields_of(review) for review in found]})


@router.post(
    "/turns/{turn_id}/reviews",
    status_code=204,
    openapi_extra=takes(ReviewBody),
    responses=described(204, 404, 422),
)
@api(Permission.TURN_REVIEW)
async def review(request: Request, turn_id: str) -> Response:
    """Judge a turn; a later judgement of the same person replaces the earlier."""
    turn, reviewer = record_id_of(turn_id, "turn"), staff_of(caller_of(request))
    body = await read_body(request, ReviewBody)
    judgement = Judgement(
        intent_right=body.intent_right, misrouted=body.misrouted, grounded=body.grounded, weight=body.weight,
        guard_right=body.guard_right,
    )  # fmt: skip
    await services_of(request).reviews.record(turn, judgement, reviewer=reviewer)
    return no_content()
