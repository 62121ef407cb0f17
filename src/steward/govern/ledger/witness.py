"""Signed heads kept outside the database: in a file that only grows, or with another service.

Whoever may change the database can cut off the chain's end together with its signed heads. Against a head
that lies elsewhere, that shows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from steward.base.errors import InvalidInput, Unavailable
from steward.govern.ledger.contracts import Checkpoint, Signature

TIMEOUT_S: Final = 5.0


class Witness(Protocol):
    """Keeps signed heads."""

    async def take(self, checkpoint: Checkpoint) -> None:
        """Keep one; may raise OSError or a `StewardError`, after which the next is given all the same."""
        ...


class FileWitness:
    """A file to which a line is added for each signed head; best on a disk that can only be appended to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def take(self, checkpoint: Checkpoint) -> None:
        """Add a line, and don't return before it's on the disk."""
        line = json.dumps(checkpoint_json(checkpoint), sort_keys=True) + "\n"
        await asyncio.to_thread(_append, self._path, line.encode())


class UrlWitness:
    """An address that each signed head is posted to, as JSON."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def take(self, checkpoint: Checkpoint) -> None:
        """Post it.

        Raises:
            Unavailable: the address doesn't answer, or not with 2xx.
        """
        import httpx2 as httpx

        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                answer = await client.post(self._url, json=checkpoint_json(checkpoint))
        except httpx.HTTPError as error:
            raise Unavailable(f"The ledger's witness doesn't answer ({type(error).__name__}).") from error
        if not answer.is_success:
            raise Unavailable(f"The ledger's witness answered {answer.status_code}.")


def witness_of(setting: str | None) -> Witness | None:
    """Return the witness that a setting names: an http(s) address, or the path of a file."""
    if not setting:
        return None
    if setting.startswith(("http://", "https://")):
        return UrlWitness(setting)
    return FileWitness(Path(setting).expanduser())


def heads_in(path: Path) -> Iterator[Checkpoint]:
    """Read the signed heads that a file holds.

    Raises:
        InvalidInput: the file can't be read, or a line isn't a signed head.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can't be read as a ledger's witness: {error}.") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield checkpoint_from(json.loads(line))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise InvalidInput(f"{path}, line {number}, isn't a signed head of a ledger.") from error


def checkpoint_json(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a signed head as JSON has it: digests in hexadecimal, key and signature in base64."""
    return {
        "first": checkpoint.first,
        "position": checkpoint.position,
        "at": checkpoint.at.isoformat(),
        "head": checkpoint.head.hex(),
        "root": checkpoint.root.hex(),
        "public_key": base64.b64encode(checkpoint.signature.public_key).decode(),
        "signature": base64.b64encode(checkpoint.signature.signature).decode(),
    }


def checkpoint_from(kept: dict[str, Any]) -> Checkpoint:
    """Read what `checkpoint_json` wrote; raises ValueError, KeyError or TypeError where it isn't that."""
    return Checkpoint(
        first=int(kept["first"]),
        position=int(kept["position"]),
        at=datetime.fromisoformat(kept["at"]),
        head=bytes.fromhex(kept["head"]),
        root=bytes.fromhex(kept["root"]),
        signature=Signature(
            base64.b64decode(kept["public_key"], validate=True),
            base64.b64decode(kept["signature"], validate=True),
        ),
    )


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
