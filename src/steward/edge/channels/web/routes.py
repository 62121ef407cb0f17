"""The widget's script and the other static files."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.api.answers import api
from steward.edge.assets import assets_of
from steward.edge.entrance import PUBLIC

router = APIRouter(include_in_schema=False)


@router.get("/widget.js")
@api(PUBLIC)
async def widget(request: Request) -> Response:
    """Return the script that defines the element `steward-chat`, for any site that embeds it."""
    return await assets_of(request).response("widget.js", request)


@router.get("/static/{name}")
@api(PUBLIC)
async def static(request: Request, name: str) -> Response:
    """Return a static file of the pages."""
    return await assets_of(request).response(name, request)
