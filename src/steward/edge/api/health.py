"""Whether the process lives, whether it can serve, and its figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.api.answers import api, json_answer
from steward.edge.api.documents import described
from steward.edge.entrance import PUBLIC, services_of
from steward.govern.access.permissions import Permission

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=described(200))
@api(PUBLIC)
async def live(request: Request) -> Response:
    """Say that the process runs."""
    return json_answer({"status": "ok", "version": services_of(request).settings.version})


@router.get("/readyz", responses=described(200, 503))
@api(PUBLIC)
async def ready(request: Request) -> Response:
    """Say whether the database answers and a release is loaded."""
    checks = await services_of(request).readiness()
    good = all(check.ready for check in checks)
    return json_answer(
        {
            "status": "ready" if good else "not ready",
            "checks": [
                {"name": check.name, "ready": check.ready, "detail": check.detail} for check in checks
            ],
        },
        status=200 if good else 503,
    )


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}})
@api(Permission.METRICS_READ)
async def metrics(request: Request) -> Response:
    """Return the process's figures in Prometheus' text format."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
