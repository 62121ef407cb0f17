"""Packs a folder's files into one zip whose bytes depend on the files alone, and unpacks it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold: files of a release have no time."""
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3
_LEVEL: Final = 6


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files, sorted by path."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.external_attr = _PLAIN_FILE
            entry.create_system = _UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path], compresslevel=_LEVEL)
    return packed.getvalue()


def unpack(bundle: bytes) -> dict[str, bytes]:
    """Return the files of a zip made by `pack`.

    Raises:
        zipfile.BadZipFile: the bytes aren't such a zip.
    """
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}
