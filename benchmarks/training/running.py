"""What training a head on whole texts shares: arguments, rows, the encoder, and where the head goes."""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steward.base.language.local_embedder import LocalEmbedder

TRAINED_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the data lies, where the head goes, and the encoder."""

    data: Path
    out: Path
    embedder: LocalEmbedder


def asked_for(head: str, description: str | None, arguments: Sequence[str] | None) -> Asked:
    """Read a training script's arguments and open the encoder."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=shipped_path(head))
    parser.add_argument("--cache", type=Path, help="where the encoder's graph is kept")
    parser.add_argument("--weights", type=Path, help="where the encoder's weights are")
    asked = parser.parse_args(arguments)
    return Asked(asked.data, asked.out, open_embedder(asked.cache, asked.weights))


def open_embedder(cache: Path | None, weights: Path | None) -> LocalEmbedder:
    """Open the encoder, in a folder of its own where none is named."""
    return LocalEmbedder.open(cache or Path(tempfile.mkdtemp(prefix="encoder-")), weights=weights)


def trained(key: str) -> bool:
    """Tell whether what has this key may be trained on; the rest is reported on."""
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4]) / 2**32 < TRAINED_SHARE


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records of a compressed file of JSON lines."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def shipped_path(name: str) -> Path:
    """Return where a head lies in the source tree."""
    root = Path(__file__).resolve().parents[2]
    return root / "src" / "steward" / "base" / "language" / "heads" / f"{name}.npz"
