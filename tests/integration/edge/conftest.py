"""The web application with real access and ledger, and no other service.

A refused call must not reach a service: what would is met by None and shows as a 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.db.pool import PooledDatabase
from steward.edge.application import build_app
from steward.edge.contracts import Access, EdgeSettings, Readiness, Services
from steward.govern.access.accounts import Accounts
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.access.keys import ApiKeys
from steward.govern.access.limits import RateLimits
from steward.govern.access.passwords import Passwords
from steward.govern.access.second_factor import SecondFactors
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.access.sign_ins import SignIns
from steward.govern.access.tries import Tries
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.serve.turn.reach import Reach
from steward.supply.releases.signing import Signing

MASTER = MasterKey(b"m" * 32)


async def access_on(
    database: Database, clock: FixedClock, *, sign_ins: SignIns | None = None, local: bool = True
) -> Access:
    """Return real access; passwords are hashed as cheaply as the library allows."""
    cheap = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    limits = RateLimits(database, clock, master_key=MASTER)
    return Access(
        keys=ApiKeys(database, clock),
        accounts=Accounts(database, clock, passwords=cheap, local=local),
        sessions=ConsoleSessions(database, clock),
        second_factors=SecondFactors(database, clock, master_key=MASTER, issuer="Steward"),
        customer_tokens=await CustomerTokens.load(database, MASTER, clock, assistant="northline"),
        limits=limits,
        tries=Tries(database, clock, limits=limits, master_key=MASTER),
        sign_ins=sign_ins,
    )


async def services_on(
    database: Database,
    clock: FixedClock,
    *,
    settings: EdgeSettings,
    sign_ins: SignIns | None = None,
) -> Services:
    """Return services of which only access and ledger are there."""

    async def readiness() -> Sequence[Readiness]:
        return (Readiness("database", True, "answers"), Readiness("release", False, "nothing is served"))

    there: dict[str, Any] = {
        "settings": settings,
        "clock": clock,
        "database": database,
        "access": await access_on(database, clock, sign_ins=sign_ins, local=settings.local_accounts),
        "reach": Reach(database),
        "vault": Vault(MASTER, clock),
        "ledger": Ledger(clock),
        "ledger_signer": Signing(database, master_key=MASTER, clock=clock, ledger=Ledger(clock)),
        "readiness": readiness,
        "stopping": asyncio.Event(),
        "demo": None,
    }
    nothing = {field.name: None for field in fields(Services)}
    return Services(**(nothing | there))


@pytest.fixture
async def access(services: Services) -> Access:
    """Real access."""
    return services.access


@pytest.fixture
async def services(database: PooledDatabase, fixed_clock: FixedClock) -> Services:
    """Services of which only access and ledger are there."""
    settings = EdgeSettings("northline", "Northline", "0.1.0", requests_per_minute=5, sign_ins_per_minute=3)
    return await services_on(database, fixed_clock, settings=settings)


@pytest.fixture
def app(services: Services) -> FastAPI:
    """The web application."""
    return build_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that speaks to the application in this process."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        yield client
