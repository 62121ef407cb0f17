"""The web application: the API's routes, CORS for the widget, and problem details for every error."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from steward.base.errors import StewardError
from steward.edge.api import admin, chat, conversations, evidence, health, rights, rollouts, routing
from steward.edge.api.answers import api, json_answer
from steward.edge.api.documents import document
from steward.edge.api.ownership import Ownership
from steward.edge.assets import Assets
from steward.edge.contracts import Services
from steward.edge.entrance import PUBLIC
from steward.edge.problems import MEDIA_TYPE, Fault, InvalidBody, problem_response, unexpected
from steward.edge.security import SecurityHeaders

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

documents = APIRouter()


@documents.get("/openapi.json", include_in_schema=False)
@api(PUBLIC)
async def openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return json_answer(document(request.app))


ROUTERS: Final = (
    conversations.router,
    routing.router,
    chat.router,
    admin.router,
    rollouts.router,
    rights.router,
    evidence.router,
    health.router,
    documents,
)
"""The API's own routes."""


def build_api(
    services: Services, *, routers: Sequence[APIRouter] = (), lifespan: Lifespan | None = None
) -> FastAPI:
    """Build the application out of services; `routers` are further faces, such as widget and console."""
    app = FastAPI(
        title="Steward",
        version=services.settings.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _explain_http,
            RequestValidationError: _explain_validation,
            StewardError: _explain_refusal,
            Exception: _explain_bug,
        },
    )
    app.state.services = services
    app.state.ownership = Ownership(services.conversations)
    app.state.assets = Assets()
    for router in (*ROUTERS, *routers):
        app.include_router(router)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(services.settings.allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "accept", "last-event-id"],
        max_age=600,
    )
    app.add_middleware(SecurityHeaders, https=services.settings.secure_cookies)
    return app


async def _explain_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": f"{request.method} isn't possible on this address."
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        else "There is nothing at this address; the calls are listed in /openapi.json.",
    }
    return Response(
        json.dumps(problem).encode(),
        status_code=error.status_code,
        media_type=MEDIA_TYPE,
        headers=dict(error.headers or {}),
    )


async def _explain_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [Fault("/" + "/".join(map(str, item["loc"][1:])), str(item["msg"])) for item in error.errors()]
    return problem_response(InvalidBody(faults))


async def _explain_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, StewardError)
    return problem_response(error)


async def _explain_bug(request: Request, error: Exception) -> Response:
    return problem_response(unexpected(error))
