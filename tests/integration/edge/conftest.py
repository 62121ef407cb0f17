"""The web application with real access and ledger, and no other service.

A refused call must not reach a service: what would is met by None and shows as a 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import httpx2
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from steward.base.clock import FixedClock
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
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.serve.turn.reach import Reach
from steward.supply.releases.signing import Signing

MASTER = MasterKey(b"m" * 32)


@pytest.fixture
async def access(database: PooledDatabase, fixed_clock: FixedClock) -> Access:
    """Real access; passwords are hashed as cheaply as the library allows."""
    cheap = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Access(
        keys=ApiKeys(database, fixed_clock),
        accounts=Accounts(database, fixed_clock, passwords=cheap),
        sessions=ConsoleSessions(database, fixed_clock),
        second_factors=SecondFactors(database, fixed_clock, master_key=MASTER, issuer="Steward"),
        customer_tokens=await CustomerTokens.load(database, MASTER, fixed_clock, assistant="northline"),
        limits=RateLimits(database, fixed_clock, master_key=MASTER),
    )


@pytest.fixture
def services(database: PooledDatabase, fixed_clock: FixedClock, access: Access) -> Services:
    """Services of which only access and ledger are there."""
    nothing = cast(Any, None)

    async def readiness() -> Sequence[Readiness]:
        return (Readiness("database", True, "answers"), Readiness("release", False, "nothing is served"))

    return Services(
        settings=EdgeSettings(
            "northline", "Northline", "0.1.0", requests_per_minute=5, sign_ins_per_minute=3
        ),
        clock=fixed_clock,
        database=database,
        access=access,
        conversations=nothing,
        overview=nothing,
        reach=Reach(database),
        turns=nothing,
        anatomies=nothing,
        desk=nothing,
        approvals=nothing,
        vault=Vault(MASTER, fixed_clock),
        first_page=nothing,
        releases=nothing,
        ledger=Ledger(fixed_clock),
        readiness=readiness,
        stopping=asyncio.Event(),
        rollouts=nothing,
        evaluations=nothing,
        forecasts=nothing,
        results=nothing,
        shadow_results=nothing,
        live=nothing,
        labels=nothing,
        reviews=nothing,
        ledger_key=Signing(
            database, master_key=MASTER, clock=fixed_clock, ledger=Ledger(fixed_clock)
        ).public_key,
    )


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
