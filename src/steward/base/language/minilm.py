"""all-MiniLM-L6-v2 on ONNX Runtime, without torch: texts in, unit vectors of 384 numbers out.

The graph is built once from the published weights and kept in a cache directory, under a name made
of the weights' digest, the builder's version and the numeric form; a start reads it in a third of a
second. Vectors are derived data: processors differ in the last bits, so what is made from vectors
carries a digest of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from steward.base.digests import canonical_json, sha256_hex
from steward.base.language.contracts import Vectors
from steward.base.language.numeric_form import BUILDER_VERSION, DIMENSIONS, NumericForm
from steward.base.language.tokenizer import MAX_TOKENS, WordPieces
from steward.base.language.weights import (
    MODEL_NAME,
    PUBLISHED_SHA256,
    WeightFiles,
    check_weights,
    write_atomically,
)

# One run holds at most this many tokens, padding included: larger batches fall out of the
# processor's cache and gain nothing.
TOKENS_PER_RUN = 1024


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts of similar length: their places in the request, ids and mask of shape (texts, tokens)."""

    places: list[int]
    ids: np.ndarray[tuple[int, int], np.dtype[np.int32]]
    mask: np.ndarray[tuple[int, int], np.dtype[np.int32]]


class MiniLm:
    """The loaded model; safe to call from several threads."""

    name = MODEL_NAME
    dimensions = DIMENSIONS

    def __init__(
        self, session: onnxruntime.InferenceSession, tokenizer: WordPieces, form: NumericForm
    ) -> None:
        """Wrap a loaded graph; use `open_minilm`."""
        self._session = session
        self._tokenizer = tokenizer
        self.form = form
        self.digest = minilm_digest(form)

    def is_word(self, word: str) -> bool:
        """Tell whether a lower-case word stands whole in the vocabulary."""
        return self._tokenizer.is_word(word)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), 384).

        Texts are sorted by length and padded within a batch. A text's vector doesn't depend on the
        others beyond 1e-6.
        """
        found = np.empty((len(texts), DIMENSIONS), np.float32)
        if not texts:
            return found
        for batch in _batches(self._tokenizer.ids(texts)):
            (vectors,) = self._session.run(["vectors"], {"ids": batch.ids, "mask": batch.mask})
            found[batch.places] = vectors
        return found


def minilm_digest(form: NumericForm) -> str:
    """Return the identity of MiniLM's vectors in a numeric form, without loading anything."""
    identity = {
        "model": MODEL_NAME,
        "weights": PUBLISHED_SHA256,
        "builder": BUILDER_VERSION,
        "form": form.value,
        "max_tokens": MAX_TOKENS,
    }
    return sha256_hex(canonical_json(identity))


def open_minilm(
    files: WeightFiles, cache_dir: Path, *, form: NumericForm = NumericForm.INT8, threads: int = 1
) -> MiniLm:
    """Load the model, building its graph if the cache has none.

    Args:
        files: where the weights are, from `find_weights`.
        cache_dir: where the built graph is kept; created if missing.
        form: int8 (the default of Steward) or fp32 as published.
        threads: processor threads of one run.

    Raises:
        WeightsAltered: the weights aren't the published ones.
        TokenizerAltered: the tokenizer isn't the published one.
    """
    check_weights(files, cache_dir)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning pool would take the processor from the database and the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(_cached_graph(files, cache_dir, form)), options, providers=["CPUExecutionProvider"]
    )
    return MiniLm(session, WordPieces(files.tokenizer), form)


def _cached_graph(files: WeightFiles, cache_dir: Path, form: NumericForm) -> Path:
    """Return the graph's file; one that is missing or damaged is built again."""
    path = cache_dir / f"minilm-{minilm_digest(form)[:16]}.onnx"
    digest_path = path.with_suffix(".sha256")
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if digest_path.read_text() == found:
            return path
    except OSError:
        pass
    from safetensors.numpy import load_file

    from steward.base.language.graph import build_graph

    graph = build_graph(load_file(files.weights), form)
    write_atomically(path, graph)
    write_atomically(digest_path, hashlib.sha256(graph).hexdigest().encode())
    return path


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[_Batch]:
    """Group texts by length, each group within `TOKENS_PER_RUN`."""
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    group: list[int] = []
    for place in order:
        if group and (len(group) + 1) * len(ids[place]) > TOKENS_PER_RUN:
            yield _padded(group, ids)
            group = []
        group.append(place)
    yield _padded(group, ids)


def _padded(places: list[int], ids: Sequence[Sequence[int]]) -> _Batch:
    width = max(len(ids[place]) for place in places)
    padded = np.zeros((len(places), width), np.int32)
    mask = np.zeros((len(places), width), np.int32)
    for row, place in enumerate(places):
        padded[row, : len(ids[place])] = ids[place]
        mask[row, : len(ids[place])] = 1
    return _Batch(places=places, ids=padded, mask=mask)
