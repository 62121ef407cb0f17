"""Passwords: argon2id in threads, few at a time, so that logins can't starve the turns."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from steward.govern.access.errors import BadPassword

LEAST, MOST = 10, 256
"""Characters of a password. The upper bound keeps a hash's cost independent of what was sent."""


class Passwords:
    """Hashes and checks passwords off the event loop."""

    def __init__(self, *, hasher: PasswordHasher | None = None, at_once: int = 2) -> None:
        """Take a hasher (the library's RFC 9106 low-memory profile by default) and how many run at once."""
        self._hasher = hasher or PasswordHasher()
        self._turnstile = asyncio.Semaphore(at_once)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return the text to store.

        Raises:
            BadPassword: too short or too long.
        """
        if not LEAST <= len(password) <= MOST:
            raise BadPassword(LEAST, MOST)
        async with self._turnstile:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether a password is the stored one; without one, spend the same time and say no."""
        candidate = password if len(password) <= MOST else ""
        async with self._turnstile:
            return await asyncio.to_thread(self._compare, candidate, stored)

    def outdated(self, stored: str) -> bool:
        """Tell whether a stored hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _compare(self, password: str, stored: str | None) -> bool:
        if stored is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash(secrets.token_urlsafe(24))
            stored, wanted = self._nobody, False
        else:
            wanted = True
        try:
            return self._hasher.verify(stored, password) and wanted
        except (VerificationError, InvalidHashError):
            return False
