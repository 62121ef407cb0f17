"""What every call needs, as its handler declares it, and so who gets in: the one source of tests and docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from steward.edge.entrance import Needed, Open, permission_of
from steward.govern.access.permissions import (
    CUSTOMER_PERMISSIONS,
    PUBLIC_KEY_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPES,
    Permission,
    Role,
)

CONSOLE: Final = "/console"

Stranger = Literal["nobody", "widget key", "customer token"]
STRANGERS: Final[tuple[Stranger, ...]] = ("nobody", "widget key", "customer token")


@dataclass(frozen=True, slots=True)
class Declared:
    """One call: a method on a path, and what it needs; None where the handler declared nothing."""

    method: str
    path: str
    needed: Needed | None

    @property
    def is_page(self) -> bool:
        """Whether it belongs to the console, where only a login counts, never a key."""
        return self.path.startswith(CONSOLE)

    def admits_role(self, role: Role) -> bool:
        """Tell whether an account with this role gets in."""
        return isinstance(self.needed, Open) or self.needed in ROLE_PERMISSIONS[role]

    def admits_scope(self, scope: Permission) -> bool:
        """Tell whether a secret key that has this scope alone gets in."""
        return isinstance(self.needed, Open) or (not self.is_page and self.needed is scope)

    def admits_stranger(self, stranger: Stranger) -> bool:
        """Tell whether somebody gets in who is neither staff nor the company's own system."""
        if isinstance(self.needed, Open):
            return True
        may = {
            "nobody": frozenset[Permission](),
            "widget key": PUBLIC_KEY_PERMISSIONS,
            "customer token": CUSTOMER_PERMISSIONS,
        }[stranger]
        return not self.is_page and self.needed in may

    @property
    def scope(self) -> Permission | None:
        """The scope with which a secret key gets in, None where none does."""
        if self.is_page or self.needed is None or isinstance(self.needed, Open):
            return None
        return self.needed if self.needed in SCOPES else None


def declared_by(app: FastAPI) -> tuple[Declared, ...]:
    """Return the calls of an application, by path and method."""
    calls = (
        Declared(method, route.path, permission_of(route.endpoint))
        for route in routes_of(app)
        for method in route.methods or ()
    )
    return tuple(sorted(calls, key=lambda call: (call.is_page, call.path, call.method)))


def routes_of(app: FastAPI) -> tuple[APIRoute, ...]:
    """Return every route that was declared, those of included routers too."""
    found = (context.original_route for context in iter_route_contexts(app.routes))
    return tuple(route for route in found if isinstance(route, APIRoute))
