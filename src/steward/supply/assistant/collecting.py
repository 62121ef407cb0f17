"""Collects the files of an assistant folder: what counts, what is junk, and what is too much."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from steward.supply.assistant.faults import Fault

MOST_FILE_BYTES = 32 * 1024 * 1024
MOST_FOLDER_BYTES = 512 * 1024 * 1024
"""Bounds of one release's bundle; a help centre of 2,000 pages with PDFs stays below a fifth."""
MOST_FILES = 20_000

_JUNK = (
    "*~",
    "#*#",
    "*.swp",
    "*.swo",
    "*.bak",
    "*.orig",
    "*.rej",
    "*.tmp",
    "Thumbs.db",
    "desktop.ini",
    "Icon\r",
)
_JUNK_FOLDERS = frozenset({"__MACOSX", "__pycache__", "node_modules"})


def is_junk(name: str) -> bool:
    """Tell whether a file or folder of this name is left by an editor or a system, or is hidden."""
    return name.startswith(".") or name in _JUNK_FOLDERS or any(fnmatchcase(name, junk) for junk in _JUNK)


def shapes_behaviour(path: str) -> bool:
    """Tell whether a path belongs to the assistant; a README beside it is for people only."""
    parts = path.split("/")
    return not any(is_junk(part) for part in parts) and not (
        len(parts) == 1 and parts[0].startswith("README")
    )


def collect(folder: Path) -> tuple[Mapping[str, bytes], tuple[Fault, ...]]:
    """Read every file of the folder that shapes behaviour, by its path below the folder."""
    files: dict[str, bytes] = {}
    faults: list[Fault] = []
    total = 0
    for path, entry in walk(folder):
        state = os.lstat(entry)
        problem = _unusable(path, state, len(files), total)
        if problem is None:
            try:
                files[path] = entry.read_bytes()
                total += state.st_size
            except OSError as error:
                problem = f"the file can't be read: {error.strerror or 'unknown reason'}"
        if problem is not None:
            faults.append(Fault(shown(folder, path), None, None, problem))
    faults.extend(_clashes(files, folder))
    return files, tuple(faults)


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path below the folder, path on disk) of what isn't junk, sorted by the former."""
    found = []
    for above, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not is_junk(name))
        links = [name for name in folders if (Path(above) / name).is_symlink()]
        for name in [*names, *links]:
            entry = Path(above) / name
            path = unicodedata.normalize("NFC", entry.relative_to(folder).as_posix())
            if shapes_behaviour(path):
                found.append((path, entry))
    yield from sorted(found)


def shown(folder: Path, path: str) -> str:
    """Return how a message names a file, so that a terminal opened beside the folder links it."""
    above = folder.as_posix()
    return path if above == "." else f"{above}/{path}"


def _unusable(path: str, state: os.stat_result, count: int, total: int) -> str | None:
    if stat.S_ISLNK(state.st_mode):
        return "this is a link; put the file itself here, so that the release holds it"
    if not stat.S_ISREG(state.st_mode):
        return "this isn't a plain file; take it out of the folder"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "the file's name isn't UTF-8; rename it"
    if len(path) > 240 or "\\" in path or any(ord(letter) < 32 for letter in path):
        return "the file's path is too long or holds a character that other systems refuse; rename it"
    if state.st_size > MOST_FILE_BYTES:
        return f"the file is larger than {MOST_FILE_BYTES >> 20} MiB; split it"
    if count >= MOST_FILES or total + state.st_size > MOST_FOLDER_BYTES:
        return (
            f"with this file the folder has more than {MOST_FILES:,} files or {MOST_FOLDER_BYTES >> 20} MiB"
        )
    return None


def _clashes(files: Mapping[str, bytes], folder: Path) -> Iterator[Fault]:
    """Find paths that are one file on systems which don't tell case apart."""
    seen: dict[str, str] = {}
    for path in sorted(files):
        first = seen.setdefault(path.casefold(), path)
        if first != path:
            yield Fault(
                shown(folder, path),
                None,
                None,
                f"only capital letters tell this file from {first}; rename one",
            )
