"""Retention on a real database, with two customers who have a past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tests.prove.planting import Ground, make_ground

from steward.app.retaining import retention_on
from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.purging import KnownCustomers
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind, Purger, Rule, TrainedModel
from steward.govern.retention.erasing import Erasing
from steward.govern.retention.expiring import Expiring
from steward.govern.retention.exporting import Exporting
from steward.govern.retention.holds import Holds
from steward.supply.releases.signing import Signing

MASTER = MasterKey(b"m" * 32)


class OneModel:
    """Knows of one model, trained on a folder."""

    async def models(self) -> Sequence[TrainedModel]:
        return (TrainedModel("intent head", "the assistant folder", "r1", customers=False),)


@dataclass(slots=True)
class SomeRules:
    """Rules that a test sets."""

    days: dict[DataKind, int] = field(default_factory=dict)

    async def rules(self) -> Sequence[Rule]:
        return [Rule(kind, days) for kind, days in self.days.items()]


@dataclass(frozen=True, slots=True)
class House:
    """Everything about keeping and forgetting."""

    database: PooledDatabase
    clock: FixedClock
    vault: Vault
    ledger: Ledger
    ground: Ground
    purgers: tuple[Purger, ...]
    erasing: Erasing
    exporting: Exporting
    holds: Holds
    expiring: Expiring
    rules: SomeRules

    async def count(self, table: str) -> int:
        """Count a table's rows."""
        async with self.database.read() as session:
            row = await session.one(f"select count(*) from {table}")
        assert row is not None
        return int(row[0])


@pytest.fixture
async def house(database: PooledDatabase, fixed_clock: FixedClock) -> House:
    """Build it on the test's database."""
    vault, ledger = Vault(MASTER, fixed_clock), Ledger(fixed_clock)
    rules = SomeRules()

    async def no_pause(_: float) -> None:
        return None

    made = retention_on(
        database,
        fixed_clock,
        vault=vault,
        customers=KnownCustomers(MASTER),
        ledger=ledger,
        signer=Signing(database, master_key=MASTER, clock=fixed_clock, ledger=ledger),
        policy=rules,
        trained=OneModel(),
        backup_days=30,
        pause=no_pause,
        batch=2,
    )
    async with database.write() as session:
        ground = await make_ground(session, fixed_clock.now(), fixed_clock)
    return House(
        database=database,
        clock=fixed_clock,
        vault=vault,
        ledger=ledger,
        ground=ground,
        purgers=made.purgers,
        erasing=made.erasing,
        exporting=made.exporting,
        holds=made.holds,
        expiring=made.expiring,
        rules=rules,
    )
