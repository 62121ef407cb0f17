"""A folder's changes are noticed once they have settled."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from steward.supply.assistant.watching import FolderWatch, content_digest, look

SPOKE = Path(__file__).parent / "spoke"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the small assistant that a test may change."""
    return Path(shutil.copytree(SPOKE, tmp_path / "spoke"))


class TestFolderWatch:
    async def test_tells_a_change_with_its_digest(self, copied: Path) -> None:
        changes = FolderWatch(copied, interval_s=0.01).changes()
        first = asyncio.ensure_future(anext(changes))
        while not first.done():
            # The watch may not have looked yet, so the file is made to differ until it tells.
            (copied / "desk.yaml").write_text((copied / "desk.yaml").read_text() + "# more\n")
            await asyncio.wait([first], timeout=0.2)
        assert first.result()
        await changes.aclose()

    async def test_tells_what_was_saved_before_it_looked(self, copied: Path) -> None:
        since = content_digest(copied)
        (copied / "desk.yaml").write_text((copied / "desk.yaml").read_text() + "# more\n")
        changes = FolderWatch(copied, since=since, interval_s=0.01).changes()
        assert await anext(changes) == content_digest(copied)
        await changes.aclose()

    async def test_a_touched_file_is_no_change(self, copied: Path) -> None:
        changes = FolderWatch(copied, interval_s=0.01).changes()
        waiting = asyncio.ensure_future(anext(changes))
        for moment in range(3):
            os.utime(copied / "desk.yaml", (moment, moment))
            (copied / ".desk.yaml.swp").write_text(str(moment))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
        waiting.cancel()


class TestContentDigest:
    def test_depends_on_paths_and_bytes_only(self, copied: Path) -> None:
        assert content_digest(copied) == content_digest(SPOKE)
        (copied / "desk.yaml").rename(copied / "desk2.yaml")
        assert content_digest(copied) != content_digest(SPOKE)

    def test_a_look_differs_after_a_save(self, copied: Path) -> None:
        before = look(copied)
        (copied / "desk.yaml").write_text("other: true\n")
        assert look(copied) != before
