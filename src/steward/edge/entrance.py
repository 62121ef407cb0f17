"""The one way into a handler: who calls, may they, and how is a no told.

A handler is declared with `api(Permission.X)` or `page(Permission.X)` (or `PUBLIC`). The declaration is
kept on the endpoint, where the OpenAPI document and the permission rule read it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, NotFound, StewardError
from steward.edge.contracts import Services
from steward.edge.problems import unexpected
from steward.govern.access.errors import NoCredential
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import Principal
from steward.serve.conversations.contracts import Customer
from steward.serve.turn.reach import RECORDS

_DECLARED: Final = "steward_permission"
_log = structlog.get_logger(__name__)


class Open(StrEnum):
    """The declaration of a route that anybody may call."""

    PUBLIC = "public"


PUBLIC: Final = Open.PUBLIC
Needed = Permission | Literal[Open.PUBLIC]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: nobody known, or a principal; `csrf_token` belongs to a console session."""

    principal: Principal | None = None
    csrf_token: str | None = None

    @property
    def account(self) -> Principal:
        """The member of staff, the key or the customer behind the call.

        Raises:
            NoCredential: nobody is.
        """
        if self.principal is None:
            raise NoCredential
        return self.principal

    @property
    def customer(self) -> Customer | None:
        """The customer whom a token proves, or None."""
        claims = None if self.principal is None else self.principal.customer
        return None if claims is None else Customer(claims.reference, True, claims.values)


ANYBODY: Final = Caller()

Handler = Callable[..., Awaitable[Response]]
Identify = Callable[[Request, Needed], Awaitable[Caller]]
Explain = Callable[[Request, StewardError], Awaitable[Response]]


def services_of(request: Request) -> Services:
    """Return the services that the composition root handed to the app."""
    services: Services = request.app.state.services
    return services


def caller_of(request: Request) -> Caller:
    """Return who makes this request, as the entrance found out."""
    caller: Caller = request.state.caller
    return caller


async def stay_in_reach(request: Request, caller: Caller) -> None:
    """Return if the records that the path names are in the caller's reach.

    Every route passes here, so one that is added later can't forget it.

    Raises:
        NotFound: the account is limited to categories, and a record isn't of them, or isn't there.
    """
    principal = caller.principal
    if principal is None or principal.categories is None:
        return
    for name in RECORDS & request.path_params.keys():
        try:
            record_id = UUID(request.path_params[name])
        except ValueError:
            continue
        if not await services_of(request).reach.holds(principal, name, record_id):
            raise NotFound(f"There is no {name.removesuffix('_id')} {record_id}.")


def _refuse_nul(request: Request) -> None:
    """Refuse an address with the one character that no text of the database can hold."""
    if any("\0" in str(value) for value in request.path_params.values()):
        raise NotFound("There is nothing at this address.")
    if b"%00" in request.scope["query_string"]:
        raise InvalidInput("The query holds the character NUL, which nothing here has.")


def permission_of(endpoint: object) -> Needed | None:
    """Return what an endpoint declared, or None where it declared nothing."""
    return getattr(endpoint, _DECLARED, None)


def entrance(identify: Identify, explain: Explain) -> Callable[[Needed], Callable[[Handler], Handler]]:
    """Make the decorator of one face out of its way to identify callers and to explain errors."""

    def declare(needed: Needed) -> Callable[[Handler], Handler]:
        def guard(handler: Handler) -> Handler:
            @wraps(handler)
            async def guarded(request: Request, **values: Any) -> Response:
                try:
                    request.state.caller = await identify(request, needed)
                    await stay_in_reach(request, request.state.caller)
                    _refuse_nul(request)
                    return await handler(request=request, **values)
                except StewardError as error:
                    if error.log_level != "info":
                        _log.warning("request.refused", error=type(error).__name__, path=request.url.path)
                    return await explain(request, error)
                except Exception as failure:  # noqa: BLE001  the isolation point of a request
                    return await explain(request, unexpected(failure))

            setattr(guarded, _DECLARED, needed)
            return guarded

        return guard

    return declare
