"""Writes and reads embedded examples as an npz of plain arrays, without pickle."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np

from steward.supply.releases.contracts import ExampleVectors


def to_bytes(examples: ExampleVectors) -> bytes:
    """Serialise; equal examples give equal bytes."""
    labels = json.dumps(examples.labels, ensure_ascii=False).encode()
    written = io.BytesIO()
    np.savez(
        written,
        allow_pickle=False,
        labels=np.frombuffer(labels, np.uint8),
        vectors=np.ascontiguousarray(examples.vectors, dtype="<f4"),
    )
    return written.getvalue()


def from_bytes(content: bytes) -> ExampleVectors:
    """Read what `to_bytes` wrote.

    Raises:
        ValueError: the bytes are something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            labels = tuple(str(label) for label in json.loads(arrays["labels"].tobytes()))
            vectors = np.ascontiguousarray(arrays["vectors"], dtype=np.float32)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError) as error:
        raise ValueError("these bytes hold no example vectors") from error
    if vectors.ndim != 2 or len(labels) != len(vectors):
        raise ValueError("labels and vectors of the examples don't match")
    return ExampleVectors(labels, vectors)
