"""The journal: one line of JSON per event, on disk before anyone is told.

It holds what happened and what was answered in one line, so a crash leaves both or neither. A last line
that a crash cut in half was never answered; it is cut off when the journal is opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file of JSON lines."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and read what it holds.

        Raises:
            OSError: the directory can't be written.
            ValueError: a line before the last one is damaged.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        self.entries: list[Mapping[str, Any]] = [json.loads(line) for line in whole.splitlines()]

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry and wait until it is on disk.

        Raises:
            OSError: the disk is full or gone; the file is as it was before.
        """
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        size = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) < len(line):
                raise OSError("the journal's disk is full")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        self.entries.append(entry)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
