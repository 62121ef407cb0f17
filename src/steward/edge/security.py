"""Headers that every answer carries: no sniffing, framing or leaking; pages also a strict content policy.

The widget isn't framed: it's an element in the page of its site, so nothing here may be framed by anybody.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, no eval, nothing from elsewhere."""
DATA_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What a browser may do with an answer that isn't a page, should it be shown as one: nothing."""
TRANSPORT_POLICY: Final = "max-age=31536000; includeSubDomains"
"""Said over https alone: for a year, this name is to be called over https only."""

HEADERS: Final = {
    "Content-Security-Policy": DATA_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What an answer says unless its handler has said otherwise."""


class SecurityHeaders:
    """Adds the headers to every answer, errors and streams included."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        headers = HEADERS | ({"Strict-Transport-Security": TRANSPORT_POLICY} if https else {})
        self._headers = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add to what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers") or []
                said = {name for name, _ in given}
                message["headers"] = [*given, *(pair for pair in self._headers if pair[0] not in said)]
            await send(message)

        await self._app(scope, receive, with_headers)


def secured(response: Response) -> Response:
    """Let a response be a page: it may load its own scripts and styles."""
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    return response
