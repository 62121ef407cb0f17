"""Start Steward's own PostgreSQL for a data directory, or join the one that runs there.

Takes a directory, gives two URLs: one for the application's role, one for the owner of the
schema. The server lives until the last process that called `start_embedded` has detached or
ended, in whatever way (see `guardian`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from steward.base.db.attachment import Attachment
from steward.base.db.binaries import Binaries, find_binaries, reachable_binaries
from steward.base.db.files import ServerFiles, passwords, prepare_files

DATABASE = "steward"
ADMIN_ROLE, OWNER_ROLE, APP_ROLE = "steward_admin", "steward_owner", "steward_app"
MEBIBYTE = 1 << 20
LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server that this process is attached to."""

    app_url: str
    owner_url: str
    admin_url: str
    log: Path
    attachment: Attachment

    async def detach(self) -> None:
        """Let go of the server; it stops when no process is left."""
        await asyncio.to_thread(self.attachment.close)


async def start_embedded(
    data_dir: Path, *, progress: Callable[[str], None], tcp_port: int | None = None, sync: bool = True
) -> EmbeddedServer:
    """Start the server of a data directory, or join it, and wait until it takes connections.

    Recovery after an unclean stop is waited for however long it takes.

    Args:
        data_dir: holds `postgres/`, made if it isn't there.
        progress: called, from another thread, with a short text at each step and each second.
        tcp_port: also listen on this port of 127.0.0.1, if this call is the one that starts it.
        sync: wait for the disk at each commit; False is for tests, which have nothing to lose.

    Raises:
        OperationalError: it can't be started; the sentence says why and what to do.
    """
    return await asyncio.to_thread(_start, data_dir, progress, tcp_port, sync)


def _start(
    data_dir: Path, progress: Callable[[str], None], tcp_port: int | None, sync: bool
) -> EmbeddedServer:
    files = prepare_files(data_dir)
    binaries = reachable_binaries(find_binaries(), files.user)
    secrets = passwords(files)
    attachment = Attachment(files, specification(binaries, files, secrets, tcp_port=tcp_port, sync=sync))
    attachment.open(progress)
    urls = {
        role: f"postgresql://{role}:{secret}@/{DATABASE}?host={quote(str(files.run), safe='')}"
        for role, secret in secrets.items()
    }
    return EmbeddedServer(urls[APP_ROLE], urls[OWNER_ROLE], urls[ADMIN_ROLE], files.log, attachment)


def specification(
    binaries: Binaries, files: ServerFiles, secrets: dict[str, str], *, tcp_port: int | None, sync: bool
) -> dict[str, Any]:
    """Return all that a guardian needs to know, as JSON values."""
    postgres = str(binaries.postgres)
    settings = server_settings(files.run, tcp_port=tcp_port, sync=sync)
    return {
        "data": str(files.data),
        "run": str(files.run),
        "log": str(files.log),
        "record": str(files.record),
        "guardian_lock": str(files.guardian_lock),
        "server_lock": str(files.server_lock),
        "socket": str(files.guardian_socket),
        "by_descriptor": files.by_descriptor,
        "user": {"user": files.user.uid, "group": files.user.gid, "extra_groups": []} if files.user else {},
        "hba": "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n",
        "initdb": [
            str(binaries.initdb),
            f"--username={ADMIN_ROLE}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth=reject",
            "--no-instructions",
            "--no-sync",
        ],
        "single": [postgres, "--single", "-c", "exit_on_error=on", *_flags(_PRIVATE_LOG)],
        "bootstrap": [["template1", "create extension vector;\n"], ["postgres", _roles(secrets)]],
        "sync": [str(binaries.initdb), "--sync-only", *_SYNC_METHOD] if sync else [],
        "server": [postgres, *_flags(settings)],
    }


def server_settings(run: Path, *, tcp_port: int | None, sync: bool) -> dict[str, str]:
    """Return the server's settings, chosen for one machine that does other work as well."""
    chosen = {
        **_PRIVATE_LOG,
        "cluster_name": "steward",
        "listen_addresses": "127.0.0.1" if tcp_port else "",
        "port": str(tcp_port or 5432),
        "unix_socket_directories": str(run),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": f"{shared_buffers_mb()}MB",
        "dynamic_shared_memory_type": _dynamic_memory(),
        "max_wal_size": "1GB",
        "io_method": "sync",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # The passwords are 256 random bits: stretching them would only slow each connection.
        "scram_iterations": "1",
    }
    if LINUX:
        # One call for the file system: file by file, recovery begins with seconds of fsync.
        chosen["recovery_init_sync_method"] = "syncfs"
    if not sync:
        chosen |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return chosen


# Parameters, details of violated keys and failing statements can hold what a customer wrote, and
# so can the text of an error ("invalid input syntax ... : value"): the log takes none of them.
# In log_min_messages LOG ranks above ERROR (PostgreSQL manual, table 19.2).
_PRIVATE_LOG = {
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
}


_SYNC_METHOD = ["--sync-method=syncfs"] if LINUX else []


def shared_buffers_mb() -> int:
    """Return a sixteenth of the machine's memory, at least 64 and at most 512 MB."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        total = 2048 * MEBIBYTE
    return max(64, min(512, total // MEBIBYTE // 16))


def _dynamic_memory() -> str:
    """Containers often have a /dev/shm of 64 MB, too small for building an index in parallel."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").free >= 256 * MEBIBYTE else "mmap"  # noqa: S108 - asked for its size alone
    except OSError:
        return "posix"


def _flags(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _roles(secrets: dict[str, str]) -> str:
    """Return what makes roles and database; the single-user server takes one statement per line."""
    return "".join(
        f"{statement};\n"
        for statement in (
            f"alter role {ADMIN_ROLE} password '{secrets[ADMIN_ROLE]}'",
            f"create role {OWNER_ROLE} login password '{secrets[OWNER_ROLE]}'",
            f"create role {APP_ROLE} login password '{secrets[APP_ROLE]}'",
            f"create database {DATABASE} owner {OWNER_ROLE}",
            f"revoke all on database {DATABASE} from public",
            f"grant connect on database {DATABASE} to {APP_ROLE}",
        )
    )
