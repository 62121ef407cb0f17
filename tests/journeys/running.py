"""Runs `steward` as people do, as a process of its own, and sees to it that nothing stays behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
STEWARD = Path(sys.executable).with_name("steward")
START_WITHIN_S = 150.0
STOP_WITHIN_S = 30.0
COMMAND_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command that has ended left."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        """Everything that was printed."""
        return self.out + self.err


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of Steward and keys of models."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STEWARD_") and not name.endswith("_API_KEY")
    }
    return {**kept, **(more or {})}


def run(*arguments: str | Path, more: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run `steward` until it ends and return what it printed."""
    ended = subprocess.run(
        [STEWARD, *map(str, arguments)],
        env=environment(more),
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_WITHIN_S,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def own_directory(name: str) -> Iterator[Path]:
    """Make a directory that the database's user may enter and that no other test run touches."""
    directory = Path(tempfile.mkdtemp(prefix=f"steward-{name}-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Running:
    """A process that prints where it is when it's ready, and goes on printing."""

    def __init__(self, command: list[str], *, ready: str, data_dir: Path, cwd: Path | None = None) -> None:
        self.lines: list[str] = []
        self._data_dir = data_dir
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=environment({"STEWARD_REQUESTS_PER_MINUTE": "6000"}),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(ready, within_s=START_WITHIN_S)

    @classmethod
    def up(cls, *arguments: str | Path, data_dir: Path, port: int = 0, cwd: Path | None = None) -> Running:
        """Start `steward up` and return when it is ready."""
        command = [str(STEWARD), "up", *map(str, arguments), "--data-dir", str(data_dir), "--port", str(port)]
        running = cls(command, ready=r"^url: ", data_dir=data_dir, cwd=cwd)
        # It answers only after it has begun to listen for signals.
        url = running.printed(r"^url: (\S+)")
        assert httpx.get(f"{url}/healthz", timeout=START_WITHIN_S).status_code == 200
        return running

    @property
    def output(self) -> str:
        """Everything printed so far."""
        with self._news:
            return "".join(self.lines)

    def printed(self, pattern: str) -> str:
        """Return the first group of a pattern in what was printed."""
        found = re.search(pattern, self.output, re.MULTILINE)
        assert found, f"{pattern!r} isn't in:\n{self.output}"
        return found[1]

    def wait_for(self, pattern: str, *, after: int = 0, within_s: float = 60.0) -> None:
        """Wait until a line that matches is printed after the first `after` lines."""

        def seen() -> bool:
            return any(re.search(pattern, line) for line in self.lines[after:])

        with self._news:
            self._news.wait_for(lambda: seen() or self._process.poll() is not None, within_s)
            if not seen():
                self._process.kill()
                raise AssertionError(f"{pattern!r} wasn't printed:\n{''.join(self.lines)}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it with a signal, wait until none of its processes is left, and return its exit code."""
        family = self.family()
        self._process.send_signal(number)
        try:
            code = self._process.wait(STOP_WITHIN_S)
        finally:
            self._process.kill()
        self._reader.join(STOP_WITHIN_S)
        _, alive = psutil.wait_procs(family, timeout=STOP_WITHIN_S)
        assert alive == [], f"left behind: {[process.cmdline() for process in alive]}"
        assert self.family() == []
        return code

    def family(self) -> list[psutil.Process]:
        """Return every process that names this one's data directory or writes in it."""
        mark = str(self._data_dir)
        found = []
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                named = any(mark in word for word in words)
                guards = "steward.base.db.guardian" in words and any(
                    file.path.startswith(mark) for file in process.open_files()
                )
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if process.pid != os.getpid() and (named or guards):
                found.append(process)
        return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        self._process.wait()
        with self._news:
            self._news.notify_all()
