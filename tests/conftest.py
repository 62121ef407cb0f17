"""What every test may ask for: a database of its own, and a clock that stands still.

One embedded server serves the whole run, shared by the workers of pytest-xdist through its data
directory. Each worker has a database cloned from a migrated template; after a test that used it,
the tables that hold rows are emptied. The server stops when the last worker has ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from steward.base.clock import FixedClock
from steward.base.db.embedded import APP_ROLE, OWNER_ROLE, EmbeddedServer, start_embedded
from steward.base.db.migrations import upgrade
from steward.base.db.pool import PooledDatabase

# How long an example takes says nothing on a machine that does other things beside it.
settings.register_profile("steward", deadline=None)
settings.load_profile("steward")
TEMPLATE = "steward_template"
# Taken out of the environment: Steward refuses names with its prefix that aren't settings.
SKIPS_FORBIDDEN = os.environ.pop("STEWARD_TESTS_FORBID_SKIPS", None) == "1"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """The URLs of one worker's database."""

    __test__ = False

    app_url: str
    owner_url: str
    admin_url: str


@pytest.fixture
def fixed_clock() -> FixedClock:
    """A clock that stands at noon of Monday, 2 March 2026, until it is moved."""
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def server_directory(testrun_uid: str) -> Iterator[Path]:
    """The data directory that all workers of this run share; removed by the last one."""
    mark = hashlib.sha256(testrun_uid.encode()).hexdigest()[:8]
    directory = scratch_directory() / f"steward-test-{mark}"
    directory.mkdir(mode=0o755, exist_ok=True)
    users = os.open(directory / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_SH)
    yield directory
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with locked(directory / "postgres" / "guardian.lock"):
            shutil.rmtree(directory, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(users)


@pytest.fixture(scope="session")
async def embedded_server(server_directory: Path) -> AsyncIterator[EmbeddedServer]:
    """The server of this run, with a migrated template database."""
    server = await start_embedded(server_directory, progress=lambda _: None, sync=False)
    with locked(server_directory / "template.lock"):
        make_template(server)
    yield server
    await server.detach()


@pytest.fixture(scope="session")
def worker_database(embedded_server: EmbeddedServer, worker_id: str) -> TestDatabase:
    """This worker's clone of the template."""
    return clone(embedded_server, f"test_{worker_id}")


@pytest.fixture
def empty_database(embedded_server: EmbeddedServer, worker_id: str) -> Iterator[TestDatabase]:
    """A database with the extension and no tables, dropped afterwards."""
    name = f"empty_{worker_id}"
    yield clone(embedded_server, name, template="template1")
    with psycopg.connect(embedded_server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def clean_database(worker_database: TestDatabase) -> Iterator[TestDatabase]:
    """This worker's database, with every table empty again after the test."""
    yield worker_database
    empty_tables(worker_database.admin_url)


@pytest.fixture
def owner_url(clean_database: TestDatabase) -> str:
    """The schema owner's URL of this worker's database."""
    return clean_database.owner_url


@pytest.fixture
def app_url(clean_database: TestDatabase) -> str:
    """The application role's URL of this worker's database."""
    return clean_database.app_url


@pytest.fixture
async def database(clean_database: TestDatabase) -> AsyncIterator[PooledDatabase]:
    """The application's pool on this worker's database."""
    pool = await PooledDatabase.open(clean_database.app_url, min_size=1, max_size=8)
    yield pool
    await pool.close()


def scratch_directory() -> Path:
    """Return where test databases lie: in memory where there is room, which spares the disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        return memory
    return Path(tempfile.gettempdir())


def make_template(server: EmbeddedServer) -> None:
    """Create and migrate the template, if this worker is the first."""
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        if admin.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
            return
        admin.execute(f"create database {TEMPLATE} owner {OWNER_ROLE}")
    upgrade(at_database(server.owner_url, TEMPLATE), app_role=APP_ROLE)


def clone(server: EmbeddedServer, name: str, *, template: str = TEMPLATE) -> TestDatabase:
    """Make a database from a template, afresh."""
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        admin.execute(
            sql.SQL("create database {} owner {} template {}").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template)
            )
        )
    return TestDatabase(
        at_database(server.app_url, name),
        at_database(server.owner_url, name),
        at_database(server.admin_url, name),
    )


def at_database(url: str, name: str) -> str:
    """Return a URL with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}")).replace("@/", "@/", 1)


def empty_tables(admin_url: str) -> None:
    """Delete the rows of every table that has some, triggers and references unheeded."""
    with psycopg.connect(admin_url) as admin:
        tables = admin.execute(
            "select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'p') "
            "and c.relnamespace = 'public'::regnamespace and not c.relispartition "
            "and c.relname <> 'schema_version'"
        ).fetchall()
        if not tables:
            return
        probe = " union all ".join(f"(select '{name}' from {name} limit 1)" for (name,) in tables)
        filled = admin.execute(probe.encode()).fetchall()
        admin.execute("set local session_replication_role = replica")
        for (name,) in filled:
            admin.execute(f"delete from {name}".encode())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name in one line what was skipped for want of something on this machine."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        reasons = {str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped}
        terminalreporter.write_line(f"skipped {len(skipped)}: {'; '.join(sorted(reasons))}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped something where skips are forbidden, as in CI."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    forbidden = SKIPS_FORBIDDEN
    if forbidden and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
