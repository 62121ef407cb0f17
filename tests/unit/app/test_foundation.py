"""Opening what every command stands on, and closing it when that fails half-way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.base.db.errors import DatabaseUnavailable


class TestOpenFoundation:
    async def test_nothing_goes_on_loading_when_the_database_is_away(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path, database_url="postgresql://steward@127.0.0.1:1/steward")
        before = asyncio.all_tasks()
        with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1"):
            async with open_foundation(settings, say=lambda _: None):
                pass
        assert asyncio.all_tasks() <= before
