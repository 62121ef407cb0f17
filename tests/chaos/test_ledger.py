"""A small seed of the ledger's campaign: chainers killed at work, and one change of each sort found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.prove import ledger

pytestmark = [pytest.mark.campaign]


async def test_no_entry_is_lost_and_no_change_goes_unseen(tmp_path: Path) -> None:
    report = await ledger.run(tmp_path, seed=3, rounds=6)
    assert report.problems == []
