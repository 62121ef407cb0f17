"""Logging in and out: with a password, or with the identity provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from steward.base.errors import NotFound, StewardError
from steward.edge.callers import (
    SESSION_COOKIE,
    address_of,
    cookie_name,
    drop_cookie,
    put_cookie,
    session_of,
    session_token,
)
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.contracts import Services
from steward.edge.entrance import PUBLIC, caller_of, services_of
from steward.edge.problems import headers_of
from steward.govern.access.account import Account, plain_login
from steward.govern.access.errors import (
    BadLogin,
    BadSignIn,
    NoRole,
    ProviderUnreachable,
    RateLimited,
)
from steward.govern.access.sessions import OpenedSession, Stage
from steward.govern.access.sign_ins import UNDER_WAY, SignIns, login_digest
from steward.govern.access.tries import Way

MANY_ADDRESSES = 10
"""How many times an address's tries a login may have from all: a stranger can't easily lock its owner out."""
LOGOUTS_PER_MINUTE = 600
"""How many logout tokens one address may send: a provider sends one for each login that ends."""
BROWSER_COOKIE: Final = "steward_signing_in"
SECOND_STEPS: Final = {Stage.CODE: "/console/login/code", Stage.ENROL: "/console/login/enrol"}

router = APIRouter(prefix="/console", include_in_schema=False)


@router.get("/login")
@page(PUBLIC)
async def login_page(request: Request, next: str = "/console") -> Response:
    """Show the ways to sign in."""
    if caller_of(request).principal is not None:
        return see(own_path(next))
    return await _login(request, next_path=own_path(next))


@router.post("/login")
@page(PUBLIC)
async def log_in(request: Request) -> Response:
    """Check login and password and open a session; a wrong pair and an unknown login look the same."""
    services, form = services_of(request), form_of(request)
    path, login = own_path(form.get("next", "")), form.get("login", "").strip()
    try:
        account = await _authenticated(request, services, login, form.get("password", ""))
    except (BadLogin, RateLimited) as refusal:
        return await _login(request, next_path=path, refusal=refusal)
    old = session_token(request, services)
    if old:
        await services.access.sessions.close(old)
    stage = stage_of(services, account)
    opened = await services.access.sessions.open(
        account, stage=stage, agent=request.headers.get("user-agent"), way="password"
    )
    return entered(services, opened, path)


@router.get("/login/oidc")
@page(PUBLIC)
async def leave_for_provider(request: Request, next: str = "/console") -> Response:
    """Send the browser to the identity provider."""
    services, sign_ins = services_of(request), _sign_ins(request)
    await services.access.limits.enforce(
        f"login:{address_of(request)}",
        limit=services.settings.sign_ins_per_minute,
        window=timedelta(minutes=1),
    )
    try:
        leaving = await sign_ins.begin(next_path=own_path(next))
    except ProviderUnreachable as refusal:
        return await _login(request, next_path=own_path(next), refusal=refusal)
    response = RedirectResponse(leaving.url, status_code=303)
    put_cookie(response, services, BROWSER_COOKIE, leaving.browser, max_age=int(UNDER_WAY.total_seconds()))
    return response


@router.get("/login/oidc/callback")
@page(PUBLIC)
async def return_from_provider(request: Request) -> Response:
    """Take in whom the identity provider sent back, or say why not."""
    services, sign_ins = services_of(request), _sign_ins(request)
    browser = request.cookies.get(cookie_name(services, BROWSER_COOKIE))
    try:
        back = await sign_ins.complete(dict(request.query_params), browser=browser)
    except (BadSignIn, NoRole) as refusal:
        services.access.tries.count(Way.IDENTITY_PROVIDER, "wrong")
        return await _login(request, next_path="/console", refusal=refusal)
    except ProviderUnreachable as refusal:
        return await _login(request, next_path="/console", refusal=refusal)
    services.access.tries.count(Way.IDENTITY_PROVIDER, "right")
    old = session_token(request, services)
    if old:
        await services.access.sessions.close(old)
    opened = await services.access.sessions.open(
        back.account,
        agent=request.headers.get("user-agent"),
        id_token=back.id_token,
        provider_login=None if back.login is None else login_digest(back.login),
        way="identity_provider",
    )
    response = entered(services, opened, back.next)
    drop_cookie(response, services, BROWSER_COOKIE)
    return response


@router.post("/login/oidc/logout")
@page(PUBLIC)
async def logged_out_there(request: Request) -> Response:
    """End the logins that the identity provider says are over; it calls this itself, not through a browser.

    The answers are those of OpenID Connect Back-Channel Logout 1.0, section 2.8.
    """
    services, sign_ins = services_of(request), _sign_ins(request)
    try:
        await services.access.limits.enforce(
            f"logout:{address_of(request)}", limit=LOGOUTS_PER_MINUTE, window=timedelta(minutes=1)
        )
        await sign_ins.end_logins(form_of(request).get("logout_token", ""))
    except (BadSignIn, ProviderUnreachable, RateLimited) as refusal:
        status = 400 if isinstance(refusal, BadSignIn) else int(refusal.status)
        told = {"error": "invalid_request", "error_description": str(refusal)}
        return JSONResponse(told, status_code=status, headers={"Cache-Control": "no-store"})
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


@router.post("/logout")
@page(PUBLIC)
async def log_out(request: Request) -> Response:
    """Close the session, here and, where it began there, at the identity provider."""
    services = services_of(request)
    session = await session_of(request, services)
    response = see("/console/login")
    if session is not None:
        session.check_csrf(form_of(request).get("csrf_token"))
        id_token = await services.access.sessions.close(session_token(request, services) or "")
        elsewhere = await _goodbye(request, id_token)
        if elsewhere is not None:
            response = await show(
                request, "signed_out.html", page="", title="Signed out", elsewhere=elsewhere
            )
            # A redirect of a form's answer is bound by form-action; a page that goes on by itself isn't.
            response.headers["Refresh"] = f"0;url={elsewhere}"
        drop_cookie(response, services, SESSION_COOKIE)
    return response


def own_path(path: str) -> str:
    """Return a path inside the console, whatever was asked for: a login leads nowhere else."""
    inside = path == "/console" or path.startswith("/console/")
    return path if inside and "\\" not in path and not path.startswith("/console/login") else "/console"


def stage_of(services: Services, account: Account) -> Stage:
    """Return what a login with a password still needs."""
    if account.second_factor_since is not None:
        return Stage.CODE
    return Stage.ENROL if account.role in services.settings.second_factor_roles else Stage.OPEN


def entered(services: Services, opened: OpenedSession, path: str) -> Response:
    """Return the answer that gives a browser its login and leads on, perhaps to the second factor."""
    step = SECOND_STEPS.get(opened.stage)
    response = see(path if step is None else f"{step}?next={quote(path)}")
    put_cookie(response, services, SESSION_COOKIE, opened.token, max_age=None)
    return response


async def _authenticated(request: Request, services: Services, login: str, password: str) -> Account:
    """Check a password, with the limits around it.

    Raises:
        BadLogin: it's wrong, for whatever reason.
        RateLimited: too many tries.
    """
    limits, address, per_minute = (
        services.access.limits,
        address_of(request),
        services.settings.sign_ins_per_minute,
    )
    for subject, limit in (
        (f"login:{address}", per_minute),
        (f"login:{plain_login(login)}", per_minute * MANY_ADDRESSES),
    ):
        await limits.enforce(subject, limit=limit, window=timedelta(minutes=1))
    async with services.access.tries.one(Way.PASSWORD, login=login, address=address):
        return await services.access.accounts.authenticate(login, password)


async def _login(request: Request, *, next_path: str, refusal: StewardError | None = None) -> Response:
    response = await show(
        request,
        "login.html",
        status=200 if refusal is None else int(refusal.status),
        next=next_path,
        problem=None if refusal is None else str(refusal),
        page="",
        title="Sign in",
    )
    if isinstance(refusal, RateLimited):
        response.headers.update(headers_of(refusal))
    return response


async def _goodbye(request: Request, id_token: bytes | None) -> str | None:
    services = services_of(request)
    sign_ins, address = services.access.sign_ins, services.settings.public_url
    if id_token is None or sign_ins is None or address is None:
        return None
    return await sign_ins.goodbye(id_token, back_to=f"{address.rstrip('/')}/console/login")


def _sign_ins(request: Request) -> SignIns:
    sign_ins = services_of(request).access.sign_ins
    if sign_ins is None:
        raise NotFound("This installation has no identity provider; sign in with a password.")
    return sign_ins
