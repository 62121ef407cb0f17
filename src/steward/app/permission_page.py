"""The reference page of permissions: every role against every call, generated from what the calls declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from steward.edge.application import declared_calls
from steward.edge.declarations import STRANGERS, Declared
from steward.edge.entrance import Open
from steward.govern.access.permissions import (
    ROLE_PERMISSIONS,
    SCOPED_ROLES,
    SCOPES,
    WHOLE_INSTALLATION,
    Permission,
    Role,
)

HEAD = """# Permissions

This page is generated (`python -m steward.app.permission_page`); a test compares it with the code, and
another tries every role, key and token of it on every call.

A call declares one permission. Staff have those of their role, keys the scopes they were given, a widget's
key and a customer's token always the same two. In the console only a login counts. What a call answers to
somebody who may not: 401 where nobody is named, 403 where the permission is missing; a page leads to the
sign-in instead of 401.

"""
SCOPED = """An account of the roles {roles} can be limited to categories:
then conversations, turns and approvals of other categories aren't there for it (404), in lists, in pages, in
calls, and for what it could do to them. Figures of the whole (KPIs, rollouts, releases) aren't limited. A
conversation in which the person holds the word stays in reach. What changes things for every category at once
isn't theirs either, whatever the role says: {whole}.

"""


def permission_page() -> str:
    """Return the page as Markdown."""
    calls = declared_calls()
    scoped = SCOPED.format(
        roles=", ".join(sorted(SCOPED_ROLES)),
        whole=", ".join(f"`{one}`" for one in sorted(WHOLE_INSTALLATION)),
    )
    return (
        HEAD
        + scoped
        + "## What a role may\n\n"
        + _table(["permission", *Role, "secret key"], _permissions())
        + "\n## The API\n\n"
        + _table(_HEADINGS, _calls(call for call in calls if not call.is_page))
        + "\n## The console\n\n"
        + _table(_HEADINGS[: len(Role) + 2], _pages(call for call in calls if call.is_page))
    )


_HEADINGS = ["call", "permission", *Role, "secret key", *STRANGERS]


def _permissions() -> Iterator[list[str]]:
    for permission in sorted(Permission):
        roles = [_mark(permission in ROLE_PERMISSIONS[role]) for role in Role]
        yield [f"`{permission}`", *roles, _mark(permission in SCOPES)]


def _calls(calls: Iterable[Declared]) -> Iterator[list[str]]:
    for call in calls:
        anybody = isinstance(call.needed, Open)
        yield [
            *_named(call),
            *(_mark(call.admits_role(role)) for role in Role),
            _mark(anybody or call.scope is not None),
            *(_mark(call.admits_stranger(stranger)) for stranger in STRANGERS),
        ]


def _pages(calls: Iterable[Declared]) -> Iterator[list[str]]:
    for call in calls:
        yield [*_named(call), *(_mark(call.admits_role(role)) for role in Role)]


def _named(call: Declared) -> list[str]:
    needed = "anybody" if isinstance(call.needed, Open) else f"`{call.needed}`"
    return [f"`{call.method} {call.path}`", needed]


def _mark(admitted: bool) -> str:
    return "yes" if admitted else ""


def _table(headings: Iterable[str], rows: Iterable[list[str]]) -> str:
    names = list(headings)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(permission_page(), end="")
