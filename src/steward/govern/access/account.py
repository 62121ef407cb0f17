"""An account as it is stored, and the caller that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from steward.govern.access.permissions import ROLE_PERMISSIONS, WHOLE_INSTALLATION, Role
from steward.govern.access.principal import Principal, PrincipalKind


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may log in.

    Attributes:
        categories: where the account may act; None for everywhere.
        issuer: the identity provider that vouches for the person; None for a local account.
        emergency: whether its password opens the door where local accounts are switched off.
        second_factor_since: since when a second factor is asked for; None where there is none.
        disabled_because: `admin` where somebody disabled it, `no_role` where the provider gives no role.
    """

    id: UUID
    login: str
    name: str
    role: Role
    active: bool
    created_at: datetime
    categories: frozenset[str] | None = None
    issuer: str | None = None
    emergency: bool = False
    second_factor_since: datetime | None = None
    disabled_because: str | None = None

    @property
    def principal(self) -> Principal:
        """The caller that this person is."""
        permissions = ROLE_PERMISSIONS[self.role]
        if self.categories is not None:
            permissions -= WHOLE_INSTALLATION
        return Principal(
            PrincipalKind.STAFF,
            str(self.id),
            self.name,
            permissions,
            role=self.role,
            categories=self.categories,
        )


def plain_login(typed: str) -> str:
    """Return the login that somebody means, whatever case they type it in: the one form that is looked up."""
    return typed.replace("\x00", "").strip().casefold()


def account_of(row: Sequence[Any]) -> Account:
    """Return the account that a row with the columns of `queries` holds; the password stays behind."""
    account_id, login, name, role, state, created_at, _, issuer, emergency, since, because, scope = row
    return Account(
        id=account_id,
        login=login,
        name=name,
        role=Role(role),
        active=state == "active",
        created_at=created_at,
        categories=frozenset(scope) or None,
        issuer=issuer,
        emergency=emergency,
        second_factor_since=since,
        disabled_because=because,
    )
