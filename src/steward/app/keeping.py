"""The ledger's keeping on the store alone: what commands need that load no model."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from steward.app.settings import Settings
from steward.app.storage import Store, open_store
from steward.base.clock import SystemClock
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.service import Ledger
from steward.govern.ledger.witness import witness_of
from steward.govern.privacy.master_key import MasterKey
from steward.supply.releases.signing import Signing


@dataclass(frozen=True, slots=True)
class Keeping:
    """The ledger, who links it and who signs it."""

    store: Store
    ledger: Ledger
    chainer: Chainer
    signing: Signing


@asynccontextmanager
async def open_keeping(settings: Settings, *, progress: Callable[[str], None]) -> AsyncIterator[Keeping]:
    """Open the store and what keeps the ledger; what is written meanwhile is linked and signed at the end."""
    async with open_store(settings, progress=progress) as store:
        clock = SystemClock()
        ledger = Ledger(clock)
        master_key = await asyncio.to_thread(MasterKey.load, settings.data_dir, os.environ)
        signing = Signing(store.database, master_key=master_key, clock=clock, ledger=ledger)
        chainer = Chainer(store.database, clock, signer=signing, witness=witness_of(settings.ledger_witness))
        yield Keeping(store, ledger, chainer, signing)
        await chainer.finish()
