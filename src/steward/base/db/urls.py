"""Check a database URL and a server's version before anything is done with them."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict

from steward.base.errors import Misconfigured

OLDEST_MAJOR = 16
FORM = "postgresql://user:password@host:5432/database"


def require_url(url: str, *, setting: str = "STEWARD_DATABASE_URL") -> dict[str, str]:
    """Return the parts of a URL; the sentence of a refusal never repeats it, it holds a password.

    Raises:
        Misconfigured: it isn't a PostgreSQL URL.
    """
    scheme = url.partition("://")[0]
    if scheme.startswith("postgresql+"):
        raise Misconfigured(f"{setting} names a driver: write postgresql:// instead of {scheme}://")
    if "://" not in url or scheme not in ("postgresql", "postgres"):
        raise Misconfigured(f"{setting} isn't a PostgreSQL URL: write {FORM}")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise Misconfigured(
            f"{setting} can't be read: write {FORM}, with special characters in the password "
            "percent-encoded (@ is %40)"
        ) from error
    return {name: str(value) for name, value in parts.items() if value is not None}


def place_of(url: str) -> str:
    """Return host and port of a URL, for a sentence."""
    parts = require_url(url)
    host = parts.get("host", "localhost")
    return host if host.startswith("/") else f"{host}:{parts.get('port', '5432')}"


def version_fault(server_version: int) -> str | None:
    """Return what is wrong with a server's version, given as libpq does (160004 is 16.4)."""
    major, minor = divmod(server_version, 10_000)
    if major >= OLDEST_MAJOR:
        return None
    return (
        f"the database server is PostgreSQL {major}.{minor}, and Steward needs {OLDEST_MAJOR} or newer: "
        "upgrade it, or unset STEWARD_DATABASE_URL to use Steward's own"
    )


def require_version(server_version: int) -> None:
    """Refuse a server that is too old.

    Raises:
        Misconfigured: it is older than the oldest that Steward works with.
    """
    if (fault := version_fault(server_version)) is not None:
        raise Misconfigured(fault)
