"""The second step of a login: the code of the second factor, or setting one up where it must be."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import StewardError
from steward.edge.callers import SESSION_COOKIE, address_of, drop_cookie, put_cookie, session_token
from steward.edge.console.entry import CSRF_FIELD, form_of, page, see, show
from steward.edge.console.signing_in import entered, own_path
from steward.edge.entrance import PUBLIC, services_of
from steward.govern.access.errors import BadCode, BadSession, LockedOut
from steward.govern.access.sessions import ConsoleSession, Stage
from steward.govern.access.tries import Way

router = APIRouter(prefix="/console/login", include_in_schema=False)


@router.get("/code")
@page(PUBLIC)
async def code_page(request: Request, next: str = "/console") -> Response:
    """Ask for the code."""
    session = await _at(request, Stage.CODE)
    return see("/console/login") if session is None else await _ask(request, session, next_path=next)


@router.post("/code")
@page(PUBLIC)
async def give_code(request: Request) -> Response:
    """Check the code and open the console, under a new token."""
    services, session = services_of(request), await _at(request, Stage.CODE)
    if session is None:
        return see("/console/login")
    form = form_of(request)
    session.check_csrf(form.get(CSRF_FIELD))
    try:
        async with code_of(request, session):
            await services.access.second_factors.check(session.account, form.get("code", ""))
    except BadCode as refusal:
        return await _ask(request, session, refusal, next_path=form.get("next", ""))
    except LockedOut as refusal:
        return await _shut(request, refusal)
    opened = await services.access.sessions.step_up(
        session_token(request, services) or "",
        session.account,
        agent=request.headers.get("user-agent"),
        way="password and code",
    )
    return entered(services, opened, own_path(form.get("next", "")))


@router.get("/enrol")
@page(PUBLIC)
async def enrol_page(request: Request) -> Response:
    """Show the secret of a second factor that has to be set up before anything else."""
    session = await _at(request, Stage.ENROL)
    return see("/console/login") if session is None else await _offer(request, session)


@router.post("/enrol")
@page(PUBLIC)
async def enrol(request: Request) -> Response:
    """Switch the second factor on, open the console under a new token, and show the recovery codes."""
    services, session = services_of(request), await _at(request, Stage.ENROL)
    if session is None:
        return see("/console/login")
    form = form_of(request)
    session.check_csrf(form.get(CSRF_FIELD))
    try:
        async with code_of(request, session):
            codes = await services.access.second_factors.confirm(session.account, form.get("code", ""))
    except BadCode as refusal:
        return await _offer(request, session, refusal)
    except LockedOut as refusal:
        return await _shut(request, refusal)
    opened = await services.access.sessions.step_up(
        session_token(request, services) or "",
        session.account,
        agent=request.headers.get("user-agent"),
        way="password and code",
    )
    response = await show(request, "recovery_codes.html", codes=codes, page="", title="Recovery codes")
    put_cookie(response, services, SESSION_COOKIE, opened.token, max_age=None)
    return response


def code_of(request: Request, session: ConsoleSession) -> AbstractAsyncContextManager[None]:
    """Return what stands around the check of a code of a login's account; it raises `LockedOut`."""
    tries = services_of(request).access.tries
    return tries.one(Way.CODE, login=session.account.login, address=address_of(request))


async def _shut(request: Request, refusal: LockedOut) -> Response:
    """End a login that had too many wrong codes."""
    services = services_of(request)
    await services.access.sessions.close(session_token(request, services) or "")
    response = await show(
        request, "login.html", status=429, next="/console", problem=str(refusal), page="", title="Sign in"
    )
    drop_cookie(response, services, SESSION_COOKIE)
    return response


async def _at(request: Request, stage: Stage) -> ConsoleSession | None:
    services = services_of(request)
    try:
        return await services.access.sessions.find_at(session_token(request, services) or "", stages=(stage,))
    except BadSession:
        return None


async def _ask(
    request: Request, session: ConsoleSession, refusal: StewardError | None = None, *, next_path: str
) -> Response:
    return await show(
        request,
        "login_code.html",
        status=200 if refusal is None else int(refusal.status),
        problem=None if refusal is None else str(refusal),
        next=own_path(next_path),
        token=session.csrf_token,
        page="",
        title="Second factor",
    )


async def _offer(request: Request, session: ConsoleSession, refusal: StewardError | None = None) -> Response:
    enrolment = await services_of(request).access.second_factors.begun(session.account)
    return await show(
        request,
        "login_enrol.html",
        status=200 if refusal is None else int(refusal.status),
        problem=None if refusal is None else str(refusal),
        enrolment=enrolment,
        token=session.csrf_token,
        page="",
        title="Set up the second factor",
    )
