"""People: who may sign in, as what, and where; for admins."""

from __future__ import annotations

import re
import secrets
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import Conflict, InvalidInput, StewardError
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.errors import BadPassword
from steward.govern.access.permissions import SCOPED_ROLES, Permission, Role

router = APIRouter(prefix="/console/people", include_in_schema=False)


@router.get("")
@page(Permission.ACCOUNT_MANAGE)
async def people(request: Request) -> Response:
    """List the accounts."""
    return await _list(request)


@router.post("")
@page(Permission.ACCOUNT_MANAGE)
async def create(request: Request) -> Response:
    """Make a local account with a password that is shown this once."""
    services, form, password = services_of(request), form_of(request), secrets.token_urlsafe(12)
    try:
        made = await services.access.accounts.create(
            login=form.get("login", ""),
            name=form.get("name", ""),
            role=role_of(form.get("role", "")),
            password=password,
            actor=_actor(request),
            categories=categories_of(form.get("categories", "")),
        )
    except (InvalidInput, Conflict) as refusal:
        return await _list(request, problem=refusal)
    return await _one(request, made.id, password=password)


@router.get("/{account_id}")
@page(Permission.ACCOUNT_MANAGE)
async def person(request: Request, account_id: str) -> Response:
    """Show one account and what can be done about it."""
    return await _one(request, record_id_of(account_id, "account"))


@router.post("/{account_id}/role")
@page(Permission.ACCOUNT_MANAGE)
async def set_role(request: Request, account_id: str) -> Response:
    """Give an account a role and the categories that it is limited to."""
    form, account = form_of(request), _id(account_id)
    try:
        await services_of(request).access.accounts.assign(
            account,
            role=role_of(form.get("role", "")),
            categories=categories_of(form.get("categories", "")),
            actor=_actor(request),
        )
    except (InvalidInput, Conflict) as refusal:
        return await _one(request, account, problem=refusal)
    return see(f"/console/people/{account}")


@router.post("/{account_id}/state")
@page(Permission.ACCOUNT_MANAGE)
async def set_state(request: Request, account_id: str) -> Response:
    """Shut an account out at once, or let it in again."""
    account, accounts = _id(account_id), services_of(request).access.accounts
    try:
        if form_of(request).get("state") == "active":
            await accounts.enable(account, actor=_actor(request))
        else:
            await accounts.disable(account, actor=_actor(request))
    except Conflict as refusal:
        return await _one(request, account, problem=refusal)
    return see(f"/console/people/{account}")


@router.post("/{account_id}/password")
@page(Permission.ACCOUNT_MANAGE)
async def reset_password(request: Request, account_id: str) -> Response:
    """Set a new password, shown this once; the account's logins end."""
    account, password = _id(account_id), secrets.token_urlsafe(12)
    try:
        await services_of(request).access.accounts.set_password(account, password, actor=_actor(request))
    except (BadPassword, Conflict) as refusal:
        return await _one(request, account, problem=refusal)
    return await _one(request, account, password=password)


@router.post("/{account_id}/second-factor")
@page(Permission.ACCOUNT_MANAGE)
async def reset_second_factor(request: Request, account_id: str) -> Response:
    """Take a lost second factor away; who lost it sets up another."""
    account, access = _id(account_id), services_of(request).access
    await access.accounts.get(account)
    await access.second_factors.remove(account, actor=_actor(request))
    await access.sessions.close_all(account, actor=_actor(request))
    return see(f"/console/people/{account}")


@router.post("/{account_id}/emergency")
@page(Permission.ACCOUNT_MANAGE)
async def set_emergency(request: Request, account_id: str) -> Response:
    """Let a local account in where passwords are switched off, or no longer."""
    account, wanted = _id(account_id), form_of(request).get("emergency") == "yes"
    try:
        await services_of(request).access.accounts.set_emergency(
            account, emergency=wanted, actor=_actor(request)
        )
    except Conflict as refusal:
        return await _one(request, account, problem=refusal)
    return see(f"/console/people/{account}")


@router.post("/{account_id}/sessions")
@page(Permission.ACCOUNT_MANAGE)
async def end_sessions(request: Request, account_id: str) -> Response:
    """End all logins of an account, or one."""
    account, access = _id(account_id), services_of(request).access
    await access.accounts.get(account)
    one = form_of(request).get("session")
    if one:
        await access.sessions.end(record_id_of(one, "login"), account_id=account, actor=_actor(request))
    else:
        await access.sessions.close_all(account, actor=_actor(request))
    return see(f"/console/people/{account}")


def role_of(text: str) -> Role:
    """Return the role that a form names.

    Raises:
        InvalidInput: there is no such role.
    """
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput(f"Choose one of the roles: {', '.join(Role)}.") from None


def categories_of(text: str) -> tuple[str, ...]:
    """Return the categories that a form lists, separated by commas or spaces."""
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,]+", text.strip().lower()) if part))


def _id(text: str) -> UUID:
    return record_id_of(text, "account")


def _actor(request: Request) -> str:
    return caller_of(request).account.actor


async def _list(request: Request, *, problem: StewardError | None = None) -> Response:
    services = services_of(request)
    return await show(
        request,
        "people.html",
        status=200 if problem is None else int(problem.status),
        page="people",
        title="People",
        accounts=await services.access.accounts.listed(),
        roles=list(Role),
        problem=None if problem is None else str(problem),
    )


async def _one(
    request: Request, account: UUID, *, problem: StewardError | None = None, password: str | None = None
) -> Response:
    access = services_of(request).access
    return await show(
        request,
        "person.html",
        status=200 if problem is None else int(problem.status),
        page="people",
        title="Account",
        account=await access.accounts.get(account),
        logins=await access.sessions.listed(account),
        roles=list(Role),
        limited=sorted(SCOPED_ROLES),
        password=password,
        problem=None if problem is None else str(problem),
    )
