"""Heads that were trained before the wheel was built: plain arrays and what is known of them.

They lie in `heads/` as npz files without pickle; a release keeps a copy of those it was made with, so
that a later Steward's heads change nothing that is already served.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from steward.base.digests import sha256_hex
from steward.base.language.errors import UnreadableHead

_FACTS: Final = "facts"
_SUFFIX: Final = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A head's arrays by name, and its facts: form, thresholds, vocabulary, figures of its training."""

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]


class Heads(Mapping[str, bytes]):
    """The heads of one release by name; one that the release doesn't have is taken from the wheel."""

    def __init__(self, own: Mapping[str, bytes] | None = None) -> None:
        self._contents = {**shipped(), **(own or {})}

    def __getitem__(self, name: str) -> bytes:
        return self._contents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents)

    def __len__(self) -> int:
        return len(self._contents)


def shipped() -> dict[str, bytes]:
    """Return the wheel's heads by name, in order of name."""
    folder = files("steward.base.language") / "heads"
    found = sorted(item.name for item in folder.iterdir() if item.name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX): (folder / name).read_bytes() for name in found}


def digests_of(heads: Mapping[str, bytes]) -> dict[str, str]:
    """Return each head's SHA-256, as releases name it."""
    return {name: sha256_hex(heads[name]) for name in sorted(heads)}


def bundled(heads: Mapping[str, bytes]) -> bytes:
    """Return heads as one file; `unbundled` reads it."""
    written = io.BytesIO()
    contents = {name: np.frombuffer(heads[name], np.uint8) for name in sorted(heads)}
    np.savez(written, allow_pickle=False, **contents)
    return written.getvalue()


def unbundled(content: bytes) -> dict[str, bytes]:
    """Read what `bundled` wrote.

    Raises:
        UnreadableHead: the bytes are something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name].tobytes() for name in stored.files}
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise UnreadableHead(reason="the bytes of the trained heads are of another form") from error


def pack(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> bytes:
    """Serialise a head; equal heads give equal bytes.

    Raises:
        ValueError: an array is called `facts`, or holds objects.
    """
    if _FACTS in arrays:
        raise ValueError(f"an array can't be called '{_FACTS}'")
    told = json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
    written = io.BytesIO()
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    contents = {_FACTS: np.frombuffer(told, np.uint8), **ordered}
    np.savez_compressed(written, allow_pickle=False, **contents)
    return written.getvalue()


def unpack(name: str, content: bytes) -> Packed:
    """Read what `pack` wrote.

    Raises:
        UnreadableHead: the bytes of the head `name` are something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            facts = json.loads(stored[_FACTS].tobytes())
            arrays = {key: stored[key] for key in stored.files if key != _FACTS}
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError) as error:
        raise UnreadableHead(reason=f"the bytes of '{name}' are of another form") from error
    return Packed(arrays, facts)
