"""The ledger's keeping on the store alone: what commands need that load no model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from steward.app.master_keys import keeping_of, key_service_of
from steward.app.settings import Settings
from steward.app.storage import Store, open_store
from steward.base.clock import SystemClock
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.service import Ledger
from steward.govern.ledger.witness import witness_of
from steward.govern.privacy.key_keeping import KeyKeeping
from steward.supply.releases.signing import Signing


@dataclass(frozen=True, slots=True)
class Keeping:
    """The ledger, who links it and who signs it."""

    store: Store
    ledger: Ledger
    chainer: Chainer
    signing: Signing
    keys: KeyKeeping


@asynccontextmanager
async def open_keeping(settings: Settings, *, progress: Callable[[str], None]) -> AsyncIterator[Keeping]:
    """Open the store and what keeps the ledger; what is written meanwhile is linked and signed at the end."""
    async with open_store(settings, progress=progress) as store:
        clock = SystemClock()
        ledger = Ledger(clock)
        key_service = key_service_of(settings)
        keys = keeping_of(settings, store.database, clock, service=key_service)
        master_key = await keys.open()
        signing = Signing(store.database, master_key=master_key, clock=clock, ledger=ledger)
        chainer = Chainer(store.database, clock, signer=signing, witness=witness_of(settings.ledger_witness))
        try:
            yield Keeping(store, ledger, chainer, signing, keys)
            await chainer.finish()
        finally:
            if key_service is not None:
                await key_service.close()
