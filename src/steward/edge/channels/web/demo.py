"""The demo's page: the sample company's help page with the widget, beside the trace of the turn.

Whoever opens the page gets a viewer's cookie, with which the page reads the anatomy of turns. That is
more than a customer may see, so it exists in the demo only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from steward.base.errors import NotAllowed, NotFound
from steward.edge.api.answers import api, json_answer
from steward.edge.api.objects import fields_of
from steward.edge.entrance import PUBLIC, services_of
from steward.edge.parameters import record_id_of
from steward.edge.templates import environment, render

VIEWER_COOKIE: Final = "steward_demo_viewer"
VIEWER_SECONDS: Final = 3600

router = APIRouter(include_in_schema=False)
_templates: Final = environment("steward.edge.channels.web")


class Viewers:
    """Signs and checks the cookies of the demo's visitors; forgets all of them with the process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, now: datetime) -> str:
        """Return a cookie that is good for an hour."""
        until = str(int(now.timestamp()) + VIEWER_SECONDS)
        return f"{until}.{self._sign(until)}"

    def check(self, cookie: str, now: datetime) -> None:
        """Return if the cookie is ours and still good.

        Raises:
            NotAllowed: it isn't.
        """
        until, _, signature = cookie.partition(".")
        if (
            not hmac.compare_digest(signature.encode(), self._sign(until).encode())
            or int(until) < now.timestamp()
        ):
            raise NotAllowed("The trace is shown on the demo's page only; load that page again.")

    def _sign(self, until: str) -> str:
        return hmac.new(self._secret, until.encode(errors="replace"), hashlib.sha256).hexdigest()


@router.get("/")
@api(PUBLIC)
async def demo_page(request: Request, customer: str = "") -> Response:
    """Show the sample company's help page with the widget and the trace of the turn."""
    services = services_of(request)
    if services.demo is None:
        return RedirectResponse("/console", status_code=303)
    demo = services.demo
    chosen = next((known for known in demo.customers if known.reference == customer), None)
    page = await render(
        request,
        _templates,
        "demo.html",
        assets=("widget.js", "demo.js", "demo.css"),
        demo=demo,
        settings=services.settings,
        chosen=chosen,
        token=None if chosen is None else await demo.token_for(chosen.reference),
    )
    page.set_cookie(
        VIEWER_COOKIE,
        _viewers(request).issue(services.clock.now()),
        max_age=VIEWER_SECONDS,
        httponly=True,
        samesite="strict",
        path="/demo/",
        secure=services.settings.secure_cookies,
    )
    return page


@router.get("/demo/turns/{turn_id}")
@api(PUBLIC)
async def demo_turn(request: Request, turn_id: str) -> Response:
    """Return a turn's anatomy to a visitor of the demo."""
    services = services_of(request)
    if services.demo is None:
        raise NotFound("Traces are shown in the console; this installation runs no demo.")
    _viewers(request).check(request.cookies.get(VIEWER_COOKIE, ""), services.clock.now())
    return json_answer(fields_of(await services.anatomies.show(record_id_of(turn_id, "turn"))))


def _viewers(request: Request) -> Viewers:
    viewers: Viewers = request.app.state.viewers
    return viewers
