"""Keep one PostgreSQL server alive for as long as some process is attached to it.

Run as `python -m steward.base.db.guardian`, with a specification as JSON on standard input. An
attachment is an open socket: the kernel closes it when its process ends, however it ends, so no
process id is ever believed. The first attachment is inherited from whoever started the guardian,
further ones come in through a Unix socket. When the last one closes, the server is stopped and
the guardian ends; when the server dies, it is started again.

Two locks (flock) keep order: the guardian holds one, and every PostgreSQL process inherits the
other, which is therefore free only when no process of the server is left.

This module imports the standard library alone, because it stays in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

STEP_S = 0.05
WATCH_S = 0.25
SLOWEST_RETRY_S = 5.0
IMMEDIATE_STOP_AFTER_S = 60.0
PR_SET_PDEATHSIG = 1
LOG_TAIL_BYTES = 4000
LINUX = sys.platform.startswith("linux")


class Abandoned(Exception):
    """The last attached process has ended."""


class ServerFailed(Exception):
    """The server can't be set up or started; the log says why."""


class Guardian:
    """One server, the processes attached to it, and the loop that watches both."""

    def __init__(self, spec: dict[str, Any], first: socket.socket) -> None:
        self._data = Path(spec["data"])
        self._log = Path(spec["log"])
        self._run = Path(spec["run"])
        self._record = Path(spec["record"])
        self._by_descriptor: bool = spec["by_descriptor"]
        self._guardian_lock = Path(spec["guardian_lock"])
        self._server_lock = Path(spec["server_lock"])
        self._socket = Path(spec["socket"])
        self._initdb: list[str] = spec["initdb"]
        self._sync: list[str] = spec["sync"]
        self._single: list[str] = spec["single"]
        self._server_command: list[str] = spec["server"]
        self._bootstrap: list[list[str]] = spec["bootstrap"]
        self._hba: str = spec["hba"]
        self._user: dict[str, Any] = spec["user"]
        self._selector = selectors.DefaultSelector()
        self._attached: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._directory: int | None = None
        self._state: dict[str, str] = {"state": "progress", "text": "starting the database"}
        self._libc = ctypes.CDLL(None) if LINUX else None
        self._attach(first)

    def run(self) -> None:
        """Guard until nobody is attached, then stop the server."""
        lock = os.open(self._guardian_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(lambda: _try_lock(lock), "waiting for the last database server to stop")
            self._listen()
            self._announce(self._state)
            self._take_server_lock()
            self._initialise()
            self._guard()
        except Abandoned:
            pass
        except (ServerFailed, OSError) as error:
            self._announce({"state": "failed", "text": str(error), "log": self._log_tail()})
        finally:
            self._end()

    def _guard(self) -> None:
        start, tries = True, 0
        while True:
            if start:
                try:
                    self._start_server()
                    tries = 0
                except ServerFailed:
                    if self._state["state"] != "restarting":
                        raise
                    tries += 1
                    self._pause(min(0.1 * 2**tries, SLOWEST_RETRY_S))
                    continue
            self._serve(WATCH_S)
            start = self._server is None or self._server.poll() is not None
            if start:
                self._announce({"state": "restarting", "text": "the database stopped; starting it again"})

    # ------------------------------------------------------------------ attached processes

    def _listen(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._socket))
        self._socket.chmod(0o600)
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _attach(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._attached.add(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _let_go(self, connection: socket.socket) -> None:
        if connection in self._attached:
            self._attached.discard(connection)
            self._selector.unregister(connection)
            connection.close()

    def _serve(self, wait_s: float) -> None:
        """Take new attachments and drop ended ones for at most `wait_s`.

        Raises:
            Abandoned: nobody is attached any more.
        """
        for key, _ in self._selector.select(wait_s):
            if key.fileobj is self._listener:
                self._welcome()
                continue
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                ended = connection.recv(1024) == b""
            except BlockingIOError:
                ended = False
            except OSError:
                ended = True
            if ended:
                self._let_go(connection)
        if not self._attached:
            raise Abandoned

    def _welcome(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = self._listener.accept()
            self._attach(connection)
            self._tell(connection, self._state)

    def _announce(self, state: dict[str, str]) -> None:
        self._state = state
        for connection in list(self._attached):
            self._tell(connection, state)

    def _tell(self, connection: socket.socket, state: dict[str, str]) -> None:
        try:
            connection.sendall(json.dumps(state).encode() + b"\n")
        except BlockingIOError:
            return
        except OSError:
            self._let_go(connection)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._serve(STEP_S)

    def _wait_for(self, done: Callable[[], bool], text: str) -> None:
        """Serve until `done()`, telling the attached processes once a second what is awaited."""
        began, told = time.monotonic(), 0
        while not done():
            self._serve(STEP_S)
            waited = int(time.monotonic() - began)
            if waited > told:
                told = waited
                state = self._state["state"]
                self._announce(
                    {"state": state if state == "restarting" else "progress", "text": f"{text} ({waited} s)"}
                )

    # ------------------------------------------------------------------ the server

    def _take_server_lock(self) -> None:
        """Wait until no process of an earlier server is left, stopping one that is.

        While this lock is held here, any `postmaster.pid` is stale, whatever process now bears its
        number.
        """
        if self._lock is not None:
            return
        lock = os.open(self._server_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _try_lock(lock):
                self._stop_leftover()
                self._wait_for(lambda: _try_lock(lock), "waiting for an earlier database server to stop")
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    def _stop_leftover(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = json.loads(self._record.read_text())
            if started_at(int(record["pid"])) == record["started"]:
                os.kill(int(record["pid"]), signal.SIGINT)

    def _initialise(self) -> None:
        """Make the cluster in a directory beside, and give it its name when it is complete."""
        if (self._data / "PG_VERSION").exists():
            return
        self._announce({"state": "progress", "text": "making the database (about 2 s, once)"})
        fresh = self._data.with_name(self._data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if "user" in self._user:
            os.chown(fresh, self._user["user"], self._user["group"])
        self._command([*self._initdb, "-D", self._as_seen(fresh)])
        (fresh / "pg_hba.conf").write_text(self._hba)
        for database, statements in self._bootstrap:
            self._command([*self._single, "-D", self._as_seen(fresh), database], statements)
        if self._sync:
            self._command([*self._sync, "-D", self._as_seen(fresh)])
        fresh.rename(self._data)

    def _as_seen(self, path: Path) -> str:
        """Return a path in the data directory as the server's user can open it.

        Where a parent is closed to that user (root's home, say), the inherited descriptor of the
        directory leads past it.
        """
        if not self._by_descriptor:
            return str(path)
        if self._directory is None:
            self._directory = os.open(self._data.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._directory}/{path.name}"

    def _command(self, argv: list[str], text: str | None = None) -> None:
        with self._log.open("ab") as log:
            process = self._spawn(argv, log, subprocess.PIPE if text else subprocess.DEVNULL)
            if text and process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(text.encode())
                    process.stdin.close()
            try:
                while process.poll() is None:
                    self._serve(STEP_S)
            except Abandoned:
                process.kill()
                process.wait()
                raise
        if process.returncode != 0:
            raise ServerFailed(f"{Path(argv[0]).name} ended with exit code {process.returncode}")

    def _spawn(self, argv: list[str], log: IO[bytes], stdin: int) -> subprocess.Popen[bytes]:
        assert self._lock is not None
        parent = os.getpid()

        def die_with_guardian() -> None:
            # After the change of user, which would clear it. SIGINT is PostgreSQL's fast shutdown.
            if self._libc is not None:
                self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
                if os.getppid() != parent:
                    os._exit(1)

        return subprocess.Popen(  # noqa: S603 - the command is Steward's own
            argv,
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=self._run,
            pass_fds=(self._lock,) if self._directory is None else (self._lock, self._directory),
            preexec_fn=die_with_guardian,
            **self._user,
        )

    def _start_server(self) -> None:
        self._take_server_lock()
        for stale in (self._data / "postmaster.pid", *self._run.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            command = [*self._server_command, "-D", self._as_seen(self._data)]
            self._server = self._spawn(command, log, subprocess.DEVNULL)
        assert self._lock is not None
        os.close(self._lock)
        self._lock = None
        record = {"pid": self._server.pid, "started": started_at(self._server.pid)}
        self._record.write_text(json.dumps(record))
        self._wait_for(self._is_ready, "the database is recovering from an unclean stop")
        self._announce({"state": "ready", "text": ""})

    def _is_ready(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise ServerFailed(f"postgres ended with exit code {self._server.returncode}")
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # The eighth line of PostgreSQL's lock file is the server's status.
        return len(lines) >= 8 and lines[0] == str(self._server.pid) and lines[7].strip() == "ready"

    def _log_tail(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _end(self) -> None:
        if self._listener is not None:
            self._socket.unlink(missing_ok=True)
            self._listener.close()
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(IMMEDIATE_STOP_AFTER_S)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
        for connection in list(self._attached):
            self._let_go(connection)


def started_at(pid: int) -> str:
    """Return a text that tells two processes with the same number apart."""
    if LINUX:
        # Field 22 of /proc/PID/stat, counted after the command's closing bracket (proc_pid_stat(5)).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    found = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    """Read the specification, leave the starter's process tree, and guard."""
    spec = json.load(sys.stdin)
    first = socket.socket(fileno=spec["attachment"])
    first.set_inheritable(False)
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    # Told to stop by a terminal or a service manager, it still waits for the processes it serves.
    # Handlers, unlike SIG_IGN, are not inherited by the server.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    os.umask(0o077)
    Guardian(spec, first).run()


if __name__ == "__main__":
    main()
