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

import structlog
from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import NotAllowed, StewardError
from steward.edge.contracts import Services, VerifiedCustomer
from steward.edge.problems import unexpected
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import Principal

_DECLARED: Final = "steward_permission"
_log = structlog.get_logger(__name__)


class Open(StrEnum):
    """The declaration of a route that anybody may call."""

    PUBLIC = "public"


PUBLIC: Final = Open.PUBLIC
Needed = Permission | Literal[Open.PUBLIC]


class Proof(StrEnum):
    """How a caller was recognised."""

    NONE = "none"
    PUBLIC_KEY = "public_key"
    SECRET_KEY = "secret_key"  # noqa: S105  a kind of proof, no secret
    CUSTOMER_TOKEN = "customer_token"  # noqa: S105
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `customer` is the one that a token proves; `csrf_token` belongs to a session."""

    proof: Proof
    principal: Principal | None = None
    customer: VerifiedCustomer | None = None
    csrf_token: str | None = None

    @property
    def reference(self) -> str | None:
        """The customer's reference, where a token proves it."""
        return None if self.customer is None else self.customer.reference

    @property
    def account(self) -> Principal:
        """The member of staff or the key behind the call.

        Raises:
            NotAllowed: nobody is.
        """
        if self.principal is None:
            raise NotAllowed("This needs a signed-in member of staff or a key.")
        return self.principal


ANYBODY: Final = Caller(Proof.NONE)

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
