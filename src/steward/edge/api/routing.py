"""/v1/route: where a text would go, without answering it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.api.answers import api, json_answer
from steward.edge.api.documents import described, takes
from steward.edge.bodies import Body, check_text, read_body
from steward.edge.entrance import services_of
from steward.govern.access.permissions import Permission
from steward.serve.turn.route import Routed

router = APIRouter(tags=["routing"])


class RouteBody(Body):
    """A text to be classified."""

    text: str


@router.post("/v1/route", openapi_extra=takes(RouteBody), responses=described(200, 422))
@api(Permission.ROUTE_USE)
async def route_text(request: Request) -> Response:
    """Return the intent, its calibrated confidence, category, risk and queue of a text."""
    body = await read_body(request, RouteBody)
    routed = await services_of(request).turns.route(check_text(body.text))
    return json_answer(routed_object(routed))


def routed_object(routed: Routed) -> dict[str, Any]:
    """Return a routing as JSON."""
    return {
        "intent": routed.intent,
        "confidence": routed.confidence,
        "category": routed.category,
        "risk": routed.risk,
        "queue": routed.queue,
        "out_of_scope": routed.out_of_scope,
        "alternatives": [
            {"intent": other.intent, "confidence": other.confidence} for other in routed.alternatives
        ],
        "slots": dict(routed.slots),
    }
