"""Building evaluations: the services of live turns on a database that is undone, effects off."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from steward.app.foundation import Foundation
from steward.app.outside import InstalledOutside
from steward.app.turning import Ground, build_turning
from steward.base.db.contracts import Database, ReadSession
from steward.base.db.pool import PooledDatabase
from steward.govern.privacy.vault import Vault
from steward.improve.evals.attempts import Rehearsal, Stage
from steward.improve.evals.effects import NoLedger, PinnedTraffic, RehearsedActions, RehearsedRuntimes
from steward.improve.evals.records import Records
from steward.improve.evals.service import Evals
from steward.serve.turn.telemetry import TurnTelemetry
from steward.supply.connectors.secrets import InstalledSecrets

AT_ONCE = 4
"""Conversations held at once: the turn waits for the database about as long as it computes."""
REMEMBERED_KEYS = 256


class Alone:
    """Liveness of the one process that sees an evaluation's conversations."""

    @property
    def instance(self) -> int:
        """This process's number, as good as any."""
        return 1

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        """Know only this process."""
        return instance == self.instance


def open_evals(foundation: Foundation, *, at_once: int = AT_ONCE) -> Evals:
    """Return the service; while something runs it opens connections of its own."""
    telemetry = TurnTelemetry(CollectorRegistry(), TracerProvider().get_tracer("steward.evaluation"))
    # Keys of customers who are undone would only push those of real ones out of the other vault's memory.
    vault = Vault(foundation.master_key, foundation.clock, remembered_keys=REMEMBERED_KEYS)

    @asynccontextmanager
    async def open_rehearsal() -> AsyncIterator[Rehearsal]:
        outside = InstalledOutside(
            secrets=InstalledSecrets(os.environ, foundation.settings.data_dir / "secrets"),
            system_urls=foundation.settings.system_urls,
            is_word=foundation.embedder.is_word,
        )
        runtimes = RehearsedRuntimes(
            releases=foundation.releases,
            database=foundation.store.database,
            embedder=foundation.embedder,
            retrieval=foundation.retrieval,
            outside=outside,
        )

        def set_stage(database: Database, release_id: str) -> Stage:
            return stage_on(
                database,
                release_id,
                foundation=foundation,
                runtimes=runtimes,
                vault=vault,
                telemetry=telemetry,
            )

        lanes = await PooledDatabase.open(
            foundation.store.app_url, min_size=at_once, max_size=at_once, name="steward evaluation"
        )
        try:
            yield Rehearsal(lanes, runtimes, set_stage, at_once)
        finally:
            await outside.aclose()
            await lanes.close()

    return Evals(
        releases=foundation.releases,
        open_rehearsal=open_rehearsal,
        records=Records(database=foundation.store.database, clock=foundation.clock, ledger=foundation.ledger),
        clock=foundation.clock,
    )


def stage_on(
    database: Database,
    release_id: str,
    *,
    foundation: Foundation,
    runtimes: RehearsedRuntimes,
    vault: Vault,
    telemetry: TurnTelemetry,
) -> Stage:
    """Build what one conversation needs, as `wiring.open_application` does for all of them."""
    clock = foundation.clock
    turning = build_turning(
        Ground(
            database=database,
            vault=vault,
            clock=clock,
            ledger=NoLedger(clock),
            liveness=Alone(),
            runtimes=runtimes,
            traffic=PinnedTraffic(clock, release_id),
            telemetry=telemetry,
            actions=RehearsedActions,
        ),
        assistant="",
    )
    return Stage(turning.conversations, turning.turns)
