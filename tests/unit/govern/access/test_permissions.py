"""The table of who may what holds the rules that matter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from steward.govern.access.errors import NoCredential, PermissionMissing
from steward.govern.access.permissions import (
    CUSTOMER_PERMISSIONS,
    PUBLIC_KEY_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPES,
    Permission,
    Role,
)
from steward.govern.access.principal import CustomerClaims, Principal, PrincipalKind, require


class TestRolePermissions:
    def test_every_role_has_a_row(self) -> None:
        assert set(ROLE_PERMISSIONS) == set(Role)

    def test_only_admins_manage_accounts(self) -> None:
        may = {role for role, held in ROLE_PERMISSIONS.items() if Permission.ACCOUNT_MANAGE in held}
        assert may == {Role.ADMIN}

    def test_those_who_see_values_are_few(self) -> None:
        may = {role for role, held in ROLE_PERMISSIONS.items() if Permission.PERSONAL_REVEAL in held}
        assert may == {Role.ADMIN, Role.AGENT, Role.COMPLIANCE}

    def test_viewer_reads_no_conversation(self) -> None:
        assert Permission.CONVERSATION_READ not in ROLE_PERMISSIONS[Role.VIEWER]

    def test_keys_hold_nothing_that_needs_a_person(self) -> None:
        personal = {
            Permission.CONVERSATION_REPLY,
            Permission.WORKFLOW_APPROVE,
            Permission.ACCOUNT_MANAGE,
            Permission.KEY_MANAGE,
            Permission.PERSONAL_REVEAL,
        }
        assert not SCOPES & personal

    def test_public_key_may_converse_and_rate_only(self) -> None:
        assert frozenset({"conversation:use", "feedback:give"}) == PUBLIC_KEY_PERMISSIONS
        assert PUBLIC_KEY_PERMISSIONS == CUSTOMER_PERMISSIONS


class TestRequire:
    def test_nobody_is_asked_to_log_in(self) -> None:
        with pytest.raises(NoCredential, match="needs a key or a login"):
            require(None, Permission.KPI_READ)

    def test_missing_permission_is_named(self) -> None:
        viewer = Principal(PrincipalKind.STAFF, "1", "Vi", ROLE_PERMISSIONS[Role.VIEWER], role=Role.VIEWER)
        with pytest.raises(PermissionMissing, match="ledger:read"):
            require(viewer, Permission.LEDGER_READ)

    def test_holder_passes(self) -> None:
        viewer = Principal(PrincipalKind.STAFF, "1", "Vi", ROLE_PERMISSIONS[Role.VIEWER], role=Role.VIEWER)
        assert require(viewer, Permission.KPI_READ) is viewer


class TestPrincipal:
    def test_customer_is_nameless_to_the_ledger_and_to_logs(self) -> None:
        claims = CustomerClaims("c-1", "steward", datetime(2026, 1, 1, tzinfo=UTC), {"name": "Maya Patel"})
        customer = Principal(PrincipalKind.CUSTOMER, "c-1", "customer", frozenset(), customer=claims)
        assert customer.actor == "customer"
        assert "Maya" not in repr(customer)

    def test_actor_names_kind_and_id(self) -> None:
        assert Principal(PrincipalKind.STAFF, "7", "Ann", frozenset()).actor == "account:7"
        assert Principal(PrincipalKind.PUBLIC, "8", "widget", frozenset()).actor == "key:8"
