"""A change of settings is in the ledger by name, once."""

from __future__ import annotations

from pathlib import Path

from steward.app.setting_changes import note_settings
from steward.app.settings import Settings
from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.govern.ledger.service import Ledger


async def test_only_what_changed_is_noted(database: Database, fixed_clock: FixedClock) -> None:
    ledger = Ledger(fixed_clock)
    assert await note_settings(database, ledger, Settings(port=1)) == ()
    changed = Settings(port=2, requests_per_minute=7, weights=Path("w"))
    assert await note_settings(database, ledger, changed) == ("requests_per_minute", "weights")
    assert await note_settings(database, ledger, changed) == ()
    back = Settings(requests_per_minute=7)
    assert await note_settings(database, ledger, back) == ("weights",)


async def test_a_secret_is_neither_noted_nor_compared(database: Database, fixed_clock: FixedClock) -> None:
    ledger = Ledger(fixed_clock)
    secret = Settings(customer_token_secret="s" * 40, database_url="postgresql://a:b@c/d")
    assert await note_settings(database, ledger, secret) == ()
