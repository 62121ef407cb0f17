"""Building every service once and handing it what it needs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry

from steward import __version__
from steward.app.foundation import Foundation
from steward.app.identity import customer_trust, sign_ins_of
from steward.app.improving import Improvement, build_improvement
from steward.app.master_keys import renewing
from steward.app.outside import InstalledOutside
from steward.app.retaining import Retention, build_retention, forgetting
from steward.app.settings import Settings
from steward.app.turning import Ground, Turning, build_turning
from steward.base.db.contracts import Database, ReadSession
from steward.base.db.presence import Presence, is_alive
from steward.edge.contracts import Access, EdgeSettings, Readiness, Rights, Services
from steward.govern.access.customer_tokens import CustomerTokens
from steward.govern.access.limits import RateLimits
from steward.govern.access.second_factor import SecondFactors
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.access.tries import Tries
from steward.govern.privacy.key_keeping import CHANNEL as KEYS_CHANNEL
from steward.govern.retention.contracts import ERASED_CHANNEL
from steward.improve.insight.first_page import FirstPage
from steward.improve.rollout.service import Rollouts
from steward.serve.conversations.idle import IdleClosing
from steward.serve.conversations.overview import Overview
from steward.serve.conversations.service import Conversations
from steward.serve.desk.service import Desk
from steward.serve.turn.anatomy import Anatomies
from steward.serve.turn.reach import Reach
from steward.serve.turn.replay import Replays
from steward.serve.turn.runtime import Runtimes
from steward.serve.turn.service import Turns
from steward.serve.turn.telemetry import TurnTelemetry
from steward.serve.workflows.reconciling import Reconciler
from steward.supply.connectors.secrets import InstalledSecrets
from steward.supply.releases.contracts import SERVING_CHANNEL
from steward.supply.releases.errors import NothingServed
from steward.supply.releases.labels import Labels
from steward.supply.releases.traffic import TrafficControl


class ProcessLiveness:
    """Tells which processes of this installation are alive, by the locks that they hold."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    @property
    def instance(self) -> int:
        """This process's own number."""
        return self._presence.instance

    async def is_alive(self, session: ReadSession, instance: int) -> bool:
        """Tell whether the process with this number still runs."""
        return instance == self._presence.instance or await is_alive(session, instance)


@dataclass(frozen=True, slots=True)
class Application:
    """A whole Steward for one assistant, ready to serve."""

    foundation: Foundation
    assistant: str
    conversations: Conversations
    runtimes: Runtimes
    turns: Turns
    desk: Desk
    anatomies: Anatomies
    reconciler: Reconciler
    replays: Replays
    improvement: Improvement
    services: Services
    retention: Retention
    idle: IdleClosing

    @property
    def rollouts(self) -> Rollouts:
        """Starts, steers and shows rollouts."""
        return self.improvement.rollouts


@asynccontextmanager
async def open_application(
    foundation: Foundation,
    *,
    assistant: str,
    public_key: str | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[Application]:
    """Build everything that serves an assistant; its counters go into the registry, once per process."""
    async with AsyncExitStack() as opened:
        presence = await Presence.open(foundation.store.app_url)
        opened.push_async_callback(presence.close)
        yield await _built(
            foundation, presence, opened, assistant=assistant, public_key=public_key, registry=registry
        )


async def _built(
    foundation: Foundation,
    presence: Presence,
    opened: AsyncExitStack,
    *,
    assistant: str,
    public_key: str | None,
    registry: CollectorRegistry,
) -> Application:
    """Build the services; what must be closed again is left with `opened`."""
    database, clock, vault = foundation.store.database, foundation.clock, foundation.vault
    runtimes = _runtimes(foundation, opened)
    turning = build_turning(
        Ground(
            database=database,
            vault=vault,
            clock=clock,
            ledger=foundation.ledger,
            liveness=ProcessLiveness(presence),
            runtimes=runtimes,
            traffic=TrafficControl(clock),
            telemetry=TurnTelemetry(registry, TracerProvider().get_tracer("steward")),
        ),
        assistant=assistant,
    )
    foundation.chainer.count_into(registry)
    replays = Replays(database=database, vault=vault, runtimes=runtimes)
    improvement = build_improvement(foundation, assistant=assistant, replays=replays)
    retention = build_retention(foundation)
    title = (await runtimes.opening(assistant)).assistant_title
    settings = edge_settings(foundation.settings, assistant=assistant, title=title, public_key=public_key)
    access = await open_access(foundation, assistant, title=title, registry=registry)
    services = services_of(foundation, turning, improvement, retention, settings, access, runtimes=runtimes)
    await _listen(foundation, turning, runtimes, opened, assistant=assistant)
    return Application(
        foundation=foundation,
        assistant=assistant,
        conversations=turning.conversations,
        runtimes=runtimes,
        turns=turning.turns,
        desk=services.desk,
        anatomies=services.anatomies,
        reconciler=Reconciler(
            database=database,
            runs=turning.runs,
            engine=turning.engine,
            vault=vault,
            clock=clock,
            procedures=runtimes,
        ),
        replays=replays,
        improvement=improvement,
        services=services,
        retention=retention,
        idle=IdleClosing(database=database, clock=clock, minutes=runtimes, assistant=assistant),
    )


def _runtimes(foundation: Foundation, opened: AsyncExitStack) -> Runtimes:
    """Build what makes releases ready to answer, with this installation's secrets and addresses."""
    settings = foundation.settings
    outside = InstalledOutside(
        secrets=InstalledSecrets(os.environ, settings.data_dir / "secrets"),
        system_urls=settings.system_urls,
        is_word=foundation.embedder.is_word,
    )
    opened.push_async_callback(outside.aclose)
    return Runtimes(
        releases=foundation.releases,
        database=foundation.store.database,
        embedder=foundation.embedder,
        retrieval=foundation.retrieval,
        outside=outside,
    )


def services_of(
    foundation: Foundation,
    turning: Turning,
    improvement: Improvement,
    retention: Retention,
    settings: EdgeSettings,
    access: Access,
    *,
    runtimes: Runtimes,
) -> Services:
    """Return what the faces call."""
    database, clock, vault, ledger = (
        foundation.store.database,
        foundation.clock,
        foundation.vault,
        foundation.ledger,
    )
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        access=access,
        conversations=turning.conversations,
        overview=Overview(database),
        reach=Reach(database),
        turns=turning.turns,
        anatomies=Anatomies(database=database, vault=vault),
        desk=Desk(
            database=database,
            vault=vault,
            ledger=ledger,
            clock=clock,
            texts=runtimes,
            followers=turning.followers,
            silence=turning.silencing.silence,
        ),
        approvals=turning.approvals,
        vault=vault,
        first_page=FirstPage(database=database, clock=clock, roll_ups=improvement.roll_ups),
        releases=foundation.releases,
        ledger=ledger,
        readiness=readiness_of(database, runtimes, settings.assistant),
        stopping=asyncio.Event(),
        rollouts=improvement.rollouts,
        evaluations=improvement.evaluations,
        forecasts=improvement.forecasts,
        results=improvement.results,
        shadow_results=improvement.shadow_results,
        live=improvement.live,
        labels=Labels(database, clock=clock, ledger=ledger),
        reviews=improvement.reviews,
        rights=Rights(erasing=retention.erasing, exporting=retention.exporting),
        governing=foundation.governing,
        ledger_signer=foundation.signing,
    )


