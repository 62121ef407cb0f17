"""The processes of a campaign: Steward, the company's system, the simulated model; each can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

READY_WITHIN_S = 300.0
POLL_S = 0.05


class NeverReady(Exception):
    """A process ended or stayed silent instead of becoming ready."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without Steward's settings and model keys, and with `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STEWARD_", "OPENAI_", "OTEL_"))
    }
    return {**kept, **extra}


@dataclass(slots=True)
class Process:
    """One process in a session of its own; its output is appended to a file."""

    command: list[str]
    url: str
    log: Path
    environment: Mapping[str, str]
    ready_path: str = "/readyz"
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, without waiting until it is ready."""
        assert self.running is None
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environment(self.environment),
                start_new_session=True,
            )

    async def ready(self, *, within_s: float = READY_WITHIN_S) -> float:
        """Wait until it answers and return how many seconds that took.

        Raises:
            NeverReady: it ended, or took too long.
        """
        begun = time.monotonic()
        async with httpx2.AsyncClient(base_url=self.url, timeout=5.0) as client:
            while time.monotonic() - begun < within_s:
                if self.running is None or self.running.poll() is not None:
                    raise NeverReady(f"{self.command[:4]} ended; its output is in {self.log}")
                with suppress(httpx2.HTTPError):
                    if (await client.get(self.ready_path)).status_code == 200:
                        return time.monotonic() - begun
                await asyncio.sleep(POLL_S)
        raise NeverReady(
            f"{self.command[:4]} wasn't ready within {within_s:g} s; its output is in {self.log}"
        )

    def kill(self) -> None:
        """End it as a crash does (SIGKILL), and nothing beside it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end and wait; a process that doesn't is killed."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.running is None:
            return
        self.running.send_signal(number)
        try:
            self.running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
        self.running = None


def company_process(directory: Path, *, port: int) -> Process:
    """Return the company's system over the accounts in `directory`."""
    return Process(
        [sys.executable, "-m", "tests.prove.company", str(directory), str(port)],
        f"http://127.0.0.1:{port}",
        directory / "company.log",
        {"PYTHONPATH": os.pathsep.join((os.getcwd(), os.environ.get("PYTHONPATH", "")))},
        ready_path="/healthz",
    )


def model_process(directory: Path, *, port: int) -> Process:
    """Return a simulated model."""
    command = [sys.executable, "-m", "steward.improve.simulation.model_server", "--port", str(port)]
    return Process(command, f"http://127.0.0.1:{port}", directory / "model.log", {}, ready_path="/simulate")


def steward_process(arguments: list[str], directory: Path, environment: Mapping[str, str]) -> Process:
    """Return a Steward that listens on a free port, with its data under `directory`."""
    port = free_port()
    data = directory / "data"
    return Process(
        [sys.executable, "-m", "steward.app", *arguments, "--port", str(port), "--data-dir", str(data)],
        f"http://127.0.0.1:{port}",
        directory / "steward.log",
        environment,
    )


def database_server(data: Path) -> psutil.Process | None:
    """Return the embedded database's first process, or None while there is none."""
    try:
        return psutil.Process(int(json.loads((data / "postgres" / "server.json").read_text())["pid"]))
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def kill_database(data: Path) -> None:
    """Kill the embedded database's first process, as a crash does."""
    with suppress(psutil.Error):
        if (server := database_server(data)) is not None:
            server.kill()


def kill_guardian(data: Path) -> None:
    """Kill the process that watches over the embedded database."""
    with suppress(psutil.Error):
        server = database_server(data)
        parent = server.parent() if server is not None else None
        if parent is not None and "steward.base.db.guardian" in parent.cmdline():
            parent.kill()
