"""Where this installation's master keys come from, and every column that they wrap."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog

from steward.app.settings import PREFIX, Settings
from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.errors import Misconfigured, StewardError
from steward.govern.privacy.key_keeping import KeyKeeping, source_of
from steward.govern.privacy.key_service import KeyService
from steward.govern.privacy.rotation import Rotation, WrappedColumn
from steward.supply.connectors.secrets import InstalledSecrets

_log = structlog.get_logger(__name__)


def _signing_key(key: str) -> bytes:
    return f"signing_key:{key}".encode()


def _second_factor(key: UUID) -> bytes:
    return f"second_factor:{key}".encode()


def _id_token(_: UUID) -> bytes:
    return b"console_session:id_token"


WRAPPED: Final = (
    WrappedColumn("signing_key", "id", "sealed", _signing_key),
    WrappedColumn("account", "id", "second_factor", _second_factor),
    WrappedColumn("console_session", "id", "id_token", _id_token),
)
"""What packages besides `privacy` have wrapped by the master key."""


class NoServiceToken(Misconfigured):
    """A key service is configured, its token isn't there."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{PREFIX}KEY_SERVICE_URL is set, but the secret {name} isn't installed; "
            f"run `steward secret set {name}` or put it into the environment."
        )


def key_service_of(settings: Settings) -> KeyService | None:
    """Return the key service that the settings name, if they name one.

    Raises:
        NoServiceToken: its token is missing.
    """
    if settings.key_service_url is None:
        return None
    from steward.govern.privacy.transit import Transit, TransitKeys

    secrets = InstalledSecrets(os.environ, settings.data_dir / "secrets")
    token = secrets.find(settings.key_service_secret)
    if token is None:
        raise NoServiceToken(settings.key_service_secret)
    return TransitKeys(
        Transit(
            url=settings.key_service_url,
            key=settings.key_service_key,
            token=token,
            mount=settings.key_service_mount,
            namespace=settings.key_service_namespace,
        )
    )


def keeping_of(
    settings: Settings, database: Database, clock: Clock, *, service: KeyService | None
) -> KeyKeeping:
    """Return what keeps this process's master key in step with its source."""
    return KeyKeeping(database, source_of(settings.data_dir, service=service, clock=clock))


def rotation_of(database: Database, keeping: KeyKeeping, clock: Clock) -> Rotation:
    """Return what rotates everything that the master key wraps."""
    return Rotation(database, keeping, clock=clock, columns=WRAPPED)


def renewing(keeping: KeyKeeping) -> Callable[[str], Awaitable[None]]:
    """Return what to call when another process says that the keys have changed."""

    async def renew(_: str) -> None:
        try:
            await keeping.renew()
        except StewardError as error:
            # The next value that is wrapped by an unknown key asks again.
            _log.warning("master_key.not_renewed", error=str(error))

    return renew
