"""Attach this process to the guardian of an embedded server, and stay attached.

An attachment is a socket whose other end the guardian holds. When the guardian dies, the thread
that reads the socket notices and starts another one, which starts the server again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog

from steward.base.db.errors import DiskFull
from steward.base.db.files import ServerFiles
from steward.base.errors import Misconfigured, OperationalError

ATTEMPTS = 20
SLOWEST_RETRY_S = 5.0
_log = structlog.get_logger(__name__)


class Attachment:
    """This process's hold on the embedded server; ends with `close` or with the process."""

    def __init__(self, files: ServerFiles, specification: dict[str, Any]) -> None:
        self._files = files
        self._specification = specification
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._unread = b""
        self._thread: threading.Thread | None = None

    def open(self, progress: Callable[[str], None]) -> None:
        """Attach, and return when the server takes connections.

        Raises:
            OperationalError: the server can't be started; the sentence says why.
        """
        try:
            self._reach(progress)
        except BaseException:
            self.close()
            raise
        self._thread = threading.Thread(target=self._stay, name="steward-database", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go; the guardian stops the server if this was the last attachment."""
        self._closing.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self._socket is not None:
            self._socket.close()

    def _stay(self) -> None:
        """Follow the guardian; where it is gone, start another one."""
        pause_s = 0.1
        while not self._closing.is_set():
            state = "ready"
            for message in self._messages():
                if message["state"] != state:
                    state = message["state"]
                    _log.warning("database_restarting" if state == "restarting" else f"database_{state}")
            if self._closing.is_set():
                return
            _log.warning("database_guardian_lost")
            try:
                self._reach(lambda _: None)
                pause_s = 0.1
            except OperationalError as error:
                _log.error("database_not_started", reason=str(error), again_in_s=pause_s)
                self._closing.wait(pause_s)
                pause_s = min(pause_s * 2, SLOWEST_RETRY_S)

    def _reach(self, progress: Callable[[str], None]) -> None:
        # A guardian that is about to stop closes what it had accepted: then there is a next one.
        for _ in range(ATTEMPTS):
            self._connect()
            for message in self._messages():
                if message["state"] == "ready":
                    return
                if message["state"] == "failed":
                    raise _failure(message, self._files)
                progress(message["text"])
            if self._closing.is_set():
                return
        raise Misconfigured(f"the database's guardian doesn't stay alive: see {self._files.log}")

    def _connect(self) -> None:
        with _locked(self._files.start_lock):
            if self._socket is not None:
                self._socket.close()
            self._unread = b""
            self._socket = _knock(self._files.guardian_socket)
            if self._socket is None:
                self._socket = _start_guardian(self._files, self._specification)
                # The next process must find the new guardian's socket: it is there once it speaks.
                self._unread = self._receive()

    def _messages(self) -> Iterator[dict[str, str]]:
        while True:
            line, newline, rest = self._unread.partition(b"\n")
            if newline:
                self._unread = rest
                yield json.loads(line)
                continue
            received = self._receive()
            if not received:
                return
            self._unread += received

    def _receive(self) -> bytes:
        assert self._socket is not None
        try:
            return self._socket.recv(65536)
        except OSError:
            return b""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _knock(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _start_guardian(files: ServerFiles, specification: dict[str, Any]) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs, files.log.open("ab") as log:
        try:
            # It leaves this process's tree at once, so this returns when it has read what it needs.
            subprocess.run(
                [sys.executable, "-P", "-m", "steward.base.db.guardian"],
                input=json.dumps({**specification, "attachment": theirs.fileno()}).encode(),
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            ours.close()
            raise Misconfigured(f"the database's guardian can't be started: see {files.log}") from error
    return ours


# What PostgreSQL writes to its log when it can't start, and what to do about it.
_SIGNS = (
    (
        "database files are incompatible",
        "was made by another version of PostgreSQL: export it with that version",
    ),
    ("could not create lock file", "isn't writable by the database's user: change its owner"),
    ("Permission denied", "isn't readable by the database's user: change its owner"),
    ("has wrong ownership", "belongs to another user: start Steward as that user"),
    ("could not locate a valid checkpoint record", "is damaged: restore a backup"),
    ("invalid checkpoint record", "is damaged: restore a backup"),
    ("is not a valid data directory", "isn't complete: restore a backup, or remove it to begin afresh"),
    (
        "could not create shared memory segment",
        "needs more shared memory than the system allows: raise its limit",
    ),
    ("could not map anonymous shared memory", "needs more memory than is free"),
)


def _failure(message: dict[str, str], files: ServerFiles) -> OperationalError:
    log = message.get("log", "")
    if "No space left on device" in log or "No space left" in message["text"]:
        return DiskFull(str(files.root))
    if "Address already in use" in log:
        return Misconfigured(
            "the database's port or socket is taken by another program: "
            f"stop it, or choose another port (see {files.log})"
        )
    for sign, sentence in _SIGNS:
        if sign in log:
            return Misconfigured(f"the database in {files.data} {sentence} (see {files.log})")
    return Misconfigured(f"the embedded database can't be started, {message['text']}: see {files.log}")
