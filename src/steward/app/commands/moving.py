"""`steward release export|import|key|trust`: releases between installations."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import OPERATOR, print_json, say
from steward.app.commands.release import with_foundation
from steward.app.foundation import Foundation
from steward.base.errors import InvalidInput
from steward.supply.releases.contracts import short_id
from steward.supply.releases.exchange import Exchange
from steward.supply.releases.parcel import MOST_BYTES
from steward.supply.releases.signing import key_id_of, key_text


class CannotRead(InvalidInput):
    """A file can't be read."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} can't be read: {why}; give the file that `steward release export` wrote")


class CannotWrite(InvalidInput):
    """A file can't be written."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} can't be written: {why}; choose another place")


class Incomplete(InvalidInput):
    """A name without its key."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"give the public key as well: `steward release trust {name} PUBLICKEY`, as "
            "`steward release key` prints it on the other installation"
        )


def run_export(reference: str, file: Path, *, as_json: bool, data_dir: Path | None) -> int:
    """Write a release into a file."""

    async def work(foundation: Foundation) -> int:
        exported = await _exchange(foundation).export(reference, actor=OPERATOR)
        await asyncio.to_thread(_write, file, exported.content)
        release = exported.release
        if as_json:
            print_json(
                {"id": release.id, "file": str(file), "bytes": len(exported.content), "key": exported.key_id}
            )
        else:
            size = f"{len(exported.content) / (1 << 20):.1f} MiB"
            print(f"{release.assistant} release {release.number} ({short_id(release.id)}): {file}, {size}")
            print(f"signed with the key {exported.key_id}; `steward release key` prints it for others")
        return 0

    return with_foundation(data_dir, work)


def run_import(file: Path, *, as_json: bool, data_dir: Path | None) -> int:
    """Take a release from a file."""
    content = _read(file)

    async def work(foundation: Foundation) -> int:
        imported = await _exchange(foundation).take_in(content, file=file.name, actor=OPERATOR, progress=say)
        release = imported.release
        if as_json:
            print_json(
                {
                    "id": release.id,
                    "assistant": release.assistant,
                    "number": release.number,
                    "signed_by": imported.signed_by,
                    "new": imported.new,
                }
            )
        else:
            state = "imported" if imported.new else "was here already"
            print(
                f"{release.assistant} release {release.number} ({short_id(release.id)}) {state}, "
                f"signed by {imported.signed_by}"
            )
        return 0

    return with_foundation(data_dir, work)


def run_key(*, as_json: bool, data_dir: Path | None) -> int:
    """Print the installation's public key."""

    async def work(foundation: Foundation) -> int:
        public = await foundation.signing.public_key()
        if as_json:
            print_json({"key": key_id_of(public), "public_key": key_text(public)})
        else:
            print(key_text(public))
        return 0

    return with_foundation(data_dir, work)


def run_trust(
    name: str | None, public_key: str | None, *, remove: bool, as_json: bool, data_dir: Path | None
) -> int:
    """Trust a key, trust one no longer, or list those that are trusted."""

    async def work(foundation: Foundation) -> int:
        signing = foundation.signing
        if name is not None and remove:
            await signing.distrust(name, actor=OPERATOR)
        elif name is not None and public_key is not None:
            await signing.trust(name, public_key, actor=OPERATOR)
        elif name is not None:
            raise Incomplete(name)
        trusted = await signing.trusted()
        if as_json:
            print_json([{**asdict(item), "public_key": key_text(item.public_key)} for item in trusted])
        for item in () if as_json else trusted:
            print(
                f"{item.name:<20} {item.key_id}  {item.added_at:%Y-%m-%d %H:%M}  {key_text(item.public_key)}"
            )
        if not trusted and not as_json:
            print("no key of another installation is trusted")
        return 0

    return with_foundation(data_dir, work)


def _exchange(foundation: Foundation) -> Exchange:
    return Exchange(
        foundation.store.database,
        releases=foundation.releases,
        signing=foundation.signing,
        clock=foundation.clock,
        ledger=foundation.ledger,
    )


def _read(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise CannotRead(file, f"it is larger than {MOST_BYTES >> 20} MiB")
        return file.read_bytes()
    except OSError as error:
        raise CannotRead(file, error.strerror or "unknown reason") from error


def _write(file: Path, content: bytes) -> None:
    """Write whole or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as written:
                written.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(file, error.strerror or "unknown reason") from error
