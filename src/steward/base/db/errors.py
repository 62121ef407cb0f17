"""What can be wrong with the database, each in one sentence; psycopg's errors become ours here.

    Unavailable    refused or lost connection, no free connection in time, server starting or stopping
    Misconfigured  bad URL, wrong password, wrong version, missing extension or right, full disk
    Conflict
    └── UniqueViolation   left for the caller, with the constraint's name

An error that isn't listed is a bug in the SQL and passes unchanged.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from steward.base.errors import Conflict, Misconfigured, Unavailable

if TYPE_CHECKING:
    import psycopg


class UniqueViolation(Conflict):
    """A row with the same key is there already."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"a row with this key exists already ({constraint})")
        self.constraint = constraint


class TransactionRaced(Unavailable):
    """A serialization failure or a deadlock: nothing was written, the transaction may be run again."""

    def __init__(self) -> None:
        super().__init__("two transactions met on the same rows; try again")


class DatabaseUnavailable(Unavailable):
    """The database doesn't answer, or not now."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database doesn't answer ({reason}): start it, or correct its URL")
        self.reason = reason


class DiskFull(Misconfigured):
    """No space is left where the data lies."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the disk that holds {where} is full: free some space, nothing was written")


@contextmanager
def translated() -> Iterator[None]:
    """Raise psycopg's errors as Steward's.

    Raises:
        UniqueViolation: a unique constraint refused a row.
        TransactionRaced: the transaction may be run again.
        DatabaseUnavailable: the connection failed or none was free in time.
        Misconfigured: the installation needs a person.
    """
    import psycopg
    import psycopg_pool

    try:
        yield
    except psycopg_pool.PoolTimeout as error:
        raise DatabaseUnavailable("no connection was free in time") from error
    except psycopg_pool.PoolClosed as error:
        raise DatabaseUnavailable("the pool of connections is closed") from error
    except psycopg.Error as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error


def translate(error: psycopg.Error) -> Exception | None:
    """Return Steward's error for one of psycopg's, or None where there is none."""
    import psycopg

    state = error.sqlstate or ""
    if state == "23505":
        return UniqueViolation(error.diag.constraint_name or "unknown constraint")
    if state in ("40001", "40P01"):
        return TransactionRaced()
    if state == "53100":
        return DiskFull("the database")
    if state.startswith(("08", "57P")) or state in ("53300", "25006", "25P03"):
        return DatabaseUnavailable(_REASONS.get(state, "the connection was lost"))
    if state == "55P03":
        return DatabaseUnavailable("a table stayed locked")
    if state == "42501":
        return Misconfigured(
            "the database role lacks a right: run `steward db upgrade` with the owner's URL "
            "in STEWARD_MIGRATION_DATABASE_URL"
        )
    if state in ("28P01", "28000"):
        return Misconfigured("the database refused the role or its password: check the database URL")
    if state == "3D000":
        return Misconfigured("the database named in the database URL doesn't exist: create it")
    if isinstance(error, psycopg.OperationalError) and not state:
        return _connection_error(error)
    return None


_REASONS = {
    "57P01": "the server was stopped",
    "57P02": "the server crashed and starts again",
    "57P03": "the server is starting",
    "53300": "the server has no connection left",
    "25006": "the server takes no writes",
    "25P03": "it ended a transaction in which this process stood still",
}


def _connection_error(error: psycopg.OperationalError) -> Exception:
    text = str(error)
    if "password authentication failed" in text or "no password supplied" in text:
        return Misconfigured("the database refused the role or its password: check the database URL")
    if "does not exist" in text and "database" in text:
        return Misconfigured("the database named in the database URL doesn't exist: create it")
    if "No space left on device" in text:
        return DiskFull("the database")
    for sign, reason in (
        ("Connection refused", "connection refused"),
        ("No such file or directory", "there is no socket"),
        ("failed to resolve host", "the host's name isn't known"),
        ("could not translate host name", "the host's name isn't known"),
        ("timeout", "no answer in time"),
    ):
        if sign in text:
            return DatabaseUnavailable(reason)
    return DatabaseUnavailable("the connection was lost")


def sentence_of_os_error(error: OSError, path: Path) -> str:
    """Say what the operating system refused about a data directory, and what to do."""
    where = error.filename or path
    if error.errno == errno.ENOSPC:
        return f"the disk that holds {path} is full: free some space"
    if error.errno == errno.EDQUOT:
        return f"the quota of the disk that holds {path} is used up: free some space"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{where} can't be read or written by this user: "
            "change its owner, or choose another data directory"
        )
    if error.errno == errno.EROFS:
        return f"{where} is on a read-only file system: choose another data directory"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{where} is a file where a directory is needed: choose another data directory"
    return f"{where} can't be used as a data directory ({error.strerror or error})"