async def _listen(
    foundation: Foundation,
    turning: Turning,
    runtimes: Runtimes,
    opened: AsyncExitStack,
    *,
    assistant: str,
) -> None:
    """Follow what other processes do: words, take-overs, traffic, keys, erasures."""
    database, placing = foundation.store.database, turning.placing

    async def traffic_changed(_: str) -> None:
        await placing.refresh()
        for release_id in placing.candidates():
            await runtimes.of(release_id)

    await traffic_changed(assistant)
    renew = renewing(foundation.keeping)
    listening = asyncio.gather(
        turning.followers.listen(database),
        turning.silencing.listen(),
        database.listen(SERVING_CHANNEL, traffic_changed),
        database.listen(KEYS_CHANNEL, renew, connected=lambda: renew("")),
        database.listen(ERASED_CHANNEL, forgetting(foundation.vault, turning.silencing)),
    )
    opened.push_async_callback(_ended, listening)
    opened.push_async_callback(turning.turns.finish, within_s=5.0)


async def _ended(task: asyncio.Future[tuple[None, None, None, None, None]]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def open_access(
    foundation: Foundation, assistant: str, *, title: str, registry: CollectorRegistry
) -> Access:
    """Build what finds out who calls."""
    database, clock, master_key = foundation.store.database, foundation.clock, foundation.master_key
    limits = RateLimits(database, clock, master_key=master_key)
    return Access(
        keys=foundation.keys,
        accounts=foundation.accounts,
        sessions=ConsoleSessions(database, clock),
        second_factors=SecondFactors(database, clock, master_key=master_key, issuer=f"Steward {title}"),
        customer_tokens=await CustomerTokens.load(
            database, master_key, clock, assistant=assistant, trust=customer_trust(foundation.settings, clock)
        ),
        limits=limits,
        tries=Tries(database, clock, limits=limits, master_key=master_key, registry=registry),
        sign_ins=sign_ins_of(foundation),
    )


def edge_settings(settings: Settings, *, assistant: str, title: str, public_key: str | None) -> EdgeSettings:
    """Return what the faces have to know of the settings."""
    return EdgeSettings(
        assistant=assistant,
        assistant_title=title,
        version=__version__,
        public_url=settings.public_url,
        public_key=public_key,
        allowed_origins=settings.allowed_origins,
        requests_per_minute=settings.requests_per_minute,
        key_requests_per_minute=settings.key_requests_per_minute,
        messages_per_minute=settings.messages_per_minute,
        reveals_per_hour=settings.reveals_per_hour,
        local_accounts=settings.local_accounts,
        second_factor_roles=frozenset(settings.second_factor_roles),
        secure_cookies=bool(settings.public_url and settings.public_url.startswith("https://")),
    )


def readiness_of(
    database: Database, runtimes: Runtimes, assistant: str
) -> Callable[[], Awaitable[Sequence[Readiness]]]:
    """Return the check behind /readyz: the store answers and a release is loaded."""

    async def readiness() -> Sequence[Readiness]:
        async with database.read() as session:
            await session.one("select 1")
        try:
            opening = await runtimes.opening(assistant)
        except NothingServed as error:
            return (Readiness("database", True, "answers"), Readiness("release", False, str(error)))
        return (Readiness("database", True, "answers"), Readiness("release", True, opening.release_id))

    return readiness
