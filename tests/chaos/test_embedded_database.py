"""Kill the embedded database's processes one by one: data stays, and no process is left behind."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.conftest import scratch_directory

from steward.base.db.embedded import EmbeddedServer, start_embedded
from steward.base.db.files import prepare_files
from steward.base.db.pool import PooledDatabase
from steward.base.errors import Misconfigured

ATTACH_AND_WAIT = """
import asyncio, signal, sys
from pathlib import Path
from steward.base.db.embedded import start_embedded

# Where the tests run in the background of a shell, an interrupt is ignored unless somebody asks for it.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    server = await start_embedded(Path(sys.argv[1]), progress=lambda text: None)
    print(server.owner_url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def made_directory() -> Iterator[Path]:
    """A data directory with a database in it, to copy from: making one takes longer than a test."""
    with tempfile.TemporaryDirectory(prefix="steward-chaos-", dir=scratch_directory()) as name:
        directory = Path(name)
        directory.chmod(0o755)
        asyncio.run(start_and_detach(directory))
        yield directory


@pytest.fixture
def directory(made_directory: Path) -> Iterator[Path]:
    """A data directory of the test's own."""
    with tempfile.TemporaryDirectory(prefix="steward-chaos-", dir=scratch_directory()) as name:
        directory = Path(name)
        directory.chmod(0o755)
        subprocess.run(["cp", "-a", f"{made_directory}/postgres", name], check=True)
        yield directory
        until(lambda: all_stopped(directory), "the database's processes end with their last user")


class Process:
    """A process of its own that is attached to the server."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", ATTACH_AND_WAIT, str(directory)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def end(self, number: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        self._process.send_signal(number)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class TestLastUserEnds:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_no_process_is_left(self, directory: Path, number: signal.Signals) -> None:
        process = Process(directory)
        server, guardian = server_of(directory), guardian_of(directory)
        process.end(number)
        until(lambda: not server.is_running() and not guardian.is_running(), "server and guardian end")

    def test_what_was_committed_is_there_after_a_restart(self, directory: Path) -> None:
        first = Process(directory)
        execute(first.url, "create table kept (x int)", "insert into kept values (1)")
        first.end(signal.SIGKILL)
        second = Process(directory)
        assert fetch(second.url, "select x from kept") == [(1,)]
        second.end(signal.SIGTERM)


class TestTwoProcesses:
    @pytest.mark.parametrize("starter_first", [True, False])
    def test_killing_one_leaves_the_other_its_server(self, directory: Path, starter_first: bool) -> None:
        starter = Process(directory)
        joiner = Process(directory)
        server = server_of(directory)
        killed, left = (starter, joiner) if starter_first else (joiner, starter)
        with psycopg.connect(left.url) as connection:
            killed.end(signal.SIGKILL)
            assert connection.execute("select 1").fetchall() == [(1,)]
        assert fetch(left.url, "select 2") == [(2,)]
        assert server.is_running()
        left.end(signal.SIGKILL)

    def test_a_start_while_the_last_one_ends_gets_a_server(self, directory: Path) -> None:
        for _ in range(3):
            first = Process(directory)
            first.end(signal.SIGKILL)
            second = Process(directory)
            assert fetch(second.url, "select 1") == [(1,)]
            second.end(signal.SIGKILL)


class TestServerKilled:
    async def test_it_comes_back_with_what_was_committed(self, directory: Path) -> None:
        async with attached(directory) as server, pooled(server.owner_url) as database:
            async with database.write() as session:
                await session.execute("create table kept (x int)")
                await session.execute("insert into kept values (1)")
            killed = server_of(directory)
            killed.kill()
            until(lambda: record_of(directory) != killed.pid, "another server starts")
            async with database.read() as session:
                assert await session.all("select x from kept") == [(1,)]

    async def test_a_stale_lock_file_with_a_living_process_is_not_believed(self, directory: Path) -> None:
        lock_file = directory / "postgres" / "data" / "postmaster.pid"
        lock_file.write_text(f"{os.getpid()}\n{lock_file.parent}\n0\n5432\n\n\n\nready\n")
        async with attached(directory) as server:
            assert fetch(server.app_url, "select 1") == [(1,)]


class TestGuardianKilled:
    async def test_another_takes_over(self, directory: Path) -> None:
        async with attached(directory) as server, pooled(server.owner_url) as database:
            killed, left = guardian_of(directory), record_of(directory)
            killed.kill()
            until(lambda: record_of(directory) != left, "another guardian starts another server")
            async with database.read() as session:
                assert await session.all("select 1") == [(1,)]
            assert guardian_of(directory).pid != killed.pid

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="the signal of a parent's end is Linux's"
    )
    def test_killed_with_its_last_user_it_takes_the_server_along(self, directory: Path) -> None:
        process = Process(directory)
        server, guardian = server_of(directory), guardian_of(directory)
        guardian.suspend()
        process.end(signal.SIGKILL)
        guardian.kill()
        until(lambda: not server.is_running(), "the server ends with its guardian")


class TestEverythingKilled:
    def test_the_next_start_recovers(self, directory: Path) -> None:
        first = Process(directory)
        execute(first.url, "create table kept (x int)", "insert into kept values (1)")
        victims = [guardian_of(directory), server_of(directory)]
        victims += victims[1].children(recursive=True)
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        first.end(signal.SIGKILL)
        second = Process(directory)
        assert fetch(second.url, "select x from kept") == [(1,)]
        second.end(signal.SIGTERM)


class TestRefusals:
    async def test_files_of_another_version(self, directory: Path) -> None:
        (directory / "postgres" / "data" / "PG_VERSION").write_text("12\n")
        with pytest.raises(Misconfigured, match="was made by another version of PostgreSQL"):
            await start_embedded(directory, progress=lambda _: None)

    async def test_a_taken_port(self, directory: Path) -> None:
        import socket

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(Misconfigured, match="is taken by another program"):
                await start_embedded(directory, progress=lambda _: None, tcp_port=taken.getsockname()[1])

    async def test_data_of_another_user(self, directory: Path) -> None:
        shutil.rmtree(directory / "postgres" / "data")
        (directory / "postgres" / "data").symlink_to("/usr")
        with pytest.raises(Misconfigured, match="belongs to the user with the id 0"):
            await start_embedded(directory, progress=lambda _: None)

    async def test_a_file_in_place_of_the_directory(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("")
        with pytest.raises(Misconfigured, match="is a file where a directory is needed"):
            await start_embedded(tmp_path / "data", progress=lambda _: None)


class TestPlaces:
    async def test_a_path_too_long_for_a_socket(self, directory: Path) -> None:
        deep = directory / ("d" * 60) / ("e" * 60)
        deep.mkdir(parents=True)
        shutil.move(directory / "postgres", deep)
        async with attached(deep) as server:
            assert fetch(server.app_url, "select 1") == [(1,)]
        until(lambda: all_stopped(deep), "the server ends")
        shutil.rmtree(prepare_files(deep).run)

    async def test_a_directory_closed_to_the_servers_user(self, directory: Path) -> None:
        os.chmod(directory, 0o700)
        async with attached(directory) as server:
            assert fetch(server.app_url, "select 1") == [(1,)]
        until(lambda: all_stopped(directory), "the server ends")
        shutil.rmtree(prepare_files(directory).run)

    async def test_passwords_and_sockets_are_the_owners_alone(self, directory: Path) -> None:
        async with attached(directory):
            for name in ("passwords.json", "run", "data"):
                assert (directory / "postgres" / name).stat().st_mode & 0o077 == 0

    async def test_the_servers_log_holds_no_values(self, directory: Path) -> None:
        insert = "insert into once values ('4111-secret')"
        async with attached(directory) as server:
            execute(server.owner_url, "create table once (x text unique)", insert)
            for statement, said in (
                (insert, "duplicate key"),
                ("select '4111-secret'::int", "invalid input"),
            ):
                with pytest.raises(psycopg.Error, match=said):
                    execute(server.owner_url, statement)
        until(lambda: all_stopped(directory), "the server ends")
        assert "4111-secret" not in server.log.read_text()


@asynccontextmanager
async def attached(directory: Path) -> AsyncIterator[EmbeddedServer]:
    """Attach this process for a while."""
    server = await start_embedded(directory, progress=lambda _: None)
    try:
        yield server
    finally:
        await server.detach()


@asynccontextmanager
async def pooled(url: str) -> AsyncIterator[PooledDatabase]:
    """Open a pool for a while."""
    database = await PooledDatabase.open(url)
    try:
        yield database
    finally:
        await database.close()


async def start_and_detach(directory: Path) -> None:
    """Make the database."""
    async with attached(directory):
        pass
    until(lambda: all_stopped(directory), "the server ends")


def all_stopped(directory: Path) -> bool:
    """Whether neither a guardian nor a process of the server holds its lock."""
    return not any(is_held(directory / "postgres" / name) for name in ("guardian.lock", "server.lock"))


def is_held(path: Path) -> bool:
    """Whether some process holds a lock file."""
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def server_of(directory: Path) -> psutil.Process:
    """The server's first process."""
    return psutil.Process(record_of(directory))


def record_of(directory: Path) -> int:
    """The number of the server last started."""
    while True:
        # The guardian is writing it just now.
        with suppress(ValueError):
            return int(json.loads((directory / "postgres" / "server.json").read_text())["pid"])


def guardian_of(directory: Path) -> psutil.Process:
    """The server's guardian."""
    while True:
        with suppress(psutil.Error, ValueError):
            parent = server_of(directory).parent()
            if parent is not None and "steward.base.db.guardian" in parent.cmdline():
                return parent
        time.sleep(0.01)


def until(reached: Callable[[], bool], what: str) -> None:
    """Wait for a state that another process brings about."""
    give_up = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < give_up, f"never happened: {what}"
        time.sleep(0.02)


def execute(url: str, *statements: str) -> None:
    """Run statements, each committed."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fetch(url: str, statement: str) -> list[tuple[object, ...]]:
    """Return the rows of a statement."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()
