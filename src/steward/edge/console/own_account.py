"""One's own account: the password, the second factor, and where one is signed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, StewardError
from steward.edge.callers import address_of, session_of, staff_of
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.console.second_step import code_of
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.errors import (
    BadCode,
    BadLogin,
    BadPassword,
    LockedOut,
    NoCredential,
    SecondFactorNeeded,
)
from steward.govern.access.permissions import Permission
from steward.govern.access.sessions import ConsoleSession
from steward.govern.access.tries import Way

_WRONG = "The present password is another."
router = APIRouter(prefix="/console/account", include_in_schema=False)


@router.get("")
@page(Permission.ACCOUNT_OWN)
async def own_account(request: Request) -> Response:
    """Show one's own account."""
    return await _page(request)


@router.post("/password")
@page(Permission.ACCOUNT_OWN)
async def change_password(request: Request) -> Response:
    """Change the password; every other login ends."""
    services, form, session = services_of(request), form_of(request), await _session(request)
    if form.get("password") != form.get("again"):
        return await _page(request, problem=InvalidInput("The two new passwords differ; type them again."))
    try:
        await _check_password(request, session)
        await services.access.accounts.set_password(
            session.account.id,
            form.get("password", ""),
            actor=session.account.principal.actor,
            keep=session.id,
        )
    except BadLogin:
        return await _page(request, problem=InvalidInput(_WRONG))
    except (BadPassword, LockedOut) as refusal:
        return await _page(request, problem=refusal)
    return await _page(request, said="The password is changed; every other login has ended.")


@router.post("/second-factor")
@page(Permission.ACCOUNT_OWN)
async def begin_second_factor(request: Request) -> Response:
    """Show the secret of a new second factor, to somebody who knows the present password."""
    session = await _session(request)
    try:
        await _check_password(request, session)
    except BadLogin:
        return await _page(request, problem=InvalidInput(_WRONG))
    except LockedOut as refusal:
        return await _page(request, problem=refusal)
    enrolment = await services_of(request).access.second_factors.begin(session.account)
    return await _page(request, enrolment=enrolment)


@router.post("/second-factor/confirm")
@page(Permission.ACCOUNT_OWN)
async def confirm_second_factor(request: Request) -> Response:
    """Switch the second factor on, and show its recovery codes this once."""
    factors, session = services_of(request).access.second_factors, await _session(request)
    try:
        async with code_of(request, session):
            codes = await factors.confirm(session.account, form_of(request).get("code", ""))
    except BadCode as refusal:
        return await _page(request, problem=refusal, enrolment=await factors.begun(session.account))
    except LockedOut as refusal:
        return await _page(request, problem=refusal)
    return await _codes(request, codes)


@router.post("/second-factor/codes")
@page(Permission.ACCOUNT_OWN)
async def renew_codes(request: Request) -> Response:
    """Make new recovery codes, after a code of the second factor."""
    services, session = services_of(request), await _session(request)
    try:
        async with code_of(request, session):
            await services.access.second_factors.check(session.account, form_of(request).get("code", ""))
    except (BadCode, LockedOut) as refusal:
        return await _page(request, problem=refusal)
    return await _codes(request, await services.access.second_factors.renew_recovery(session.account))


@router.post("/second-factor/remove")
@page(Permission.ACCOUNT_OWN)
async def remove_second_factor(request: Request) -> Response:
    """Take the second factor away, after one of its codes."""
    services, session = services_of(request), await _session(request)
    account = session.account
    if account.role in services.settings.second_factor_roles:
        return await _page(request, problem=SecondFactorNeeded(account.role))
    try:
        async with code_of(request, session):
            await services.access.second_factors.check(session.account, form_of(request).get("code", ""))
    except (BadCode, LockedOut) as refusal:
        return await _page(request, problem=refusal)
    await services.access.second_factors.remove(account.id, actor=caller_of(request).account.actor)
    return see("/console/account")


@router.post("/sessions/{session_id}/end")
@page(Permission.ACCOUNT_OWN)
async def end_session(request: Request, session_id: str) -> Response:
    """End one of one's own logins."""
    caller = caller_of(request)
    await services_of(request).access.sessions.end(
        record_id_of(session_id, "login"), account_id=staff_of(caller), actor=caller.account.actor
    )
    return see("/console/account")


async def _check_password(request: Request, session: ConsoleSession) -> None:
    """Ask for the present password, with the sign-in's own bounds around it."""
    access, login = services_of(request).access, session.account.login
    async with access.tries.one(Way.PASSWORD, login=login, address=address_of(request)):
        await access.accounts.check_password(session.account.id, form_of(request).get("current", ""))


async def _session(request: Request) -> ConsoleSession:
    session = await session_of(request, services_of(request))
    if session is None:
        raise NoCredential
    return session


async def _codes(request: Request, codes: tuple[str, ...]) -> Response:
    return await show(request, "recovery_codes.html", codes=codes, page="", title="Recovery codes")


async def _page(
    request: Request, *, problem: StewardError | None = None, said: str | None = None, **values: Any
) -> Response:
    services, session = services_of(request), await _session(request)
    account = await services.access.accounts.get(session.account.id)
    return await show(
        request,
        "own_account.html",
        status=200 if problem is None else _status(problem),
        page="account",
        title="Your account",
        account=account,
        needed=account.role in services.settings.second_factor_roles,
        codes_left=await services.access.second_factors.recovery_left(account.id),
        logins=await services.access.sessions.listed(account.id),
        here=session.id,
        problem=None if problem is None else str(problem),
        said=said,
        **{"enrolment": None, **values},
    )


def _status(problem: StewardError) -> int:
    """Return a refusal's status; a wrong code doesn't mean that nobody is signed in."""
    return 400 if problem.status is HTTPStatus.UNAUTHORIZED else int(problem.status)
