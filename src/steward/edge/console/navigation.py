"""The pages that the console's navigation shows: to those who may see them, in groups that fit one line."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from steward.govern.access.permissions import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation. Pages say by `name` which one they are."""

    name: str
    path: str
    label: str
    needed: Permission


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that stand together; those without a label stand in the line itself."""

    label: str | None
    places: tuple[Place, ...]

    def holds(self, name: str) -> bool:
        """Tell whether one of the pages has this name."""
        return any(place.name == name for place in self.places)


GROUPS: Final = (
    Group(
        None,
        (
            Place("overview", "/console", "Overview", Permission.KPI_READ),
            Place("conversations", "/console/conversations", "Conversations", Permission.CONVERSATION_READ),
            Place("desk", "/console/desk", "Desk", Permission.CONVERSATION_REPLY),
            Place("approvals", "/console/approvals", "Approvals", Permission.WORKFLOW_APPROVE),
            Place("rollouts", "/console/rollouts", "Rollouts", Permission.ROLLOUT_READ),
            Place("releases", "/console/releases", "Releases", Permission.RELEASE_READ),
        ),
    ),
    Group(
        "Compliance",
        (
            Place("governance", "/console/governance", "Governance", Permission.GOVERNANCE_READ),
            Place("ledger", "/console/ledger", "Ledger", Permission.LEDGER_READ),
            Place("rights", "/console/rights", "Customers' rights", Permission.PERSONAL_EXPORT),
        ),
    ),
    Group(
        "Setup",
        (
            Place("site", "/console/site", "Put it on your site", Permission.KEY_MANAGE),
            Place("people", "/console/people", "People", Permission.ACCOUNT_MANAGE),
        ),
    ),
)


def navigation_for(allowed: Set[Permission]) -> tuple[Group, ...]:
    """Return what somebody with these permissions sees; a page alone in its group stands in the line."""
    groups: list[Group] = []
    for group in GROUPS:
        places = tuple(place for place in group.places if place.needed in allowed)
        if places:
            groups.append(Group(group.label if len(places) > 1 else None, places))
    return tuple(groups)
