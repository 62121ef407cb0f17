"""Say in sentences what is wrong with the store: what `steward doctor` prints.

Each check has a name, an outcome and one sentence; a check that can't be made because an earlier
one failed is left out. Nothing is changed, except that Steward's own server is started and stopped.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from steward.base.db.binaries import find_binaries
from steward.base.db.embedded import start_embedded
from steward.base.db.errors import DatabaseUnavailable, sentence_of_os_error, translate
from steward.base.db.migrations.runner import HEAD, describe_difference
from steward.base.db.urls import place_of, require_url, version_fault
from steward.base.errors import OperationalError, StewardError

LEAST_FREE_MB = 500
CONNECT_TIMEOUT_S = 5
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    sentence: str


async def examine(data_dir: Path, *, url: str | None = None, owner_url: str | None = None) -> list[Check]:
    """Check the store that the settings name: a URL, or Steward's own server in `data_dir`.

    Args:
        data_dir: where Steward keeps its files, and its own server's.
        url: the application role's URL; None for Steward's own server.
        owner_url: the URL for migrations; None for the same.
    """
    checks = list(check_directory(data_dir))
    if url is not None:
        return [*checks, *check_url(url, owner_url=owner_url or url)]
    checks.append(check_binaries())
    if not all(check.ok for check in checks if check.name != "disk space"):
        return checks
    try:
        server = await start_embedded(data_dir, progress=lambda _: None)
    except OperationalError as error:
        return [*checks, Check("embedded database", False, _capitalised(str(error)))]
    try:
        checks.append(Check("embedded database", True, f"Steward's own server starts in {data_dir}."))
        return [*checks, *check_url(server.app_url, owner_url=server.owner_url)]
    finally:
        await server.detach()


def check_directory(data_dir: Path) -> Iterator[Check]:
    """Check that the data directory can be written and has room."""
    existing = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            pass
        free_mb = shutil.disk_usage(existing).free // (1 << 20)
    except OSError as error:
        error.filename = str(existing)
        yield Check("data directory", False, _capitalised(sentence_of_os_error(error, data_dir)))
        return
    yield Check("data directory", True, f"{data_dir} can be written.")
    if free_mb < LEAST_FREE_MB:
        sentence = f"{data_dir} has {free_mb} MB free: free some space, {LEAST_FREE_MB} MB is the least."
        yield Check("disk space", False, sentence)
    else:
        yield Check("disk space", True, f"{free_mb} MB free.")


def check_binaries() -> Check:
    """Check that PostgreSQL's programs are installed and run here."""
    name = "database programs"
    try:
        postgres = find_binaries().postgres
        answer = subprocess.run(  # noqa: S603 - the program comes from the installed package
            [str(postgres), "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except StewardError as error:
        return Check(name, False, _capitalised(str(error)))
    except (OSError, subprocess.SubprocessError):
        sentence = (
            "PostgreSQL's programs don't run on this system (Alpine, for one, needs another C library): "
            "set STEWARD_DATABASE_URL to a server of your own."
        )
        return Check(name, False, sentence)
    return Check(name, True, f"{answer.stdout.strip()} is installed.")


def check_url(url: str, *, owner_url: str) -> Iterator[Check]:
    """Check a server by its URLs: form, answer, role, version, extension, schema, writing."""
    try:
        require_url(url)
        require_url(owner_url, setting="STEWARD_MIGRATION_DATABASE_URL")
    except StewardError as error:
        yield Check("database URL", False, _capitalised(str(error)))
        return
    yield Check("database URL", True, "The database URL is well-formed.")
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True) as connection:
            yield Check("database connection", True, f"The database at {place_of(url)} answers.")
            yield from _check_server(connection)
        if owner_url != url:
            with psycopg.connect(owner_url, connect_timeout=CONNECT_TIMEOUT_S):
                yield Check("migration connection", True, "The role for migrations is accepted.")
    except psycopg.Error as error:
        yield Check("database connection", False, _connection_sentence(error, url))


def _check_server(connection: Connection) -> Iterator[Check]:
    version = connection.info.server_version
    fault = version_fault(version)
    yield Check(
        "database version",
        fault is None,
        _capitalised(fault) if fault else f"PostgreSQL {version // 10_000}.{version % 10_000}.",
    )
    if fault is None:
        yield _check_extension(connection)
        yield _check_schema(connection)
        yield _check_writing(connection)


def _check_extension(connection: Connection) -> Check:
    row = connection.execute(
        "select (select extversion from pg_extension where extname = 'vector'), "
        "(select default_version from pg_available_extensions where name = 'vector')"
    ).fetchone()
    installed, available = row or (None, None)
    if installed is not None:
        return Check("extension vector", True, f"pgvector {installed} is installed.")
    if available is not None:
        sentence = "This database lacks pgvector: run `create extension vector` in it as a superuser."
        return Check("extension vector", False, sentence)
    return Check("extension vector", False, "The server has no pgvector: install it there.")


def _check_schema(connection: Connection) -> Check:
    found = connection.execute("select to_regclass('schema_version') is not null").fetchone()
    if found is None or not found[0]:
        return Check("schema", False, _capitalised(describe_difference(None)))
    row = connection.execute("select version_num from schema_version").fetchone()
    version = str(row[0]) if row else None
    if version != HEAD:
        return Check("schema", False, _capitalised(describe_difference(version)))
    return Check("schema", True, f"The schema is current ({HEAD}).")


def _check_writing(connection: Connection) -> Check:
    row = connection.execute(
        "select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on', "
        "coalesce((select bool_and(has_table_privilege(oid, 'insert')) from pg_class "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') "
        "and relname in ('ledger_entry', 'message', 'turn')), true)"
    ).fetchone()
    read_only, may_insert = row or (False, True)
    if read_only:
        return Check("writing", False, "The server takes no writes (a standby?): give the primary's URL.")
    if not may_insert:
        sentence = (
            "The application's role may not write Steward's tables: run `steward db upgrade` "
            "with the owner's URL in STEWARD_MIGRATION_DATABASE_URL."
        )
        return Check("writing", False, sentence)
    return Check("writing", True, "The application's role can write.")


def _connection_sentence(error: psycopg.Error, url: str) -> str:
    ours = translate(error)
    if isinstance(ours, DatabaseUnavailable):
        return (
            f"The database at {place_of(url)} doesn't answer ({ours.reason}): "
            "start it, or correct STEWARD_DATABASE_URL."
        )
    return _capitalised(str(ours)) if ours else "The database refused the connection: see its log."


def _capitalised(sentence: str) -> str:
    text = sentence[:1].upper() + sentence[1:]
    return text if text.endswith(".") else text + "."
