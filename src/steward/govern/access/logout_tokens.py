"""What an identity provider says when somebody signs out there (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from steward.govern.access.errors import BadSignIn

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
OLDEST: Final = timedelta(minutes=10)
"""How long after it was made a logout token counts; the standard has it expire within two minutes or so."""
_TYPES: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt"})
_MOST_LETTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose logins end: all of a person, or those of one login at the provider.

    Attributes:
        subject: the person; None where only the login is named.
        login: the provider's login (`sid`); None for all of the person.
        token_id: what makes the token one that counts once (`jti`).
        gone_at: from when on the token can't count any more.
    """

    subject: str | None
    login: str | None
    token_id: str
    gone_at: datetime


def logout_of(claims: Mapping[str, Any], header: Mapping[str, Any], *, now: datetime) -> Logout:
    """Return what a token says whose signature, issuer, audience and times were found right.

    Section 2.6 of the standard, steps 4 to 8.

    Raises:
        BadSignIn: it's a token of another kind, says nothing definite, or is too old.
    """
    kind = header.get("typ")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in _TYPES):
        raise BadSignIn("the token is of another kind")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise BadSignIn("the token is no logout token")
    if "nonce" in claims:
        raise BadSignIn("the token is one of a sign-in")
    subject, login = _text(claims, "sub"), _text(claims, "sid")
    token_id = _text(claims, "jti")
    if token_id is None or (subject is None and login is None):
        raise BadSignIn("the token doesn't say whose login ends")
    # Written so that a number that compares with nothing is refused as well.
    if not now.timestamp() - claims["iat"] <= OLDEST.total_seconds():
        raise BadSignIn("the token is too old")
    return Logout(subject, login, token_id, now + 2 * OLDEST)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_LETTERS:
        raise BadSignIn(f"the token's {name} can't be one")
    return value
