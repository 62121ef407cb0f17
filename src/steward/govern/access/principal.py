"""Who is calling, and the one check of whether they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from steward.govern.access.errors import NoCredential, PermissionMissing
from steward.govern.access.permissions import Permission, Role


class PrincipalKind(StrEnum):
    """What sort of caller it is."""

    STAFF = "staff"
    KEY = "key"
    PUBLIC = "public"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class CustomerClaims:
    """What a verified token says about a customer.

    Attributes:
        reference: the customer's reference in the company's own systems.
        issuer: who signed it: this installation, or the company's site.
        expires_at: when it stops being valid.
        values: further claims by name (`name`, `account`, `email`, …), as text.
        once: the token's own name, where it may be used once only.
    """

    reference: str
    issuer: str
    expires_at: datetime
    values: Mapping[str, str] = field(repr=False)
    once: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    Attributes:
        kind: staff, a secret key, a public key or a customer.
        id: the account's, the key's, or for a customer the token's subject.
        name: what people call it; a customer's is the kind only, never their own name.
        permissions: what it may.
        role: the account's role; None for others.
        customer: the token's claims; None for others.
        categories: to which categories of the assistant it is limited; None for no limit.
    """

    kind: PrincipalKind
    id: str
    name: str
    permissions: frozenset[Permission]
    role: Role | None = None
    customer: CustomerClaims | None = None
    categories: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """How the ledger names this caller."""
        prefix = {PrincipalKind.STAFF: "account", PrincipalKind.PUBLIC: "key"}.get(self.kind, self.kind.value)
        return prefix if self.kind is PrincipalKind.CUSTOMER else f"{prefix}:{self.id}"


def require(principal: Principal | None, permission: Permission) -> Principal:
    """Return the caller when it may, and refuse otherwise.

    Raises:
        NoCredential: nobody was named (401).
        PermissionMissing: the caller is known and may not (403).
    """
    if principal is None:
        raise NoCredential
    if permission not in principal.permissions:
        raise PermissionMissing(permission)
    return principal
