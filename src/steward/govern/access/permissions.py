"""What can be permitted, and to whom: the one table of roles, keys and customers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One thing that somebody may do, as `noun:verb`."""

    CONVERSATION_USE = "conversation:use"
    """Start a conversation, write in it, read one's own."""
    CONVERSATION_READ = "conversation:read"
    """Read anybody's, with tokens for personal data."""
    CONVERSATION_REPLY = "conversation:reply"
    """Take over, reply, give back."""
    ROUTE_USE = "route:use"
    CHAT_USE = "chat:use"
    FEEDBACK_GIVE = "feedback:give"
    KPI_READ = "kpi:read"
    TURN_READ = "turn:read"
    TURN_REVIEW = "turn:review"
    """Judge what a turn did."""
    RELEASE_READ = "release:read"
    RELEASE_WRITE = "release:write"
    ROLLOUT_READ = "rollout:read"
    ROLLOUT_WRITE = "rollout:write"
    """Start, advance, pause, resume, roll back, abort."""
    ROLLOUT_APPROVE = "rollout:approve"
    """Agree to a phase; the phase names the role besides."""
    ROLLOUT_WAIVE = "rollout:waive"
    """Start a rollout without what evaluation and governance ask; the ledger says what was missing."""
    EVALUATION_READ = "evaluation:read"
    EVALUATION_RUN = "evaluation:run"
    TRAFFIC_SIMULATE = "traffic:simulate"
    """Start conversations that are marked as simulated and never mixed with real figures."""
    WORKFLOW_APPROVE = "workflow:approve"
    LEDGER_READ = "ledger:read"
    ACCOUNT_MANAGE = "account:manage"
    ACCOUNT_OWN = "account:own"
    """Look after one's own password, second factor and logins."""
    KEY_MANAGE = "key:manage"
    PERSONAL_REVEAL = "personal:reveal"
    """Turn a token back into what it stands for; each time is in the ledger."""
    PERSONAL_EXPORT = "personal:export"
    """Hand a customer everything that is kept about them."""
    PERSONAL_ERASE = "personal:erase"
    """Erase a customer everywhere."""
    GOVERNANCE_READ = "governance:read"
    """Read who answers for what, the risks and whether their controls work."""
    METRICS_READ = "metrics:read"
    SETTING_READ = "setting:read"


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    OPERATOR = "operator"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    AGENT = "agent"
    COMPLIANCE = "compliance"
    VIEWER = "viewer"


_WATCH = frozenset(
    {
        Permission.ACCOUNT_OWN,
        Permission.KPI_READ,
        Permission.RELEASE_READ,
        Permission.ROLLOUT_READ,
        Permission.EVALUATION_READ,
        Permission.GOVERNANCE_READ,
    }
)
_LOOK_INSIDE = _WATCH | {Permission.CONVERSATION_READ, Permission.TURN_READ}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.OPERATOR: _LOOK_INSIDE
        | {
            Permission.CONVERSATION_REPLY,
            Permission.ROUTE_USE,
            Permission.CHAT_USE,
            Permission.RELEASE_WRITE,
            Permission.ROLLOUT_WRITE,
            Permission.ROLLOUT_APPROVE,
            Permission.EVALUATION_RUN,
            Permission.TURN_REVIEW,
            Permission.TRAFFIC_SIMULATE,
            Permission.WORKFLOW_APPROVE,
            Permission.KEY_MANAGE,
            Permission.METRICS_READ,
            Permission.SETTING_READ,
        },
        Role.EDITOR: _LOOK_INSIDE
        | {
            Permission.ROUTE_USE,
            Permission.CHAT_USE,
            Permission.RELEASE_WRITE,
            Permission.EVALUATION_RUN,
            Permission.TURN_REVIEW,
            Permission.SETTING_READ,
        },
        Role.REVIEWER: _LOOK_INSIDE | {Permission.TURN_REVIEW},
        Role.AGENT: _LOOK_INSIDE
        | {Permission.CONVERSATION_REPLY, Permission.WORKFLOW_APPROVE, Permission.PERSONAL_REVEAL},
        Role.COMPLIANCE: _LOOK_INSIDE
        | {
            Permission.LEDGER_READ,
            Permission.PERSONAL_REVEAL,
            Permission.PERSONAL_EXPORT,
            Permission.PERSONAL_ERASE,
            Permission.SETTING_READ,
            Permission.ROLLOUT_APPROVE,
        },
        Role.VIEWER: _WATCH,
    }
)
"""Each role's permissions. An approval additionally names the role that may give it."""

SCOPED_ROLES = frozenset({Role.OPERATOR, Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER})
"""Roles whose accounts can be limited to categories; admins and compliance see everything."""

WHOLE_INSTALLATION = frozenset(
    {
        Permission.RELEASE_WRITE,
        Permission.ROLLOUT_WRITE,
        Permission.ROLLOUT_APPROVE,
        Permission.ROLLOUT_WAIVE,
        Permission.KEY_MANAGE,
    }
)
"""What changes things for every category at once: an account that is limited to some lacks it."""

PUBLIC_KEY_PERMISSIONS = frozenset({Permission.CONVERSATION_USE, Permission.FEEDBACK_GIVE})
"""What a widget's key may; it stands in a web page for everybody to read."""

CUSTOMER_PERMISSIONS = frozenset({Permission.CONVERSATION_USE, Permission.FEEDBACK_GIVE})
"""What a customer's token may, in that customer's own conversations."""

SCOPES = frozenset(
    {
        Permission.CONVERSATION_USE,
        Permission.CONVERSATION_READ,
        Permission.ROUTE_USE,
        Permission.CHAT_USE,
        Permission.FEEDBACK_GIVE,
        Permission.KPI_READ,
        Permission.TURN_READ,
        Permission.RELEASE_READ,
        Permission.RELEASE_WRITE,
        Permission.ROLLOUT_READ,
        Permission.ROLLOUT_WRITE,
        Permission.EVALUATION_READ,
        Permission.EVALUATION_RUN,
        Permission.TRAFFIC_SIMULATE,
        Permission.METRICS_READ,
    }
)
"""What a secret API key may be given; the rest needs a person behind it."""
