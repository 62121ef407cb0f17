"""The navigation: who sees which pages, and when they stand in a group."""

from __future__ import annotations

import pytest

from steward.edge.application import declared_calls
from steward.edge.console.navigation import GROUPS, navigation_for
from steward.govern.access.permissions import ROLE_PERMISSIONS, Permission, Role


class TestNavigationFor:
    @pytest.mark.parametrize("role", Role)
    def test_leads_to_pages_that_the_role_may_see_and_to_all_of_them(self, role: Role) -> None:
        shown = {place.path for group in navigation_for(ROLE_PERMISSIONS[role]) for place in group.places}
        known = {place.path for group in GROUPS for place in group.places}
        admitted = {
            call.path
            for call in declared_calls()
            if call.method == "GET" and call.path in known and call.admits_role(role)
        }
        assert shown == admitted

    def test_a_page_alone_in_its_group_stands_in_the_line(self) -> None:
        (group,) = navigation_for({Permission.GOVERNANCE_READ})
        assert group.label is None
        assert group.holds("governance")
        assert not group.holds("ledger")

    def test_who_may_see_nothing_has_none(self) -> None:
        assert navigation_for(frozenset()) == ()
