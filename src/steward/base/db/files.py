"""Where the embedded server's files lie, who owns them, and which user the server runs as.

Under the directory that the user names, `postgres/` holds:

    data/            PostgreSQL's cluster, owned by the server's user
    run/             the sockets (elsewhere when the path is too long for a socket)
    passwords.json   of the three roles, readable by its owner alone
    server.log       what the server and its guardian say
    *.lock           flock files of the guardian, the server and whoever starts them
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steward.base.db.errors import sentence_of_os_error
from steward.base.errors import Misconfigured

# sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 103
LONGEST_SOCKET_NAME = len("/.s.PGSQL.65535.lock")
LONGEST_LOG_BYTES = 10_000_000
ROLES = ("steward_admin", "steward_owner", "steward_app")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """An unprivileged user of the system that PostgreSQL runs as, because it refuses root."""

    uid: int
    gid: int
    name: str
    owns_directory: bool
    """Whether the data directory is this user's own, rather than root's."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The paths of one embedded server."""

    root: Path
    run: Path
    user: ServerUser | None
    by_descriptor: bool
    """Whether the server gets at its data through an open descriptor, because a parent directory
    is closed to its user."""

    @property
    def data(self) -> Path:
        """PostgreSQL's cluster."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server and its guardian say."""
        return self.root / "server.log"

    @property
    def record(self) -> Path:
        """Process id and start time of the server last started."""
        return self.root / "server.json"

    @property
    def start_lock(self) -> Path:
        """Held by a process while it looks for the guardian or starts one."""
        return self.root / "start.lock"

    @property
    def guardian_lock(self) -> Path:
        """Held by the guardian."""
        return self.root / "guardian.lock"

    @property
    def server_lock(self) -> Path:
        """Held by every process of the server."""
        return self.root / "server.lock"

    @property
    def guardian_socket(self) -> Path:
        """Where processes attach to the guardian."""
        return self.run / "guardian"


def prepare_files(data_dir: Path) -> ServerFiles:
    """Make the directories of an embedded server and check that they can be used.

    Raises:
        Misconfigured: the directory isn't writable or belongs to someone else.
    """
    root = data_dir.expanduser().absolute() / "postgres"
    try:
        user = _server_user(_nearest_existing(root)) if os.geteuid() == 0 else None
        made = not root.parent.exists()
        root.mkdir(mode=0o711, parents=True, exist_ok=True)
        root = root.resolve()
        if made:
            _give(root.parent, user)
        _refuse_foreign(root / "data", user)
        run = _run_directory(root, user)
        _trim(root / "server.log")
        for name in ("server.log", "start.lock", "guardian.lock", "server.lock", "server.json"):
            (root / name).touch(mode=0o600)
            _give(root / name, user)
        _give(root, user)
    except OSError as error:
        raise Misconfigured(sentence_of_os_error(error, data_dir)) from error
    closed = unreachable_part(root, user) if user is not None else None
    if closed is not None and user is not None and not sys.platform.startswith("linux"):
        raise Misconfigured(
            f"PostgreSQL doesn't run as root, and the user {user.name} can't enter {closed}: "
            "start Steward as another user, or choose another data directory"
        )
    return ServerFiles(root, run, user, by_descriptor=closed is not None)


def _give(path: Path, user: ServerUser | None) -> None:
    """Leave what root made in a user's own directory to that user."""
    if user is not None and user.owns_directory:
        os.chown(path, user.uid, user.gid)


def passwords(files: ServerFiles) -> dict[str, str]:
    """Return the password of each role, made at first use.

    Raises:
        Misconfigured: the file is there and can't be read.
    """
    path = files.root / "passwords.json"
    try:
        if not path.exists():
            made = {role: secrets.token_urlsafe(32) for role in ROLES}
            descriptor = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(made, file)
                file.flush()
                os.fsync(file.fileno())
            _give(path.with_suffix(".new"), files.user)
            path.with_suffix(".new").replace(path)
        found = json.loads(path.read_text())
        return {role: str(found[role]) for role in ROLES}
    except OSError as error:
        raise Misconfigured(sentence_of_os_error(error, path)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{path} isn't the file of passwords that Steward wrote; restore it") from error


def unreachable_part(path: Path, user: ServerUser) -> Path | None:
    """Return the topmost directory on the way to `path` that a user can't enter, if any."""
    for directory in (*reversed(path.parents), path):
        if directory.exists() and not _may_enter(directory, user):
            return directory
    return None


def _may_enter(directory: Path, user: ServerUser) -> bool:
    found = directory.stat()
    if found.st_uid == user.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _server_user(existing: Path) -> ServerUser:
    """Choose the owner of the place where the data will be; where that is root, nobody."""
    import pwd

    owner = existing.stat()
    if owner.st_uid != 0:
        return ServerUser(owner.st_uid, owner.st_gid, f"with the id {owner.st_uid}", True)
    try:
        nobody = pwd.getpwnam("nobody")
        return ServerUser(nobody.pw_uid, nobody.pw_gid, "nobody", False)
    except KeyError:
        return ServerUser(65534, 65534, "with the id 65534", False)


def _nearest_existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def _refuse_foreign(data: Path, user: ServerUser | None) -> None:
    if not data.exists():
        return
    owner, expected = data.stat().st_uid, user.uid if user else os.geteuid()
    if owner != expected:
        raise Misconfigured(
            f"{data} belongs to the user with the id {owner}, and the database would run as "
            f"{expected}: start Steward as the user that made it, or choose another data directory"
        )


def _run_directory(root: Path, user: ServerUser | None) -> Path:
    """Make the directory of sockets; a short path in the temporary directory if it must be."""
    for candidate in _run_candidates(root):
        if len(os.fsencode(candidate)) + LONGEST_SOCKET_NAME > LONGEST_SOCKET_PATH:
            continue
        if user is not None and unreachable_part(candidate.parent, user) is not None:
            continue
        candidate.mkdir(mode=0o700, exist_ok=True)
        if user is not None and candidate.lstat().st_uid == 0:
            os.chown(candidate, user.uid, user.gid, follow_symlinks=False)
        found = candidate.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != (user.uid if user else os.geteuid()):
            raise Misconfigured(f"{candidate} is taken by another user: remove it, Steward makes it afresh")
        if found.st_mode & 0o077:
            candidate.chmod(0o700)
        if _takes_sockets(candidate):
            return candidate
    raise Misconfigured(
        f"no directory for the database's socket: {root} and {tempfile.gettempdir()} don't take Unix "
        "sockets; choose a data directory on a local disk"
    )


def _run_candidates(root: Path) -> Iterator[Path]:
    yield root / "run"
    mark = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    yield Path(tempfile.gettempdir()) / f"steward-{os.geteuid()}-{mark}"
    yield Path("/tmp") / f"steward-{os.geteuid()}-{mark}"  # noqa: S108 - owner and mode are checked


def _takes_sockets(directory: Path) -> bool:
    """Some network and shared file systems hold files and no sockets."""
    probe = directory / f"probe-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as candidate:
        try:
            candidate.bind(str(probe))
        except OSError:
            return False
    probe.unlink()
    return True


def _trim(log: Path) -> None:
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
