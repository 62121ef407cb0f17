"""`steward secret set`: a key goes into a file that only this user reads."""

from __future__ import annotations

import os
import re
import sys
from getpass import getpass
from pathlib import Path

from steward.app.commands.console import prepared
from steward.base.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class BadSecret(InvalidInput):
    """The name or the value can't be stored."""


def run_set(name: str, *, data_dir: Path | None) -> int:
    """Read a secret from standard input and store it; a running `up` takes it at once."""
    settings = prepared(data_dir)
    if not _NAME.fullmatch(name):
        raise BadSecret(
            f"'{name}' can't name a secret; use letters, digits and underscores, as OPENAI_API_KEY."
        )
    value = (getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not value:
        raise BadSecret("Nothing was given on standard input, so nothing was stored.")
    directory = settings.data_dir / "secrets"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = directory / f".{name}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
    fresh.replace(directory / name)
    print(f"{name} is stored in {directory}; a running Steward takes it within a second or two")
    return 0
