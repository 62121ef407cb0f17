"""Secrets of an installation: environment variables, or files in one directory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class InstalledSecrets:
    """Finds a secret in the environment first, then as a file `directory/NAME` (a mounted secret)."""

    environment: Mapping[str, str] = field(repr=False)
    directory: Path | None = None

    def find(self, name: str) -> str | None:
        """Return the secret without surrounding white space, or None where it is missing or empty."""
        if not _NAME.fullmatch(name) or name.startswith("."):
            return None
        value = self.environment.get(name, "").strip()
        if value or self.directory is None:
            return value or None
        try:
            return (self.directory / name).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None
