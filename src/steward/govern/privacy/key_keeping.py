"""Where master keys come from, and one ring of them for a process.

Three sources: the environment, a file, an external key service. `KeyKeeping.open` reads the source, makes
the key of the digests outlive it, and gives the `MasterKey` that everything else holds; `renew` follows a
rotation that another process made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.privacy import key_queries as queries
from steward.govern.privacy.errors import KeyGiven, KeyServiceRefused
from steward.govern.privacy.key_service import KeyService
from steward.govern.privacy.master_key import (
    FILE_NAME,
    OLD_VARIABLE,
    VARIABLE,
    MasterKey,
    decoded,
    digest_key_of,
    fresh_secret,
    id_of,
    read_file,
    write_file,
)

CHANNEL: Final = "steward_keys"
"""Where a change of keys is told to other processes."""
LOCK: Final = 0x7374_775F_6B65_7973


class KeySource(Protocol):
    """Where the secrets of master keys are kept."""

    @property
    def name(self) -> str:
        """What the ledger and people call it."""
        ...

    async def secrets(self, session: WriteSession) -> list[bytes]:
        """Return the secrets, the one in use first; the first one is made where there is none.

        Raises:
            BadMasterKey: one can't be read.
            KeyServiceUnavailable: the key service doesn't answer.
            KeyServiceRefused: it says no.
        """
        ...

    async def add(self, session: WriteSession) -> str:
        """Put a new secret into use and return its id; the others stay to be read.

        Raises:
            KeyGiven: Steward can't change the source.
        """
        ...

    async def drop(self, session: WriteSession, key_id: str) -> None:
        """Forget an older secret; raises as `add` does."""
        ...


class GivenKeys:
    """Secrets of the environment. People change them, and restart."""

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def secrets(self, session: WriteSession) -> list[bytes]:
        """Read both variables."""
        older = self._environ.get(OLD_VARIABLE, "").split()
        return [
            decoded(self._environ[VARIABLE], VARIABLE),
            *(decoded(text, OLD_VARIABLE) for text in older),
        ]

    async def add(self, session: WriteSession) -> str:
        """Refuse."""
        raise KeyGiven

    async def drop(self, session: WriteSession, key_id: str) -> None:
        """Refuse."""
        raise KeyGiven


class FileKeys:
    """Secrets of `master.key` in the data directory, one on a line."""

    name = "file"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / FILE_NAME

    async def secrets(self, session: WriteSession) -> list[bytes]:
        """Read the file, made where there is none."""
        MasterKey.load(self._data_dir, {})
        return read_file(self._path)

    async def add(self, session: WriteSession) -> str:
        """Write a new first line."""
        made = fresh_secret()
        write_file(self._path, [made, *read_file(self._path)])
        return id_of(made)

    async def drop(self, session: WriteSession, key_id: str) -> None:
        """Take a line out."""
        write_file(self._path, [secret for secret in read_file(self._path) if id_of(secret) != key_id])


class ServiceKeys:
    """Secrets that lie in the database as a key service sealed them; local ones are read until retired."""

    def __init__(
        self, service: KeyService, clock: Clock, *, data_dir: Path, environ: Mapping[str, str]
    ) -> None:
        """Take the service, and where an earlier key of this installation may lie."""
        self._service = service
        self._clock = clock
        self._path = data_dir / FILE_NAME
        self._environ = environ

    @property
    def name(self) -> str:
        """The service and its key."""
        return self._service.name

    async def secrets(self, session: WriteSession) -> list[bytes]:
        """Let the service open what the database holds; the first secret is made where there is none."""
        rows = await session.all(queries.SEALED_KEYS)
        if not rows:
            await self.add(session)
            rows = await session.all(queries.SEALED_KEYS)
        opened = await self._service.open([row[1] for row in rows])
        for row, secret in zip(rows, opened, strict=True):
            if id_of(secret) != row[0]:
                raise KeyServiceRefused(self.name, f"what it opened isn't the master key {row[0]}")
        return [*opened, *self._local()]

    async def add(self, session: WriteSession) -> str:
        """Have a new secret sealed."""
        made = fresh_secret()
        (sealed,) = await self._service.seal([made])
        row = {"id": id_of(made), "service": self.name, "sealed": sealed, "now": self._clock.now()}
        await session.execute(queries.ADD_SEALED_KEY, row)
        return id_of(made)

    async def drop(self, session: WriteSession, key_id: str) -> None:
        """Delete a sealed secret, or the file where an earlier key lies."""
        if not await session.execute(queries.DROP_SEALED_KEY, [key_id]) and self._path.exists():
            left = [secret for secret in read_file(self._path) if id_of(secret) != key_id]
            if left:
                write_file(self._path, left)
            else:
                self._path.unlink()

    async def rotate_service(self, session: WriteSession) -> int:
        """Make a new version of the service's key, seal every secret by it, and return its number."""
        version = await self._service.rotate()
        rows = await session.all(queries.SEALED_KEYS)
        for row, sealed in zip(rows, await self._service.reseal([row[1] for row in rows]), strict=True):
            await session.execute(queries.RESEAL_KEY, {"id": row[0], "sealed": sealed})
        return version

    def _local(self) -> list[bytes]:
        given = [
            decoded(text, name)
            for name in (VARIABLE, OLD_VARIABLE)
            for text in self._environ.get(name, "").split()
        ]
        return [*given, *(read_file(self._path) if self._path.exists() else [])]


def source_of(
    data_dir: Path, environ: Mapping[str, str] | None = None, *, service: KeyService | None, clock: Clock
) -> KeySource:
    """Return the installation's source: the key service if there is one, else environment or file."""
    environ = os.environ if environ is None else environ
    if service is not None:
        return ServiceKeys(service, clock, data_dir=data_dir, environ=environ)
    return GivenKeys(environ) if environ.get(VARIABLE) else FileKeys(data_dir)


class KeyKeeping:
    """Keeps one `MasterKey` of a process in step with its source."""

    def __init__(self, database: Database, source: KeySource) -> None:
        self._database = database
        self._source = source
        self._master_key: MasterKey | None = None

    @property
    def source(self) -> KeySource:
        """Where the secrets come from."""
        return self._source

    async def open(self) -> MasterKey:
        """Return the process's master key; the same object every time.

        Raises:
            WrongMasterKey: the key of the digests was wrapped by a master key that isn't there.
            BadMasterKey: a secret can't be read.
            KeyServiceUnavailable: the key service doesn't answer.
            KeyServiceRefused: it says no.
        """
        async with self._database.write() as session:
            await session.one(queries.LOCK_KEYS, [LOCK])
            secrets = await self._source.secrets(session)
            read = MasterKey(secrets[0], older=secrets[1:])
            read.use_lookup_key(await self._lookup_key(session, read, secrets))
        if self._master_key is None:
            self._master_key = read
        else:
            self._master_key.follow(read)
        return self._master_key

    async def renew(self) -> None:
        """Read the source again: another process has changed the keys. Raises as `open` does."""
        await self.open()

    async def _lookup_key(self, session: WriteSession, read: MasterKey, secrets: list[bytes]) -> bytes:
        """Return the wrapped key of the digests; at first that of the key that wrapped the customers'."""
        row = await session.one(queries.LOOKUP_KEY)
        if row is not None:
            return bytes(row[0])
        first = await session.one(queries.FIRST_CUSTOMER_KEY)
        origin = next((secret for secret in secrets if first and id_of(secret) == first[0]), secrets[0])
        wrapped = read.wrap_lookup(digest_key_of(origin))
        await session.execute(queries.ADD_LOOKUP_KEY, [wrapped])
        return wrapped
