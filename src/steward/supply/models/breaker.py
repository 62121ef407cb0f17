"""A circuit breaker: stops asking a model that keeps failing, and tries it again with one request."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES_TO_OPEN = 5
OPEN_S = 15.0
# A server that asks to wait an hour is tried again sooner: the limit may be lifted by hand.
LONGEST_REST_S = 60.0


class Breaker:
    """Opens after consecutive failures; after a rest one probe decides whether it closes."""

    def __init__(
        self,
        *,
        failures_to_open: int = FAILURES_TO_OPEN,
        open_s: float = OPEN_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._open_s = open_s
        self._now = now
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether requests are kept away at this moment."""
        return self._open_until is not None and (self._probing or self._now() < self._open_until)

    def take(self) -> bool:
        """Ask to send a request. Each True must be followed by `succeeded`, `failed` or `abandoned`."""
        if self.is_open:
            return False
        self._probing = self._open_until is not None
        return True

    def succeeded(self) -> None:
        """Close: the model answers."""
        self._failures, self._open_until, self._probing = 0, None, False

    def failed(self, *, rest_s: float | None = None) -> None:
        """Count a failure; `rest_s` is the wait that the server itself asked for and opens at once."""
        self._failures += 1
        if rest_s is not None and rest_s > 0:
            self._open_until = self._now() + min(rest_s, LONGEST_REST_S)
        elif self._probing or self._failures >= self._failures_to_open:
            self._open_until = self._now() + self._open_s
        self._probing = False

    def abandoned(self) -> None:
        """Give a request back that ended without telling anything, for example a cancelled one."""
        self._probing = False
