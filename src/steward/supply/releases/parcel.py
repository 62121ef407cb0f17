"""A release as one file: a zip whose bytes depend on the release and the signing key alone.

Every entry is stored as it is, without compression, so nothing can swell on reading and no version of a
compressor changes a byte. What is read is written again and has to give the same bytes: that refuses
whatever a zip can carry beside its files.
"""

from __future__ import annotations

import io
import json
import struct
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from steward.base.digests import canonical_json, sha256_hex
from steward.supply.assistant.collecting import MOST_FILE_BYTES, MOST_FILES, MOST_FOLDER_BYTES
from steward.supply.releases.deriving import ARTEFACTS
from steward.supply.releases.errors import BadParcel
from steward.supply.releases.identity import id_of, makers_of, manifest_of
from steward.supply.releases.signing import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    Signature,
    is_signed,
    release_message,
)

FORMAT: Final = 1
"""Form of the file itself."""
MOST_BYTES: Final = MOST_FOLDER_BYTES + 256 * 1024 * 1024
"""A whole folder at its bound, and what is derived from it."""
STATEMENT: Final = "release.json"
SIGNATURE: Final = "signature.json"
_FILES: Final = "files/"
_ARTEFACTS: Final = "artefacts/"
_MOST_STATEMENT: Final = 32 * 1024 * 1024
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3
_PARCEL: Final = b"steward parcel\x00"
_UNREADABLE = (
    zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, EOFError, OSError, RuntimeError,
    KeyError, IndexError, OverflowError,
)  # fmt: skip
"""What the zip reader raises over bytes that nobody wrote on purpose."""

_Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]+$", max_length=256)]
_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Signed(_Strict):
    public_key: _Hex
    signature: _Hex

    def parsed(self) -> Signature:
        key, signature = bytes.fromhex(self.public_key), bytes.fromhex(self.signature)
        if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            raise ValueError("a signature has another length")
        return Signature(key, signature)


