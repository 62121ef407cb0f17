"""Errors of access.

Refusal
├── NotAuthenticated
│   ├── NoCredential        nothing was shown
│   ├── BadLogin            login and password don't match, or the account is disabled
│   ├── BadSession          the console login ended
│   ├── BadCode             the second factor's code is wrong, too old or used
│   ├── BadKey              unknown, revoked or expired
│   ├── BadCustomerToken    not ours, changed, expired or for somebody else
│   └── BadSignIn           what came back from the identity provider can't be trusted
├── NotAllowed
│   ├── PermissionMissing
│   ├── BadCsrfToken
│   ├── WrongOrigin         a public key in the page of another site
│   └── NoRole              the identity provider knows the person, the mapping gives no role
├── NotFound
│   ├── AccountNotFound
│   ├── SessionNotFound
│   └── KeyNotFound
├── Conflict
│   ├── LoginTaken
│   ├── LastAdmin           the installation would have nobody left to manage it
│   ├── NoLocalPassword     an identity provider vouches for the account
│   ├── SecondFactorSet     there is one already
│   ├── SecondFactorNeeded  the account's role can't be without one
│   └── KeyEnded            revoked or expired: nothing to rotate
├── InvalidInput
│   ├── BadPassword         too short or too long
│   ├── BadAccount          a login or name that can't be used
│   ├── BadScope            categories that an account can't be limited to
│   ├── BadScopes           scopes that a key of this kind can't have
│   └── BadOrigin           not the origin of a site
└── RateLimited             429
    └── LockedOut           too many wrong tries
OperationalError
├── Misconfigured
│   ├── BadSharedSecret     too short to sign with
│   ├── BadVerifyingKey     not a public key that verifies tokens
│   └── BadProvider         settings of the identity provider that can't work
└── Unavailable
    └── ProviderUnreachable the identity provider, or who publishes keys, doesn't answer
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
    Unavailable,
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


class BadVerifyingKey(Misconfigured):
    """A configured key can't verify customers' tokens."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The key {key_id!r} in customer_token_keys isn't a public RSA, EC or Ed25519 key in PEM."
        )


class BadProvider(Misconfigured):
    """The identity provider can't be used as it is configured."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The identity provider can't be used: {problem}.")


class ProviderUnreachable(Unavailable):
    """Somebody whom a sign-in needs doesn't answer."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The sign-in can't be checked: {problem}; try again in a moment.")


class BadSignIn(NotAuthenticated):
    """What the identity provider sent, or somebody in its name, isn't to be trusted."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The sign-in was refused: {problem}. Start again from the sign-in page.")


class NoRole(NotAllowed):
    """The identity provider knows the person; nothing says what they may do here."""

    def __init__(self) -> None:
        super().__init__(
            "Your identity provider knows you, but none of your groups has a role here; "
            "ask whoever manages Steward to map one."
        )


class BadCode(NotAuthenticated):
    """One sentence for every reason."""

    def __init__(self) -> None:
        super().__init__("This code is wrong, too old or has been used; wait for the next one and type that.")


class LockedOut(RateLimited):
    """Too many wrong tries."""

    def __init__(self, retry_after_s: int) -> None:
        minutes = -(-retry_after_s // 60)
        Refusal.__init__(
            self,
            f"Too many wrong tries; wait {minutes} minute{'s' if minutes > 1 else ''} and try again.",
        )
        self.retry_after_s = retry_after_s


class SessionNotFound(NotFound):
    """No such login."""

    def __init__(self) -> None:
        super().__init__("There is no such login any more.")


class NoLocalPassword(Conflict):
    """The account has no password here."""

    def __init__(self) -> None:
        super().__init__("This account signs in with the identity provider and has no password here.")


class SecondFactorSet(Conflict):
    """There is one already."""

    def __init__(self) -> None:
        super().__init__("A second factor is set up already; remove it before you set up another.")


class SecondFactorNeeded(Conflict):
    """The role can't be without."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"The role {role} needs a second factor here; an admin can reset it if you lost yours."
        )


class KeyEnded(Conflict):
    """Nothing to rotate."""

    def __init__(self) -> None:
        super().__init__("This key has been revoked or has expired; issue a new one.")


class BadScope(InvalidInput):
    """An account can't be limited like this."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The account can't be limited to these categories: {problem}.")


class BadOrigin(InvalidInput):
    """Not a site's origin."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} isn't an origin; write it like https://www.example.com, without a path.")


class WrongOrigin(NotAllowed):
    """The key belongs to other sites."""

    def __init__(self) -> None:
        super().__init__(
            "This key isn't allowed on this site; an operator can add the site to the key's origins."
        )
