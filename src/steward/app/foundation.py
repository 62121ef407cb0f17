"""What every command that touches the store needs: the store, the encoder, and what stands on them alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

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
    """Open the store and build what stands on it alone."""
    opening = asyncio.create_task(asyncio.to_thread(open_embedder, settings))
    async with open_store(settings, progress=say) as store:
        clock = SystemClock()
        ledger = Ledger(clock)
        key_service = key_service_of(settings)
        keeping = keeping_of(settings, store.database, clock, service=key_service)
        master_key = await keeping.open()
        elsewhere = elsewhere_of(settings)
        vault = Vault(master_key, clock, renew=keeping.renew, elsewhere=elsewhere)
        async with store.database.read() as session:
            await vault.check(session)
        embedder = await opening
        knowledge = Knowledge(store.database, clock)
        signing = Signing(store.database, master_key=master_key, clock=clock, ledger=ledger)
        chainer = Chainer(store.database, clock, signer=signing, witness=witness_of(settings.ledger_witness))
        service = open_retrieval(settings)
        retrieval: Embedder = service or embedder
        try:
            yield Foundation(
                settings=settings,
                store=store,
                clock=clock,
                master_key=master_key,
                keeping=keeping,
                ledger=ledger,
                chainer=chainer,
                governing=governing_of(store.database, ledger, clock),
                vault=vault,
                embedder=embedder,
                retrieval=retrieval,
                knowledge=knowledge,
                signing=signing,
                releases=Releases(
                    store.database,
                    embedder=embedder,
                    clock=clock,
                    knowledge=knowledge,
                    ledger=ledger,
                    retrieval=retrieval,
                    signing=signing,
                ),
                accounts=Accounts(
                    store.database, clock, passwords=Passwords(), local=settings.local_accounts
                ),
                keys=ApiKeys(store.database, clock),
            )
        finally:
            await finished(chainer)
            embedder.close()
            if elsewhere is not None:
                await elsewhere.close()
            if key_service is not None:
                await key_service.close()
            if service is not None:
                await service.close()


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
