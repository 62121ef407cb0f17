"""Finding out who calls: a bearer key or token, or a console session's cookie."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPMethod
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import NotAllowed, NotAuthenticated
from steward.edge.contracts import Services
from steward.edge.entrance import ANYBODY, Caller, Needed, Open, services_of
from steward.govern.access.account import Account
from steward.govern.access.errors import BadSession, NoCredential
from steward.govern.access.principal import Principal, PrincipalKind, require
from steward.govern.access.sessions import ConsoleSession

SESSION_COOKIE: Final = "steward_session"
CSRF_HEADER: Final = "x-csrf-token"
_KEY_PREFIX: Final = "stw_"
_SAFE: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
_MINUTE: Final = timedelta(minutes=1)
MANY_KEYS: Final = 5
"""How many times one key's requests an address has with all keys: a site may show several widgets."""
_LIMITED: Final = frozenset({PrincipalKind.PUBLIC, PrincipalKind.CUSTOMER})
"""Callers out of a stranger's browser; staff and the company's own systems aren't counted."""


async def identify_for_api(request: Request, needed: Needed) -> Caller:
    """Return the caller of an API route, who has the permission needed.

    Raises:
        NotAuthenticated: nobody is named, or not provably.
        NotAllowed: the caller lacks the permission, or a session's post lacks its token.
        RateLimited: the caller's requests are used up.
    """
    if isinstance(needed, Open):
        return ANYBODY
    services = services_of(request)
    token = bearer_token(request)
    caller = await (_by_token(request, services, token) if token else _by_cookie(request, services))
    principal = require(caller.principal, needed)
    if principal.kind in _LIMITED:
        await _limit(request, services, principal)
    return caller


def bearer_token(request: Request) -> str | None:
    """Return the token of the Authorization header, or None where there is none."""
    header = request.headers.get("authorization", "")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("The Authorization header has to read: Bearer, a space, and the key or token.")
    return token.strip()


async def _by_token(request: Request, services: Services, token: str) -> Caller:
    """Return the caller whom a key or a customer's token stands for."""
    if not token.startswith(_KEY_PREFIX):
        return Caller(await services.access.customer_tokens.principal(token))
    key = await services.access.keys.find(token)
    key.check_origin(request.headers.get("origin"))
    return Caller(key.principal)


async def _limit(request: Request, services: Services, principal: Principal) -> None:
    """Count a request of a stranger's browser: for its address, its conversation, then for the key.

    The key's own count comes last and alone, so that one address can't use it up for everybody.
    """
    settings, limits, address = services.settings, services.access.limits, address_of(request)
    narrow = {
        f"requests:{principal.id}:{address}": settings.requests_per_minute,
        f"requests:{address}": settings.requests_per_minute * MANY_KEYS,
    }
    conversation = request.path_params.get("conversation_id")
    if conversation is not None and not is_safe(request):
        narrow[f"conversation:{conversation}"] = settings.messages_per_minute
    await limits.enforce_all(narrow, window=_MINUTE)
    if principal.kind is PrincipalKind.PUBLIC:
        await limits.enforce(
            f"requests:{principal.id}", limit=settings.key_requests_per_minute, window=_MINUTE
        )


async def session_of(request: Request, services: Services) -> ConsoleSession | None:
    """Return the console session that the cookie stands for, or None."""
    token = session_token(request, services)
    if not token:
        return None
    try:
        session = await services.access.sessions.find(token)
    except BadSession:
        return None
    return None if _lacks_factor(session.account, services) else session


def _lacks_factor(account: Account, services: Services) -> bool:
    """Say whether a role given after the login asks for a second factor; the next login sets it up."""
    needed = account.role in services.settings.second_factor_roles and account.issuer is None
    return needed and account.second_factor_since is None


def session_token(request: Request, services: Services) -> str | None:
    """Return the token in the session's cookie, or None."""
    return request.cookies.get(cookie_name(services, SESSION_COOKIE))


def cookie_name(services: Services, name: str) -> str:
    """Return a cookie's whole name; over https its prefix keeps other hosts from setting it (RFC 6265bis)."""
    return f"__Host-{name}" if services.settings.secure_cookies else name


def put_cookie(response: Response, services: Services, name: str, value: str, *, max_age: int | None) -> None:
    """Give a browser a cookie that no script reads and no other site's form sends; None ends it with it."""
    response.set_cookie(
        cookie_name(services, name),
        value,
        max_age=max_age,
        httponly=True,
        samesite="lax",
        secure=services.settings.secure_cookies,
        path="/",
    )


def drop_cookie(response: Response, services: Services, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        cookie_name(services, name),
        httponly=True,
        samesite="lax",
        secure=services.settings.secure_cookies,
        path="/",
    )


def caller_in_session(session: ConsoleSession) -> Caller:
    """Return the caller that a session stands for."""
    return Caller(session.account.principal, session.csrf_token)


def staff_of(caller: Caller) -> UUID:
    """Return the account behind a call.

    Raises:
        NotAllowed: a key calls; only a person can hold the word or answer for a decision.
    """
    if caller.account.kind is not PrincipalKind.STAFF:
        raise NotAllowed("Only a signed-in member of staff can do this, not a key.")
    return UUID(caller.account.id)


def role_of(caller: Caller) -> str:
    """Return the role of the person behind a call.

    Raises:
        NotAllowed: a key calls; only a person can answer for a decision.
    """
    staff_of(caller)
    role = caller.account.role
    assert role is not None
    return role.value


def is_safe(request: Request) -> bool:
    """Say whether the method changes nothing."""
    return request.method in _SAFE


def address_of(request: Request) -> str:
    """Return the caller's address as the server sees it; behind a proxy uvicorn has put the right one in."""
    return request.client.host if request.client else "unknown"


async def _by_cookie(request: Request, services: Services) -> Caller:
    session = await session_of(request, services)
    if session is None:
        raise NoCredential
    if not is_safe(request):
        session.check_csrf(request.headers.get(CSRF_HEADER))
    return caller_in_session(session)
