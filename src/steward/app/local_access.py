"""Keys and a login for a laptop: made once, kept in the data directory, printed at each start."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from steward.app.foundation import Foundation
from steward.base.errors import NotAuthenticated
from steward.govern.access.errors import LoginTaken
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import SCOPES, Role

LOGIN = "admin"
FILE_NAME = "local-access.json"


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """What a person on this machine signs in and calls with."""

    login: str
    password: str
    key: str
    public_key: str


async def ensure_local_access(foundation: Foundation) -> LocalAccess:
    """Return the local login and keys; what is missing or no longer valid is made anew."""
    path = foundation.settings.data_dir / FILE_NAME
    access = _read(path)
    if access is not None and await _still_valid(foundation, access):
        return access
    password = access.password if access else secrets.token_urlsafe(12)
    try:
        await foundation.accounts.create(
            login=LOGIN, name="Admin", role=Role.ADMIN, password=password, actor="system"
        )
    except LoginTaken:
        password = access.password if access else "(set by you)"
    key = await foundation.keys.issue(name="local", kind=KeyKind.SECRET, actor="system", scopes=SCOPES)
    public = await foundation.keys.issue(name="widget", kind=KeyKind.PUBLIC, actor="system")
    made = LocalAccess(LOGIN, password, key.token, public.token)
    _write(path, made)
    return made


def local_key(data_dir: Path) -> str | None:
    """Return the key of the `steward up` whose data lies there, or None."""
    access = _read(data_dir / FILE_NAME)
    return None if access is None else access.key


async def _still_valid(foundation: Foundation, access: LocalAccess) -> bool:
    """Tell whether both keys work, and the secret one may do all that it may be given."""
    try:
        key = await foundation.keys.find(access.key)
        await foundation.keys.find(access.public_key)
    except NotAuthenticated:
        return False
    return key.scopes >= SCOPES


def _read(path: Path) -> LocalAccess | None:
    try:
        return LocalAccess(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, access: LocalAccess) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(access), file, indent=2)
