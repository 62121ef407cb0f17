"""Wrong passwords and codes: counted, locked out where they are too many, and on record without a flood.

A single failure is a figure and a count on its account; the account's next sign-in says in the ledger how
many came before it. A lock-out is an entry, but at most one an hour for each account and each address, and
so many an hour for all addresses together: who fails as fast as they can fills no ledger. What was typed
is kept nowhere, and an address stands in the ledger as a keyed digest.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.access import queries
from steward.govern.access.account import Account, plain_login
from steward.govern.access.errors import BadCode, BadLogin, LockedOut
from steward.govern.access.limits import Allowance, RateLimits
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey

WIDE: Final = 100
"""Wrong tries an hour for one account from everywhere, and from one address for all accounts."""
WIDE_WITHIN: Final = timedelta(hours=1)
ADDRESSES_ON_RECORD: Final = 30
"""Entries an hour about addresses; further lock-outs are in the log and in the figures."""
log = structlog.get_logger(__name__)


class Way(StrEnum):
    """What somebody tries to prove who they are with."""

    PASSWORD = "password"  # noqa: S105 # the name of a way
    CODE = "code"
    IDENTITY_PROVIDER = "identity_provider"


@dataclass(frozen=True, slots=True)
class Bound:
    """How many wrong tries lock, and for how long they count."""

    most: int
    within: timedelta


BOUNDS: Final = {
    Way.PASSWORD: Bound(10, timedelta(minutes=15)),
    # 3 codes in a million are right, so 15 in a million succeed.
    Way.CODE: Bound(5, timedelta(minutes=10)),
}
"""Passwords count for a login and the address they come from, codes for a login alone."""


@dataclass(frozen=True, slots=True)
class _Try:
    """One try: what is tried, for which login, from where, and what is left of its own bound."""

    way: Way
    login: str
    source: str
    left: int

    @property
    def bound(self) -> Bound:
        return BOUNDS[self.way]


class Tries:
    """Counts wrong tries around whatever checks a password or a code."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        limits: RateLimits,
        master_key: MasterKey,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Take where figures go; without a registry nobody sees them."""
        self._database = database
        self._limits = limits
        self._master_key = master_key
        self._ledger = Ledger(clock)
        registry = registry or CollectorRegistry()
        self._tried = Counter(
            "steward_sign_in_tries",
            "Tries to prove who one is, by way and outcome: right, wrong or locked.",
            ["way", "outcome"],
            registry=registry,
        )
        self._locked = Counter(
            "steward_sign_in_lock_outs",
            "Lock-outs after too many wrong tries, of an account or an address.",
            ["of"],
            registry=registry,
        )

    @asynccontextmanager
    async def one(self, way: Way, *, login: str, address: str) -> AsyncIterator[None]:
        """Stand around a check that raises `BadLogin` or `BadCode` where the try is wrong.

        The try is counted before it's looked at: tries that are sent all at once don't outrun the count. A
        right one takes its login's and address's own count back; another error leaves it.

        Args:
            way: a password or a code.
            login: whose, as it was typed.
            address: where the try comes from.

        Raises:
            LockedOut: too many were wrong; nothing is checked.
        """
        login, source = plain_login(login), source_of(address)
        left = await self._begin(way, login, source)
        try:
            yield
        except (BadLogin, BadCode):
            self.count(way, "wrong")
            await self._failed(_Try(way, login, source, left), address)
            raise
        self.count(way, "right")
        await self._limits.forget(_own(way, login, source))

    async def lift(self, account: Account, *, actor: str) -> None:
        """Begin afresh the counts that lock an account for every address; a lock of one address stays.

        Somebody who guesses from many addresses shuts the account's owner out as well.
        """
        everywhere, _ = _wide(account.login, "")
        async with self._database.write() as session:
            for subject in (everywhere, _own(Way.CODE, account.login, "")):
                await self._limits.forget_in(session, subject)
            await self._ledger.append(session, Entry(actor, "account.unlocked", f"account:{account.id}", {}))

    def count(self, way: Way, outcome: str) -> None:
        """Add to the figures: a try that was right, wrong or locked."""
        self._tried.labels(way.value, outcome).inc()

    def name_of(self, address: str) -> str:
        """Return what the ledger calls an address: the same each time, and nobody reads it backwards."""
        digest = self._master_key.digest("sign_in_address", source_of(address).encode(errors="replace"))
        return f"address:{digest.hex()[:16]}"

    async def _begin(self, way: Way, login: str, source: str) -> int:
        bound = BOUNDS[way]
        own = await self._limits.take(_own(way, login, source), limit=bound.most, window=bound.within)
        wide = [
            await self._limits.left(subject, limit=WIDE, window=WIDE_WITHIN)
            for subject in _wide(login, source)
        ]
        refused = [allowance.retry_after_s for allowance in (own, *wide) if not allowance.allowed]
        if refused:
            self.count(way, "locked")
            raise LockedOut(max(refused))
        return own.remaining

    async def _failed(self, tried: _Try, address: str) -> None:
        """Count a wrong try, and put a lock-out on record where this was the last one allowed."""
        everywhere, from_there = _wide(tried.login, tried.source)
        async with self._database.write() as session:
            row = await session.one(queries.COUNT_FAILED_SIGN_IN, [tried.login])
            account = row[0] if row else None
            wide = await self._limits.take_in(
                session, {everywhere: WIDE, from_there: WIDE}, window=WIDE_WITHIN
            )
            if tried.left == 0:
                most, lasts = tried.bound.most, tried.bound.within
                await self._locked_out(session, tried, address, account, most=most, lasts=lasts, scope="own")
            if _is_last(wide[everywhere]) and account is not None:
                await self._locked_out(
                    session, tried, address, account, most=WIDE, lasts=WIDE_WITHIN, scope="everywhere"
                )
            if _is_last(wide[from_there]):
                await self._locked_out(
                    session, tried, address, None, most=WIDE, lasts=WIDE_WITHIN, scope="everyone"
                )

    async def _locked_out(
        self,
        session: WriteSession,
        tried: _Try,
        address: str,
        account: UUID | None,
        *,
        most: int,
        lasts: timedelta,
        scope: str,
    ) -> None:
        """Say that an account or an address is locked; `scope` is what the lock holds for."""
        name = self.name_of(address)
        subject = name if account is None else f"account:{account}"
        self._locked.labels("address" if account is None else "account").inc()
        log.warning("sign_in_locked_out", subject=subject, address=address, name=name, scope=scope)
        if not await self._may_record(session, subject, scope, of_address=account is None):
            return
        details: dict[str, Detail] = {
            "way": tried.way.value,
            "wrong_tries": most,
            "within_minutes": int(lasts.total_seconds()) // 60,
        }
        if account is None:
            details["logins"] = "many" if scope == "everyone" else "one that no account has"
            await self._ledger.append(session, Entry("system", "address.locked_out", subject, details))
            return
        wide = scope == "everywhere" or tried.way is Way.CODE
        details |= {"last_from": name, "locked_for": "every address" if wide else "this address"}
        await self._ledger.append(session, Entry("system", "account.locked_out", subject, details))

    async def _may_record(self, session: WriteSession, subject: str, scope: str, *, of_address: bool) -> bool:
        """Say whether the ledger takes another entry about this subject, and about addresses at all."""
        once = {f"on-record:{subject}:{scope}": 1}
        first = await self._limits.take_in(session, once, window=WIDE_WITHIN)
        if not all(allowance.allowed for allowance in first.values()):
            return False
        if not of_address:
            return True
        of_all = {"on-record:addresses": ADDRESSES_ON_RECORD}
        taken = await self._limits.take_in(session, of_all, window=WIDE_WITHIN)
        return all(allowance.allowed for allowance in taken.values())


def source_of(address: str) -> str:
    """Return where a try comes from: an address, or the whole /64 of an IPv6 one, which one person has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(known) >> 64 << 64, 64)))


def _own(way: Way, login: str, source: str) -> str:
    return f"wrong:{login}:{source}" if way is Way.PASSWORD else f"wrong-code:{login}"


def _wide(login: str, source: str) -> tuple[str, str]:
    return f"wrong-everywhere:{login}", f"wrong-from:{source}"


def _is_last(allowance: Allowance) -> bool:
    return allowance.allowed and allowance.remaining == 0