class _Statement(_Strict):
    format: Literal[1]
    id: _Digest
    manifest: dict[str, Any]
    snapshot: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    artefacts: dict[str, _Digest]
    signatures: Annotated[list[_Signed], Field(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A whole release on its way: `files` by path, `artefacts` by name, and who signed the release."""

    id: str
    manifest: Mapping[str, Any]
    snapshot: str
    files: Mapping[str, bytes]
    artefacts: Mapping[str, bytes]
    signatures: tuple[Signature, ...]

    @property
    def assistant(self) -> str:
        """The assistant's name."""
        return str(self.manifest["assistant"])


def statement_of(parcel: Parcel) -> bytes:
    """Return what the exporter signs: canonical JSON that fixes every byte of the release."""
    return canonical_json(
        {
            "format": FORMAT,
            "id": parcel.id,
            "manifest": dict(parcel.manifest),
            "snapshot": parcel.snapshot,
            "artefacts": {name: sha256_hex(content) for name, content in parcel.artefacts.items()},
            "signatures": [
                _as_json(item) for item in sorted(parcel.signatures, key=lambda item: item.key_id)
            ],
        }
    )


def parcel_message(statement: bytes) -> bytes:
    """Return what an exporter's signature signs."""
    return _PARCEL + statement


def write_parcel(parcel: Parcel, signature: Signature) -> bytes:
    """Return the file; equal releases and keys give equal bytes on any machine."""
    entries = {
        STATEMENT: statement_of(parcel),
        SIGNATURE: canonical_json(_as_json(signature)),
        **{f"{_ARTEFACTS}{name}": content for name, content in parcel.artefacts.items()},
        **{f"{_FILES}{path}": content for path, content in parcel.files.items()},
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.external_attr = _PLAIN_FILE
            entry.create_system = _UNIX
            archive.writestr(entry, entries[name])
    return written.getvalue()


def read_parcel(content: bytes, file: str) -> tuple[Parcel, Signature]:
    """Return what is in a file, checked against its own digests and signatures, and who signed it.

    Whether that key is trusted is for the caller to say.

    Args:
        content: the whole file.
        file: how messages name it.

    Raises:
        BadParcel: anything isn't as `write_parcel` writes it.
    """
    entries = _entries(content, file)
    statement, signature = _statement(entries, file)
    if not is_signed(signature, parcel_message(entries[STATEMENT])):
        raise BadParcel(file, "has a signature that isn't of its contents")
    parcel = Parcel(
        id=statement.id,
        manifest=statement.manifest,
        snapshot=statement.snapshot,
        files=_below(entries, _FILES),
        artefacts=_below(entries, _ARTEFACTS),
        signatures=tuple(_parsed(item, file) for item in statement.signatures),
    )
    _check(parcel, statement, file)
    if write_parcel(parcel, signature) != content:
        raise BadParcel(file, "holds more than a release, or holds it in another form")
    return parcel, signature


def _entries(content: bytes, file: str) -> dict[str, bytes]:
    """Return the zip's entries; none is larger than the file itself."""
    if len(content) > MOST_BYTES:
        raise BadParcel(file, f"is larger than {MOST_BYTES >> 20} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_FILES + len(ARTEFACTS) + 2:
                raise BadParcel(file, f"holds more than {MOST_FILES:,} files")
            names = [entry.filename for entry in listed]
            if len(set(names)) != len(names):
                raise BadParcel(file, "holds a file twice")
            for entry in listed:
                _refuse(entry, len(content), file)
            return {entry.filename: archive.read(entry) for entry in listed}
    except _UNREADABLE as error:
        raise BadParcel(file, "isn't a whole release file") from error


def _refuse(entry: zipfile.ZipInfo, most: int, file: str) -> None:
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise BadParcel(file, "holds a compressed file, which a release never does")
    if entry.file_size > min(most, MOST_FILE_BYTES if name.startswith(_FILES) else MOST_BYTES):
        raise BadParcel(file, "holds a file that is larger than it may be")
    if name in (STATEMENT, SIGNATURE):
        return
    above, _, below = name.partition("/")
    if above == "artefacts" and below in ARTEFACTS:
        return
    if above != "files" or not is_safe_path(below):
        raise BadParcel(file, "holds a file whose path no release has")


def is_safe_path(path: str) -> bool:
    """Tell whether a path stays below its folder and reads the same on every system."""
    return (
        0 < len(path) <= 240
        and unicodedata.is_normalized("NFC", path)
        and "\\" not in path
        and ":" not in path.split("/")[0]
        and all(part not in ("", ".", "..") for part in path.split("/"))
        and all(ord(letter) >= 32 and not "\ud800" <= letter <= "\udfff" for letter in path)
    )


def _statement(entries: Mapping[str, bytes], file: str) -> tuple[_Statement, Signature]:
    if STATEMENT not in entries or SIGNATURE not in entries:
        raise BadParcel(file, "isn't a release file")
    if len(entries[STATEMENT]) > _MOST_STATEMENT:
        raise BadParcel(file, "describes itself at too great length")
    try:
        given = json.loads(entries[STATEMENT])
        version = given.get("format") if isinstance(given, dict) else None
        if version != FORMAT or isinstance(version, bool):
            raise BadParcel(file, f"is of another form than {FORMAT}, which is what this version reads")
        statement = _Statement.model_validate(given)
        return statement, _Signed.model_validate_json(entries[SIGNATURE]).parsed()
    except (ValidationError, ValueError, RecursionError) as error:
        raise BadParcel(file, "doesn't describe a release") from error


def _check(parcel: Parcel, statement: _Statement, file: str) -> None:
    """Hold the contents against every digest that the statement names."""
    if set(parcel.artefacts) != set(ARTEFACTS) or set(statement.artefacts) != set(ARTEFACTS):
        raise BadParcel(file, "lacks a part that is derived from the folder, or holds one too many")
    for name, digest in statement.artefacts.items():
        if sha256_hex(parcel.artefacts[name]) != digest:
            raise BadParcel(file, f"holds another '{name}' than it was signed with")
    try:
        manifest = manifest_of(parcel.assistant, parcel.files, makers_of(parcel.manifest))
        same = canonical_json(manifest) == canonical_json(dict(parcel.manifest))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadParcel(file, "doesn't describe a release") from error
    if not same or id_of(manifest) != parcel.id:
        raise BadParcel(file, "holds other files than its release's id says")
    if not all(is_signed(item, release_message(parcel.id)) for item in parcel.signatures):
        raise BadParcel(file, "holds a signature that isn't of its release")


def _parsed(signed: _Signed, file: str) -> Signature:
    try:
        return signed.parsed()
    except ValueError as error:
        raise BadParcel(file, "holds a signature of another length") from error


def _below(entries: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    return {
        name.removeprefix(folder): content for name, content in entries.items() if name.startswith(folder)
    }


def _as_json(signature: Signature) -> dict[str, str]:
    return {"public_key": signature.public_key.hex(), "signature": signature.signature.hex()}
