"""The way into a page: the login's cookie, the form's token, and errors as pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from steward.base.errors import NotAllowed, NotAuthenticated, StewardError
from steward.edge.bodies import read_bytes
from steward.edge.callers import caller_in_session, is_safe, session_of
from steward.edge.console.browsers import browser_in_words
from steward.edge.console.navigation import navigation_for
from steward.edge.entrance import ANYBODY, Caller, Needed, Open, entrance, services_of
from steward.edge.problems import Malformed, headers_of
from steward.edge.templates import environment, render
from steward.govern.access.errors import NoCredential
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import require

TEMPLATES: Final = environment("steward.edge.console")
TEMPLATES.filters["browser"] = browser_in_words
CSRF_FIELD: Final = "csrf_token"


async def identify_for_page(request: Request, needed: Needed) -> Caller:
    """Return the member of staff who asks for a page, who has the permission needed.

    Raises:
        NoCredential: nobody is signed in.
        NotAllowed: the permission is missing, or a post doesn't carry the login's token.
    """
    session = await session_of(request, services_of(request))
    if not is_safe(request):
        _refuse_other_sites(request)
        request.state.form = await read_form(request)
    if isinstance(needed, Open):
        return ANYBODY if session is None else caller_in_session(session)
    if session is None:
        raise NoCredential
    # Set before the check, so that the page of a refusal keeps its navigation.
    caller = request.state.caller = caller_in_session(session)
    require(caller.principal, needed)
    if not is_safe(request):
        session.check_csrf(form_of(request).get(CSRF_FIELD))
    return caller


def _refuse_other_sites(request: Request) -> None:
    """Refuse a form of another site, as browsers tell it (W3C Fetch Metadata).

    The login's form has no token yet: without this a site could sign a visitor in as somebody else.
    """
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise NotAllowed("This form was sent by another site; open the console itself.")


async def read_form(request: Request) -> Mapping[str, str]:
    """Read a posted form; of a field sent twice the last counts."""
    try:
        text = (await read_bytes(request)).decode()
    except UnicodeDecodeError:
        raise Malformed("The form isn't valid UTF-8.") from None
    return {name: value.replace("\0", "") for name, value in parse_qsl(text, keep_blank_values=True)}


def form_of(request: Request) -> Mapping[str, str]:
    """Return the form that was posted."""
    form: Mapping[str, str] = request.state.form
    return form


async def explain_to_person(request: Request, error: StewardError) -> Response:
    """Return an error as a page; who isn't signed in is led to the login and back."""
    if isinstance(error, NotAuthenticated):
        back = request.url.path if is_safe(request) else "/console"
        login = f"/console/login?next={quote(back)}"
        if is_partial(request):
            return Response(status_code=200, headers={"HX-Redirect": login})
        return RedirectResponse(login, status_code=303)
    response = await show(
        request, "error.html", status=int(error.status), error=error, page="", title=error.title
    )
    response.headers.update(headers_of(error))
    return response


page: Final = entrance(identify_for_page, explain_to_person)
"""Decorator of the console's handlers: `@page(Permission.X)` or `@page(PUBLIC)`."""


async def show(
    request: Request, name: str, *, status: int = 200, assets: tuple[str, ...] = (), **values: Any
) -> Response:
    """Return a page of the console with its navigation for whoever is signed in."""
    caller: Caller = getattr(request.state, "caller", ANYBODY)
    services = services_of(request)
    allowed = caller.principal.permissions if caller.principal else frozenset()
    return await render(
        request,
        TEMPLATES,
        name,
        status=status,
        assets=("console.css", "console.js", "htmx.js", *assets),
        caller=caller,
        can=lambda permission: Permission(permission) in allowed,
        csrf=caller.csrf_token or "",
        navigation=navigation_for(allowed),
        settings=services.settings,
        sign_ins=services.access.sign_ins,
        demo=services.demo,
        **values,
    )


def is_partial(request: Request) -> bool:
    """Say whether a script of the page asks for a piece of it."""
    return request.headers.get("hx-request") == "true"


def see(path: str) -> Response:
    """Return an answer that leads to a page after a post."""
    return RedirectResponse(path, status_code=303)
