"""Everything that edge shows, as one web application: API, widget, demo page, console."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from steward.edge.api.application import ROUTERS, build_api
from steward.edge.channels.web import demo, routes
from steward.edge.console.routes import router as console
from steward.edge.contracts import Services
from steward.edge.declarations import Declared, declared_by

_FACES: Final = (routes.router, demo.router, console)


def build_app(services: Services) -> FastAPI:
    """Build the web application out of services; building it calls none of them."""
    app = build_api(services, routers=_FACES)
    app.state.viewers = demo.Viewers()
    return app


def declared_calls() -> tuple[Declared, ...]:
    """Return every call that there is, with what it needs."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in (*ROUTERS, *_FACES):
        app.include_router(router)
    return declared_by(app)
