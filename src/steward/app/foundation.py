"""What every command that touches the store needs: the store, the encoder, and what stands on them alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from steward.app.master_keys import keeping_of, key_service_of
from steward.app.probes import governing_of
from steward.app.recognising import elsewhere_of
from steward.app.settings import Settings
from steward.app.storage import Store, open_store
from steward.base.clock import Clock, SystemClock
from steward.base.errors import OperationalError
from steward.base.language.contracts import Embedder
from steward.base.language.http_embedder import EmbeddingService, HttpEmbedder
from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.numeric_form import NumericForm
from steward.govern.access.accounts import Accounts
from steward.govern.access.keys import ApiKeys
from steward.govern.access.passwords import Passwords
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.service import Ledger
from steward.govern.ledger.witness import witness_of
from steward.govern.privacy.key_keeping import KeyKeeping
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.improve.rollout.governing import Governing
from steward.supply.connectors.secrets import InstalledSecrets
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.releases.service import Releases
from steward.supply.releases.signing import Signing

Say = Callable[[str], None]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every command that touches the store needs."""

    settings: Settings
    store: Store
    clock: Clock
    master_key: MasterKey
    keeping: KeyKeeping
    ledger: Ledger
    chainer: Chainer
    governing: Governing
    vault: Vault
    embedder: LocalEmbedder
    retrieval: Embedder
    knowledge: Knowledge
    signing: Signing
    releases: Releases
    accounts: Accounts
    keys: ApiKeys


@asynccontextmanager
async def open_foundation(settings: Settings, *, say: Say) -> AsyncIterator[Foundation]:
    """Open the store and build what stands on it alone; what was opened is closed however this ends."""
    async with AsyncExitStack() as opened:
        opening = asyncio.create_task(asyncio.to_thread(open_embedder, settings))
        opened.push_async_callback(_close_embedder, opening)
        store = await opened.enter_async_context(open_store(settings, progress=say))
        database, clock = store.database, SystemClock()
        ledger = Ledger(clock)
        key_service = _closing(opened, key_service_of(settings))
        keeping = keeping_of(settings, database, clock, service=key_service)
        master_key = await keeping.open()
        elsewhere = _closing(opened, elsewhere_of(settings))
        vault = Vault(master_key, clock, renew=keeping.renew, elsewhere=elsewhere)
        async with database.read() as session:
            await vault.check(session)
        embedder = await opening
        retrieval: Embedder = _closing(opened, open_retrieval(settings)) or embedder
        knowledge = Knowledge(database, clock)
        signing = Signing(database, master_key=master_key, clock=clock, ledger=ledger)
        chainer = Chainer(database, clock, signer=signing, witness=witness_of(settings.ledger_witness))
        opened.push_async_callback(finished, chainer)
        yield Foundation(
            settings=settings,
            store=store,
            clock=clock,
            master_key=master_key,
            keeping=keeping,
            ledger=ledger,
            chainer=chainer,
            governing=governing_of(database, ledger, clock),
            vault=vault,
            embedder=embedder,
            retrieval=retrieval,
            knowledge=knowledge,
            signing=signing,
            releases=Releases(
                database,
                embedder=embedder,
                clock=clock,
                knowledge=knowledge,
                ledger=ledger,
                retrieval=retrieval,
                signing=signing,
            ),
            accounts=Accounts(database, clock, passwords=Passwords(), local=settings.local_accounts),
            keys=ApiKeys(database, clock),
        )


class _Closes(Protocol):
    async def close(self) -> None: ...


Opened = TypeVar("Opened", bound=_Closes)


def _closing(opened: AsyncExitStack, item: Opened | None) -> Opened | None:
    """Let something be closed at the end, if it's there."""
    if item is not None:
        opened.push_async_callback(item.close)
    return item


async def _close_embedder(opening: asyncio.Task[LocalEmbedder]) -> None:
    """Close the embedder, which may still be loading; who waited for it has told why a load failed."""
    (loaded,) = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(loaded, LocalEmbedder):
        loaded.close()


async def finished(chainer: Chainer) -> None:
    """Link and sign the ledger's new entries; a database that is gone leaves that to the next process."""
    try:
        await chainer.finish()
    except OperationalError as error:
        log.warning("ledger_not_signed", sentence=str(error))


def open_embedder(settings: Settings) -> LocalEmbedder:
    """Load the embedding model; a blocking call."""
    return LocalEmbedder.open(
        settings.data_dir / "cache",
        weights=settings.weights,
        form=NumericForm.EXACT if settings.exact_embedding else NumericForm.INT8,
        workers=settings.embedding_threads,
    )


def open_retrieval(settings: Settings) -> HttpEmbedder | None:
    """Return the service that encodes knowledge, where one is configured."""
    if settings.embedding_url is None:
        return None
    secrets = InstalledSecrets(os.environ, settings.data_dir / "secrets")
    return HttpEmbedder(
        EmbeddingService(
            base_url=settings.embedding_url,
            model=settings.embedding_model,
            dimensions=settings.embedding_dimensions,
            key=secrets.find(settings.embedding_secret),
        )
    )
