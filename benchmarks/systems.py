"""The processes that are compared: the model, Steward, LiteLLM's proxy, and the database they share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_HERE = Path(__file__).parent
_START_S = 180.0
_STOP_S = 15.0
LITELLM_KEY = "sk-benchmark"

REQUEST_LOG = """
create table if not exists request_log (
    request_id text not null, call_type text, model text, spend float8, tokens int,
    started_at timestamptz, ended_at timestamptz, metadata jsonb
)"""


class NotStarted(Exception):
    """A process didn't come up; the text ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started program."""

    name: str
    port: int
    pid: int
    log: Path

    def value(self, name: str) -> str:
        """Return what the program printed as `name: value`."""
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(f"{name}: "):
                return line.removeprefix(f"{name}: ").strip()
        raise NotStarted(f"{self.name} printed no line '{name}: …'; see {self.log}")


@contextmanager
def model(directory: Path) -> Iterator[Running]:
    """Run the simulated model at zero delay."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.model", "--port", str(port)]
    with _program("model", command, directory, port=port, ready="/received") as running:
        yield running


@contextmanager
def steward(directory: Path, *, model_port: int, database_url: str | None) -> Iterator[Running]:
    """Run Steward on a copy of the sample assistant whose first model is the simulated one."""
    port = free_port()
    folder = directory / "northline"
    write_folder(folder, model_url=f"http://127.0.0.1:{model_port}/v1")
    command = [sys.executable, "-m", "steward.app", "up", str(folder)]
    command += ["--data-dir", str(directory / "data"), "--port", str(port)]
    extra = {"STEWARD_DATABASE_URL": database_url} if database_url else {}
    with _program("steward", command, directory, port=port, ready="/readyz", environment=extra) as running:
        yield running


def write_folder(folder: Path, *, model_url: str) -> None:
    """Write the sample assistant with the model's address in place of its secret."""
    from steward.supply.assistant.initialise import initialise

    initialise(folder, "northline")
    file = folder / "assistant.yaml"
    text = file.read_text(encoding="utf-8")
    if text.count("    secret: OPENAI_API_KEY\n") != 1:
        raise NotStarted(f"{file} no longer names the secret of its model once; adapt the benchmark")
    changed = text.replace("    secret: OPENAI_API_KEY\n", f"    url: {model_url}\n")
    file.write_text(changed, encoding="utf-8")


@contextmanager
def litellm(directory: Path, *, python: Path, model_port: int, log_url: str) -> Iterator[Running]:
    """Run LiteLLM's proxy with one worker, a key, and a row per request in PostgreSQL."""
    port = free_port()
    home = directory / "litellm"
    home.mkdir()
    shutil.copy(_HERE / "litellm_log.py", home)
    (home / "config.yaml").write_text(
        "model_list:\n"
        "  - model_name: gpt-4.1-mini\n"
        "    litellm_params:\n"
        "      model: openai/gpt-4.1-mini\n"
        f"      api_base: http://127.0.0.1:{model_port}/v1\n"
        "      api_key: none\n"
        "litellm_settings:\n"
        "  callbacks: litellm_log.log\n"
        "  telemetry: false\n"
        "  request_timeout: 60\n"
        "general_settings:\n"
        f"  master_key: {LITELLM_KEY}\n",
        encoding="utf-8",
    )
    command = [str(python), "-c", "from litellm import run_server; run_server()", "--num_workers", "1"]
    command += ["--config", str(home / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
        "REQUEST_LOG_URL": log_url,
    }
    with _program(
        "litellm", command, directory, port=port, ready="/health/liveliness", environment=environment
    ) as running:
        yield running


def prepare_request_log(url: str) -> None:
    """Make the table that LiteLLM's requests are logged to."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(REQUEST_LOG)


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _program(
    name: str,
    command: Sequence[str],
    directory: Path,
    *,
    port: int,
    ready: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    log = directory / f"{name}.log"
    # A setting of the caller's shell would change what is measured.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STEWARD_")}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=_HERE.parent,
            env={**inherited, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        running = Running(name, port, process.pid, log)
        try:
            _wait_until_ready(running, process, ready)
            yield running
        finally:
            _stop(process)


def _wait_until_ready(running: Running, process: subprocess.Popen[bytes], path: str) -> None:
    ends_at = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    last = running.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
    raise NotStarted("\n".join([f"{running.name} didn't start: {running.log}", *last]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Processor:
    """Reads how many seconds of processor time each party has used."""

    def __init__(self, parties: Mapping[str, int], *, database: Path | None) -> None:
        self._parties = dict(parties)
        self._database = database

    def seconds(self) -> dict[str, float]:
        """Return the seconds so far: this client, each party with its children, the database."""
        used = {"client": time.process_time()}
        for name, pid in self._parties.items():
            used[name] = _tree_seconds(pid)
        if self._database is not None:
            postmaster = int((self._database / "postmaster.pid").read_text().splitlines()[0])
            used["database"] = _tree_seconds(postmaster)
        return used


def _tree_seconds(pid: int) -> float:
    total = 0.0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
            if process.pid == pid:
                # Ended children are counted by the system for their parent.
                total += times.children_user + times.children_system
    except psutil.NoSuchProcess:
        return total
    return total
