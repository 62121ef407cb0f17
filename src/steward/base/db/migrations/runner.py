"""Compare the schema's version with the code's, and run the revisions in between."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import sql

from steward.base.db.contracts import Database
from steward.base.db.errors import translated
from steward.base.db.urls import require_url, require_version
from steward.base.errors import Misconfigured

HERE = Path(__file__).parent
# Any number that nothing else in the database locks: "steward" in ASCII.
UPGRADE_LOCK = int.from_bytes(b"steward")


HEAD = "0014_provider_logins"
"""The revision that this code needs: the last file in `versions/`."""


def _revisions() -> list[str]:
    return sorted(path.stem for path in (HERE / "versions").glob("[0-9]*.py"))


def upgrade(owner_url: str, *, app_role: str | None = None) -> bool:
    """Bring the schema to `HEAD`; concurrent calls wait for one another.

    Args:
        owner_url: a role that may create tables.
        app_role: the role that gets the application's rights; None means the one that owns the
            tables, which has them.

    Returns:
        Whether anything was done.

    Raises:
        OperationalError: the database can't be reached or changed, or its schema is newer.
    """
    require_url(owner_url, setting="STEWARD_MIGRATION_DATABASE_URL")
    with translated(), psycopg.connect(owner_url, autocommit=True) as connection:
        require_version(connection.info.server_version)
        if _is_current(connection):
            return False
        connection.execute("select pg_advisory_lock(%s)", (UPGRADE_LOCK,))
        if _is_current(connection):
            return False
        _require_extension(connection)
        role = app_role or connection.info.user
        _run(owner_url, sql.Identifier(role).as_string(connection))
        return True


async def check_schema(database: Database) -> None:
    """Refuse to work on a schema that isn't this code's.

    Raises:
        Misconfigured: the schema is older or newer; the sentence says which and what to do.
    """
    async with database.read() as session:
        there = await session.one("select to_regclass('schema_version') is not null")
        if there is None or not there[0]:
            raise Misconfigured("the database has no tables of Steward yet: run `steward db upgrade`")
        row = await session.one("select version_num from schema_version")
    version = row[0] if row else None
    if version != HEAD:
        raise Misconfigured(describe_difference(version))


def describe_difference(version: str | None) -> str:
    """Return the sentence for a schema that isn't at `HEAD`."""
    if version is None:
        return "the database has no tables of Steward yet: run `steward db upgrade`"
    if version not in _revisions():
        return (
            f"the database's schema ({version}) is newer than this Steward ({HEAD}): "
            "start the version of Steward that upgraded it"
        )
    return f"the database's schema ({version}) is older than this Steward ({HEAD}): run `steward db upgrade`"


def _is_current(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    found = connection.execute("select to_regclass('schema_version') is not null").fetchone()
    if found is None or not found[0]:
        return False
    row = connection.execute("select version_num from schema_version").fetchone()
    version = str(row[0]) if row else None
    if version is not None and version not in _revisions():
        raise Misconfigured(describe_difference(version))
    return version == HEAD


def _require_extension(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    row = connection.execute(
        "select (select extversion from pg_extension where extname = 'vector'), "
        "(select default_version from pg_available_extensions where name = 'vector')"
    ).fetchone()
    installed, available = row or (None, None)
    if installed is None and available is None:
        raise Misconfigured(
            "the database server has no pgvector: install the extension `vector` (0.7 or newer) on the server"
        )
    if installed is None:
        try:
            connection.execute("create extension if not exists vector")
        except psycopg.errors.InsufficientPrivilege as error:
            raise Misconfigured(
                "the role of the migration URL may not create the extension `vector`: "
                "run `create extension vector` in this database as a superuser, once"
            ) from error


def _run(owner_url: str, app_role: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    # Alembic gets a connection of its own: the lock stays on ours until this process is done.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=StaticPool
    )
    config.attributes["app_role"] = app_role
    try:
        with engine.begin() as alembic_connection:
            config.attributes["connection"] = alembic_connection
            command.upgrade(config, "head")
            alembic_connection.exec_driver_sql(f"grant select on schema_version to {app_role}")
    finally:
        engine.dispose()


def sql_of(name: str, app_role: str) -> str:
    """Return the statements of a file beside this module, for the application's role."""
    if not re.fullmatch(r"[0-9a-z_]+\.sql", name):
        raise ValueError(f"not the name of a file of statements: {name}")
    return (HERE / name).read_text(encoding="utf-8").replace("{app_role}", app_role)
