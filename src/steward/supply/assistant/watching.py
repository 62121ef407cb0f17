"""Notices when an assistant folder has changed and has come to rest, by looking at it twice a second.

Looking costs one `stat` per file (400 files: about 3 ms) and works on every file system, network
mounts included, where notifications of the system don't.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from steward.supply.assistant.collecting import walk

INTERVAL_S: Final = 0.5
"""Fast enough that a person who saves doesn't wait, slow enough to cost nothing."""

Look = tuple[tuple[str, int, int, int], ...]


class FolderWatch:
    """Watches one folder.

    `changes` yields the content's digest whenever it differs from the last one seen and two looks
    in a row saw the same files: a save in progress, or a checkout of many files, is one change.
    `since` is the digest of what was read before, so that nothing saved in between is missed.
    """

    def __init__(self, folder: Path, *, since: str | None = None, interval_s: float = INTERVAL_S) -> None:
        self._folder = folder
        self._since = since
        self._interval_s = interval_s

    async def changes(self) -> AsyncGenerator[str, None]:
        """Yield a digest per settled change, until the caller stops.

        Without `since` the state at the start isn't one.
        """
        before = await asyncio.to_thread(look, self._folder)
        digest = self._since or await asyncio.to_thread(content_digest, self._folder)
        settled = self._since is None
        while True:
            await asyncio.sleep(self._interval_s)
            now = await asyncio.to_thread(look, self._folder)
            if now != before:
                before, settled = now, False
                continue
            if settled:
                continue
            settled = True
            fresh = await asyncio.to_thread(content_digest, self._folder)
            if fresh != digest:
                digest = fresh
                yield digest


def look(folder: Path) -> Look:
    """Return path, size, time of change and inode of each file: cheap, and different after any save."""
    seen = []
    for path, entry in walk(folder):
        try:
            state = os.lstat(entry)
        except OSError:
            continue  # it went away between the listing and now; the next look tells
        seen.append((path, state.st_size, state.st_mtime_ns, state.st_ino))
    return tuple(seen)


def content_digest(folder: Path) -> str:
    """Return a SHA-256 over paths and bytes of the files that shape behaviour."""
    total = hashlib.sha256()
    for path, entry in walk(folder):
        try:
            content = entry.read_bytes()
        except OSError:
            continue  # unreadable files are faults for whoever reads the folder
        total.update(f"{len(path.encode())}:{path}:{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()
