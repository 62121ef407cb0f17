"""The tree of Steward's errors.

    StewardError
    ├── Refusal            expected: the caller asked for something it can't have; never retried
    │   ├── InvalidInput       400
    │   ├── NotAuthenticated   401
    │   ├── NotAllowed         403
    │   ├── NotFound           404
    │   └── Conflict           409
    └── OperationalError   transient or of the installation; the sentence says what to do
        ├── Unavailable        503, retryable
        └── Misconfigured      500, not retryable; ends a command with exit code 2

Anything else that escapes is a bug and crashes loudly. A package's `errors.py` derives from these;
each class takes data and builds one sentence: what happened, the value, what to do. Messages never
hold customer text or secrets.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class StewardError(Exception):
    """Base of all errors that Steward raises on purpose."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    log_level: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """A short name of the kind of error, for problem details (RFC 9457)."""
        return self.status.phrase


class Refusal(StewardError):
    """An expected no."""

    status = HTTPStatus.BAD_REQUEST
    log_level = "info"


class InvalidInput(Refusal):
    """What was sent doesn't have the right form."""


class NotAuthenticated(Refusal):
    """Nobody was named, or not provably."""

    status = HTTPStatus.UNAUTHORIZED


class NotAllowed(Refusal):
    """The caller is known and may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refusal):
    """The thing named isn't there (or isn't the caller's to see)."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Refusal):
    """The thing is in a state that doesn't allow this."""

    status = HTTPStatus.CONFLICT


class OperationalError(StewardError):
    """The installation or something it depends on isn't able to do this now."""


class Unavailable(OperationalError):
    """Something that Steward depends on doesn't answer; trying again later may work."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True


class Misconfigured(OperationalError):
    """A setting, file or dependency is wrong; a person has to change it."""
