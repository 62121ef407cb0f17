"""Logging in and out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.callers import SESSION_COOKIE, address_of, session_of
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.entrance import PUBLIC, caller_of, services_of
from steward.govern.access.errors import BadLogin, RateLimited

MANY_ADDRESSES = 10
"""How many times an address's tries a login may have from all: a stranger can't easily lock its owner out."""

router = APIRouter(prefix="/console", include_in_schema=False)


@router.get("/login")
@page(PUBLIC)
async def login_page(request: Request, next: str = "/console") -> Response:
    """Show the login form."""
    if caller_of(request).principal is not None:
        return see(own_path(next))
    return await show(request, "login.html", next=own_path(next), problem=None, page="", title="Sign in")


@router.post("/login")
@page(PUBLIC)
async def log_in(request: Request) -> Response:
    """Check login and password and open a session; a wrong pair and an unknown login look the same."""
    services, form = services_of(request), form_of(request)
    path, login = own_path(form.get("next", "")), form.get("login", "").strip()
    try:
        address, per_minute = address_of(request), services.settings.sign_ins_per_minute
        for subject, limit in (
            (f"login:{address}", per_minute),
            (f"login:{login.lower()}", per_minute * MANY_ADDRESSES),
        ):
            await services.access.limits.enforce(subject, limit=limit, window=timedelta(minutes=1))
        account = await services.access.accounts.authenticate(login, form.get("password", ""))
    except (BadLogin, RateLimited) as refusal:
        return await show(
            request,
            "login.html",
            status=int(refusal.status),
            next=path,
            problem=str(refusal),
            page="",
            title="Sign in",
        )
    opened = await services.access.sessions.open(account)
    response = see(path)
    response.set_cookie(
        SESSION_COOKIE,
        opened.token,
        httponly=True,
        samesite="lax",
        secure=services.settings.secure_cookies,
        path="/",
    )
    return response


@router.post("/logout")
@page(PUBLIC)
async def log_out(request: Request) -> Response:
    """Close the session."""
    services = services_of(request)
    session = await session_of(request, services)
    response = see("/console/login")
    if session is not None:
        session.check_csrf(form_of(request).get("csrf_token"))
        await services.access.sessions.close(request.cookies[SESSION_COOKIE])
        response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def own_path(path: str) -> str:
    """Return a path inside the console, whatever was asked for: a login leads nowhere else."""
    inside = path == "/console" or path.startswith("/console/")
    return path if inside and "\\" not in path and not path.startswith("/console/login") else "/console"
