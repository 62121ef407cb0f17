"""Groups become a role and categories, by the order in which the mapping has them."""

from __future__ import annotations

from typing import Any

import pytest

from steward.govern.access.errors import BadProvider
from steward.govern.access.permissions import Role
from steward.govern.access.role_mapping import Assignment, RoleMapping

WRITTEN = {
    "leads": "operator",
    "billing": "agent:billing, payments",
    "service": "agent:technical",
    "all-agents": "agent",
    "audit": "compliance",
}


class TestAssign:
    @pytest.mark.parametrize(
        ("groups", "assigned"),
        [
            (["billing"], Assignment(Role.AGENT, frozenset({"billing", "payments"}))),
            (["service", "billing"], Assignment(Role.AGENT, frozenset({"billing", "payments", "technical"}))),
            (["billing", "all-agents"], Assignment(Role.AGENT, None)),
            (["audit", "leads"], Assignment(Role.OPERATOR, None)),
            ("audit", Assignment(Role.COMPLIANCE, None)),
            (["Billing"], None),
            ([], None),
            ([7, None], None),
            (None, None),
            ({"billing": True}, None),
        ],
    )
    def test_the_first_that_fits_gives_the_role(self, groups: Any, assigned: Assignment | None) -> None:
        assert RoleMapping.of("groups", WRITTEN).assign({"groups": groups}) == assigned

    def test_dots_lead_into_objects_unless_the_claim_has_them_itself(self) -> None:
        mapping = RoleMapping.of("realm_access.roles", WRITTEN)
        assert mapping.assign({"realm_access": {"roles": ["leads"]}}) == Assignment(Role.OPERATOR, None)
        assert mapping.assign({"realm_access.roles": ["audit"]}) == Assignment(Role.COMPLIANCE, None)
        assert mapping.assign({"realm_access": "leads"}) is None


class TestOf:
    @pytest.mark.parametrize(
        ("written", "problem"),
        [({"it": "root"}, "isn't a role"), ({"it": "admin:billing"}, "can't be limited")],
    )
    def test_what_cant_be_is_told(self, written: dict[str, str], problem: str) -> None:
        with pytest.raises(BadProvider, match=problem):
            RoleMapping.of("groups", written)
