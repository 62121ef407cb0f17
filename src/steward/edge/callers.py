"""Finding out who calls: a bearer key or token, or a console session's cookie."""

from __future__ import annotations

import hashlib
from http import HTTPMethod
from typing import Final
from uuid import UUID

from starlette.requests import Request

from steward.base.errors import NotAllowed, NotAuthenticated
from steward.edge.contracts import ConsoleSession, Services
from steward.edge.entrance import ANYBODY, Caller, Needed, Open, Proof, services_of
from steward.edge.problems import TooMany
from steward.govern.access.principal import Principal, PrincipalKind, require

SESSION_COOKIE: Final = "steward_session"
CSRF_HEADER: Final = "x-csrf-token"
_SAFE: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
_PROOFS: Final = {PrincipalKind.PUBLIC_KEY: Proof.PUBLIC_KEY, PrincipalKind.SECRET_KEY: Proof.SECRET_KEY}


async def identify_for_api(request: Request, needed: Needed) -> Caller:
    """Return the caller of an API route, who has the permission needed.

    Raises:
        NotAuthenticated: nobody is named, or not provably.
        NotAllowed: the caller lacks the permission, or a session's post lacks its token.
        TooMany: the caller's limit is used up.
    """
    if isinstance(needed, Open):
        return ANYBODY
    services = services_of(request)
    token = bearer_token(request)
    caller = await (_by_token(services, token) if token else _by_cookie(request, services))
    require(caller.account, needed)
    await _limit(request, services, caller)
    return caller


def bearer_token(request: Request) -> str | None:
    """Return the token of the Authorization header, or None where there is none."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if not header:
        return None
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("The Authorization header has to read: Bearer, a space, and the key or token.")
    return token.strip()


async def session_of(request: Request, services: Services) -> ConsoleSession | None:
    """Return the console session that the cookie stands for, or None."""
    token = request.cookies.get(SESSION_COOKIE)
    return await services.access.by_session(token) if token else None


def caller_in_session(session: ConsoleSession) -> Caller:
    """Return the caller that a session stands for."""
    return Caller(Proof.SESSION, session.principal, csrf_token=session.csrf_token)


def staff_of(caller: Caller) -> UUID:
    """Return the account behind a call.

    Raises:
        NotAllowed: a key calls; only a person can hold the word or answer for a decision.
    """
    if caller.proof is not Proof.SESSION:
        raise NotAllowed("Only a signed-in member of staff can do this, not a key.")
    return UUID(str(caller.account.id))


def is_safe(request: Request) -> bool:
    """Say whether the method changes nothing."""
    return request.method in _SAFE


def address_of(request: Request) -> str:
    """Return the caller's address as the server sees it; behind a proxy uvicorn has put the right one in."""
    return request.client.host if request.client else "unknown"


async def _by_token(services: Services, token: str) -> Caller:
    principal = await services.access.by_key(token)
    if principal is not None:
        return Caller(_PROOFS.get(principal.kind, Proof.SECRET_KEY), principal)
    proven = await services.access.by_customer_token(token)
    if proven is not None:
        customer_principal, customer = proven
        return Caller(Proof.CUSTOMER_TOKEN, customer_principal, customer=customer)
    raise NotAuthenticated("The key or token isn't known, has expired or was revoked.")


async def _by_cookie(request: Request, services: Services) -> Caller:
    session = await session_of(request, services)
    if session is None:
        raise NotAuthenticated("This call needs a key: send it as Authorization: Bearer KEY.")
    if not is_safe(request) and request.headers.get(CSRF_HEADER) != session.csrf_token:
        raise NotAllowed(f"A console session's calls that change something need the header {CSRF_HEADER}.")
    return caller_in_session(session)


async def _limit(request: Request, services: Services, caller: Caller) -> None:
    if caller.proof not in {Proof.PUBLIC_KEY, Proof.CUSTOMER_TOKEN}:
        return
    wait_s = await services.access.take(
        limit_subject(caller.account, address_of(request)),
        limit=services.settings.requests_per_minute,
        window_s=60,
    )
    if wait_s:
        raise TooMany(wait_s)


def limit_subject(principal: Principal, address: str) -> str:
    """Return the name under which requests are counted; the address goes in as a digest only."""
    return f"{principal.id}:{hashlib.sha256(address.encode()).hexdigest()[:16]}"
