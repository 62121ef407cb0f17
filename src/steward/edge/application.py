"""Everything that edge shows, as one web application: API, widget, demo page, console."""

from __future__ import annotations

from fastapi import FastAPI

from steward.edge.api.application import build_api
from steward.edge.channels.web import demo, routes
from steward.edge.console.routes import router as console
from steward.edge.contracts import Services


def build_app(services: Services) -> FastAPI:
    """Build the web application out of services; building it calls none of them."""
    app = build_api(services, routers=(routes.router, demo.router, console))
    app.state.viewers = demo.Viewers()
    return app
