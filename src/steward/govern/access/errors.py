"""Errors of access.

Refusal
├── NotAuthenticated
│   ├── NoCredential        nothing was shown
│   ├── BadLogin            login and password don't match, or the account is disabled
│   ├── BadSession          the console login ended
│   ├── BadKey              unknown, revoked or expired
│   └── BadCustomerToken    not ours, changed, expired or for somebody else
├── NotAllowed
│   ├── PermissionMissing
│   └── BadCsrfToken
├── NotFound
│   ├── AccountNotFound
│   └── KeyNotFound
├── Conflict
│   ├── LoginTaken
│   └── LastAdmin           the installation would have nobody left to manage it
├── InvalidInput
│   ├── BadPassword         too short or too long
│   ├── BadAccount          a login or name that can't be used
│   └── BadScopes           scopes that a key of this kind can't have
└── RateLimited             429
Misconfigured
└── BadSharedSecret         too short to sign with
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from steward.base.errors import (
    Conflict,
    InvalidInput,
    Misconfigured,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refusal,
)


class NoCredential(NotAuthenticated):
    """Nothing was shown."""

    def __init__(self) -> None:
        super().__init__("This needs a key or a login; send `Authorization: Bearer …`.")


class BadLogin(NotAuthenticated):
    """One sentence for every reason, so that nobody learns which logins exist."""

    def __init__(self) -> None:
        super().__init__("Login and password don't match an active account.")


class BadSession(NotAuthenticated):
    """The console login is unknown or over."""

    def __init__(self) -> None:
        super().__init__("The login has ended; log in again.")


class BadKey(NotAuthenticated):
    """The key opens nothing."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The key {problem}; an operator can issue a new one.")


class BadCustomerToken(NotAuthenticated):
    """The customer's token isn't valid."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The customer token {problem}; ask the site that issued it for a new one.")


class PermissionMissing(NotAllowed):
    """The caller may not do this."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}, which this key or account doesn't have.")
        self.permission = permission


class BadCsrfToken(NotAllowed):
    """A form came from elsewhere, or from a page of an older login."""

    def __init__(self) -> None:
        super().__init__("The page is out of date; load it again and repeat.")


class AccountNotFound(NotFound):
    """No such account."""

    def __init__(self, account_id: object) -> None:
        super().__init__(f"There is no account {account_id}.")


class KeyNotFound(NotFound):
    """No such key."""

    def __init__(self, key_id: object) -> None:
        super().__init__(f"There is no key {key_id}.")


class LoginTaken(Conflict):
    """Somebody has this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"The login {login!r} is taken; choose another.")


class LastAdmin(Conflict):
    """The last active admin can't go."""

    def __init__(self) -> None:
        super().__init__("This is the last active admin; make somebody else admin first.")


class BadPassword(InvalidInput):
    """The password can't be used."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"A password has {least} to {most} characters.")


class BadAccount(InvalidInput):
    """A login or name can't be used."""

    def __init__(self, field: str, most: int) -> None:
        super().__init__(f"An account's {field} has 1 to {most} characters and no control characters.")


class BadScopes(InvalidInput):
    """A key can't have these."""

    def __init__(self, wrong: Iterable[str]) -> None:
        super().__init__(f"A key of this kind can't have: {', '.join(sorted(wrong)) or 'no scope at all'}.")


class RateLimited(Refusal):
    """Too much, too fast."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class BadSharedSecret(Misconfigured):
    """The secret shared with the company's site is too short."""

    def __init__(self, least: int) -> None:
        super().__init__(f"The shared secret for customer tokens needs at least {least} bytes.")
