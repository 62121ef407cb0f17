"""Building retention: every package's purger in the order of an erasure, and what they stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from steward.app.foundation import Foundation
from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.db.partitions import drop_months_before
from steward.govern.access.purging import sessions_purger
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.contracts import CustomerId
from steward.govern.privacy.purging import KnownCustomers, vault_purger
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import (
    Customers,
    DataKind,
    Policy,
    Purger,
    Rule,
    Signer,
    TrainedModel,
    TrainedOn,
)
from steward.govern.retention.erasing import Erasing, Pause
from steward.govern.retention.expiring import BATCH, DropMonths, Expiring
from steward.govern.retention.exporting import Exporting
from steward.govern.retention.holds import Holds
from steward.govern.retention.own import exports_purger, holds_purger
from steward.improve.evals.purging import evaluations_purger
from steward.improve.review.purging import reviews_purger
from steward.improve.rollout.purging import rollouts_purger
from steward.serve.conversations.purging import conversations_purger, feedback_purger, messages_purger
from steward.serve.desk.purging import handovers_purger
from steward.serve.turn.purging import STAYS, turns_purger
from steward.serve.turn.silencing import Silencing
from steward.serve.workflows.halting import CustomerHalting
from steward.serve.workflows.purging import actions_purger
from steward.supply.releases.service import Releases

Heard = Callable[[str], Awaitable[None]]
_SERVED = "select distinct release_id from serving order by release_id"


@dataclass(frozen=True, slots=True)
class Retention:
    """Everything about keeping and forgetting."""

    erasing: Erasing
    exporting: Exporting
    holds: Holds
    expiring: Expiring
    purgers: tuple[Purger, ...]


def purgers_of(vault: Vault) -> tuple[Purger, ...]:
    """Return every package's purgers; what others refer to erases after them."""
    return (
        reviews_purger(),
        rollouts_purger(),
        feedback_purger(vault),
        handovers_purger(),
        actions_purger(vault),
        turns_purger(vault),
        messages_purger(vault),
        conversations_purger(vault),
        evaluations_purger(),
        sessions_purger(),
        exports_purger(),
        holds_purger(),
        vault_purger(vault),
    )


def build_retention(foundation: Foundation) -> Retention:
    """Build it all; nothing runs yet."""
    database = foundation.store.database

    async def drop_months(before: datetime) -> int:
        return await drop_months_before(foundation.store.owner_url, "turn", before, stays=STAYS)

    return retention_on(
        database,
        foundation.clock,
        vault=foundation.vault,
        customers=KnownCustomers(foundation.master_key),
        ledger=foundation.ledger,
        signer=foundation.signing,
        policy=ServedRules(database, foundation.releases),
        trained=ReleaseModels(database, foundation.releases),
        backup_days=foundation.settings.backup_days,
        drop_months=drop_months,
    )


def retention_on(
    database: Database,
    clock: Clock,
    *,
    vault: Vault,
    customers: Customers,
    ledger: Ledger,
    signer: Signer,
    policy: Policy,
    trained: TrainedOn,
    backup_days: int | None,
    drop_months: DropMonths | None = None,
    pause: Pause = asyncio.sleep,
    batch: int = BATCH,
) -> Retention:
    """Put the services of retention together, with every package's purger."""
    purgers = purgers_of(vault)
    erasing = Erasing(
        database=database,
        clock=clock,
        ledger=ledger,
        customers=customers,
        halting=CustomerHalting(clock),
        purgers=purgers,
        signer=signer,
        trained=trained,
        backup_days=backup_days,
        pause=pause,
    )
    return Retention(
        erasing=erasing,
        exporting=Exporting(
            database=database, clock=clock, ledger=ledger, customers=customers, purgers=purgers
        ),
        holds=Holds(database=database, clock=clock, ledger=ledger, customers=customers),
        expiring=Expiring(
            database=database,
            clock=clock,
            ledger=ledger,
            policy=policy,
            purgers=purgers,
            erasing=erasing,
            drop_months=drop_months,
            batch=batch,
        ),
        purgers=purgers,
    )


def forgetting(vault: Vault, silencing: Silencing) -> Heard:
    """Return what a process does when a customer was erased by any process."""

    async def heard(customer: str) -> None:
        vault.forget(CustomerId(UUID(customer)))
        silencing.forget_finished()

    return heard


class ServedRules:
    """The rules of every release that is served: of several for one kind, the longest time counts."""

    def __init__(self, database: Database, releases: Releases) -> None:
        self._database = database
        self._releases = releases

    async def rules(self) -> Sequence[Rule]:
        """Return one rule for each kind that all served releases have one for."""
        folders = [
            (await self._releases.load(release_id)).folder for release_id in await served(self._database)
        ]
        said = [
            {DataKind(rule.data): rule.days for rule in folder.governance.retention}
            if folder.governance is not None
            else {}
            for folder in folders
        ]
        return [
            Rule(kind, max(days[kind] for days in said))
            for kind in DataKind
            if said and all(kind in days for days in said)
        ]


class ReleaseModels:
    """What was trained for the releases that are served: heads, none of them on customers' data."""

    def __init__(self, database: Database, releases: Releases) -> None:
        self._database = database
        self._releases = releases

    async def models(self) -> Sequence[TrainedModel]:
        """Return the intent head of each served release, and the heads that came with Steward."""
        found: list[TrainedModel] = []
        for release_id in await served(self._database):
            loaded = await self._releases.load(release_id)
            found += [
                TrainedModel(
                    name=f"{name} of release {loaded.number} of {loaded.assistant}",
                    trained_on="data that came with Steward"
                    if name == "heads"
                    else "what people wrote into the assistant folder",
                    data_digest=digest if name == "heads" else release_id,
                    customers=False,
                )
                for name, digest in loaded.artefacts.items()
            ]
        return found


async def served(database: Database) -> list[str]:
    """Return the releases that are served."""
    async with database.read() as session:
        return [row[0] for row in await session.all(_SERVED)]
