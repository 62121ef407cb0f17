"""What the groups of an identity provider mean here: a role, and the categories that it is limited to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steward.govern.access.errors import BadProvider
from steward.govern.access.permissions import SCOPED_ROLES, Role


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a person may be. `categories` is None for everywhere."""

    role: Role
    categories: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """Groups and what they mean, the most powerful first.

    Attributes:
        claim: the claim that lists a person's groups; dots lead into objects (`realm_access.roles`).
        entries: each group's assignment, in the order that decides where several fit.
    """

    claim: str
    entries: tuple[tuple[str, Assignment], ...]

    @classmethod
    def of(cls, claim: str, written: Mapping[str, str]) -> RoleMapping:
        """Read a mapping such as {"billing-desk": "agent:billing,payments", "it": "admin"}.

        Raises:
            BadProvider: something isn't a role, or the role can't be limited.
        """
        return cls(claim, tuple((group, _assignment(group, text)) for group, text in written.items()))

    def assign(self, claims: Mapping[str, Any]) -> Assignment | None:
        """Return what a person may be, or None where no group has a role.

        The first entry that fits gives the role; further entries of the same role add their categories.
        """
        groups = _groups(claims, self.claim)
        fitting = [assignment for group, assignment in self.entries if group in groups]
        if not fitting:
            return None
        role = fitting[0].role
        scopes = [assignment.categories for assignment in fitting if assignment.role is role]
        if any(scope is None for scope in scopes):
            return Assignment(role, None)
        return Assignment(role, frozenset().union(*(scope for scope in scopes if scope is not None)))


def _assignment(group: str, text: str) -> Assignment:
    name, _, listed = text.partition(":")
    try:
        role = Role(name.strip())
    except ValueError:
        raise BadProvider(f"the group {group!r} is mapped to {name!r}, which isn't a role") from None
    categories = frozenset(part.strip() for part in listed.split(",") if part.strip())
    if categories and role not in SCOPED_ROLES:
        raise BadProvider(f"the group {group!r}: the role {role} can't be limited to categories")
    return Assignment(role, categories or None)


def _groups(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
