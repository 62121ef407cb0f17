"""A classifier over the shared embedding and the text's own words, trained in seconds from examples.

Kernel ridge regression (`ridge.py`) on a mixed kernel (`kernel.py`), one column per label. Scores of
texts left out of the training calibrate the probabilities and fix the out-of-scope threshold; what the
head would say of them is kept, because the confidence from which it is acted upon is set on them too.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from steward.base.digests import sha256_hex
from steward.base.language.calibration import Calibration, fit_calibration
from steward.base.language.contracts import HeldOut, LabelledText, Prediction, Scored, Vectors
from steward.base.language.errors import TooFewExamples, TooFewLabels, UnreadableHead
from steward.base.language.kernel import KernelShape, TrainingTexts
from steward.base.language.ridge import fit_ridge
from steward.base.language.scope import scope_scores, scope_threshold

Floats = NDArray[np.float32]

# Raised whenever the same examples would give another head; part of a release's id.
TRAINER_VERSION = 3
FEWEST_EXAMPLES = 2
# Flat optimum between 0.05 and 0.2 on five data sets (leave-one-out).
PENALTY = 0.1
RANKED = 3
# Leaving out more texts than this refines neither the calibration nor the threshold visibly.
MOST_HELD_OUT = 3000
# BLAS hands dot products of more than 10,000 numbers to its own threads.
PRODUCT_LENGTH = 8192
_FORMAT = "steward-intent-head-1"


@dataclass(frozen=True)
class IntentHead:
    """A trained head; implements `Classifier`."""

    labels: tuple[str, ...]
    training: TrainingTexts
    coefficients: Floats
    calibration: Calibration
    threshold: float
    held_out: HeldOut

    def by_words(self, text: str) -> Floats:
        """Return what the head makes of a text before it's embedded; `predict` takes it."""
        return self.training.by_words(text)

    def scores(self, text: str, vector: NDArray[np.float32], *, by_words: Floats | None = None) -> Floats:
        """Return the regression score of each label, in the order of `labels`."""
        alike = self.training.compare(vector, self.by_words(text) if by_words is None else by_words)
        scores = np.zeros(len(self.labels), np.float32)
        for start in range(0, len(alike), PRODUCT_LENGTH):
            piece = slice(start, start + PRODUCT_LENGTH)
            scores += np.vecdot(self.coefficients[:, piece], alike[piece])
        return scores

    def predict(
        self, text: str, vector: NDArray[np.float32], *, by_words: Floats | None = None
    ) -> Prediction:
        """Classify one text whose embedding is already there."""
        scores = self.scores(text, vector, by_words=by_words)
        probabilities = self.calibration.probabilities(scores)
        best = np.argsort(-probabilities, kind="stable")[:RANKED]
        in_scope = float(scope_scores(scores))
        return Prediction(
            ranked=tuple(Scored(self.labels[place], float(probabilities[place])) for place in best),
            in_scope=in_scope,
            out_of_scope=in_scope < self.threshold,
        )

    def probability(self, label: str, text: str, vector: NDArray[np.float32]) -> float:
        """Return the calibrated probability of one label."""
        probabilities = self.calibration.probabilities(self.scores(text, vector))
        return float(probabilities[self.labels.index(label)])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the trained parameters."""
        return sha256_hex(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Serialise as a zip of arrays and JSON; equal heads give equal bytes."""
        about = {
            "format": _FORMAT,
            "labels": self.labels,
            "calibration": asdict(self.calibration),
            "threshold": self.threshold,
            "shape": asdict(self.training.shape),
            "terms": {
                "words": self.training.words.vocabulary.terms,
                "letters": self.training.letters.vocabulary.terms,
            },
        }
        arrays = self.training.arrays() | {
            "coefficients": self.coefficients,
            "held_out_taken_for": self.held_out.taken_for,
            "held_out_confidences": self.held_out.confidences,
            "held_out_right": self.held_out.right,
            "about": np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8),
        }
        return _pack(arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            UnreadableHead: the bytes hold something else.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != _FORMAT:
                raise UnreadableHead(reason=f"its format is {about['format']!r}")
            return cls(
                labels=tuple(about["labels"]),
                training=TrainingTexts.restore(arrays, about["terms"], KernelShape(**about["shape"])),
                coefficients=arrays["coefficients"],
                calibration=Calibration(**about["calibration"]),
                threshold=about["threshold"],
                held_out=HeldOut(
                    arrays.get("held_out_taken_for", np.zeros(0, np.int64)),
                    arrays.get("held_out_confidences", np.zeros(0)),
                    arrays.get("held_out_right", np.zeros(0, np.bool_)),
                ),
            )
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise UnreadableHead(reason=type(error).__name__) from error


def train_intent_head(
    examples: Sequence[LabelledText],
    vectors: Vectors,
    *,
    out_of_scope: Sequence[str] = (),
    out_of_scope_vectors: Vectors | None = None,
    scope_rejection: float = 0.05,
    seed: int = 0,
    shape: KernelShape | None = None,
) -> IntentHead:
    """Train a head on frozen vectors and the examples' own words.

    Args:
        examples: at least two of each of at least two labels.
        vectors: one unit vector per example, shape (examples, dimensions).
        out_of_scope: texts that belong to no label; they pull the scores down around them.
        out_of_scope_vectors: one unit vector for each of them.
        scope_rejection: the share of in-scope texts that may be rejected as out of scope.
        seed: picks the held-out texts where there are more than needed.
        shape: the kernel's mix, the default everywhere but in experiments.

    Raises:
        TooFewLabels: fewer than two labels.
        TooFewExamples: a label has a single example.
    """
    labels = _checked_labels(examples)
    numbers = {label: number for number, label in enumerate(labels)}
    order = _held_out_last(len(examples), seed)
    truth = np.array([numbers[examples[place].label] for place in order])
    texts = [*out_of_scope, *(examples[place].text for place in order)]
    rows = vectors[order]
    if out_of_scope_vectors is not None:
        rows = np.concatenate([out_of_scope_vectors, rows])
    targets = np.zeros((len(texts), len(labels)), np.float32)
    targets[np.arange(len(out_of_scope), len(texts)), truth] = 1
    training = TrainingTexts.learn(texts, rows, shape or KernelShape())
    # Texts of no label stand first, so that they are held out as well where there is room for them.
    held_out = min(len(texts), MOST_HELD_OUT)
    fit = fit_ridge(training.compare_all(), targets, penalty=PENALTY, held_out=held_out)
    inside = fit.held_out_scores[-min(len(examples), held_out) :]
    calibration = fit_calibration(inside, truth[-len(inside) :])
    threshold = scope_threshold(scope_scores(inside), scope_rejection)
    own = np.concatenate([np.full(held_out - len(inside), -1), truth[-len(inside) :]])
    return IntentHead(
        labels=labels,
        training=training,
        coefficients=fit.coefficients,
        calibration=calibration,
        threshold=threshold,
        held_out=_held_out(fit.held_out_scores, own, calibration, threshold),
    )


def _held_out(
    scores: Floats, truth: NDArray[np.int64], calibration: Calibration, threshold: float
) -> HeldOut:
    confidences = calibration.probabilities(scores).max(axis=1)
    confidences[scope_scores(scores) < threshold] = -1.0
    taken_for = scores.argmax(axis=1)
    return HeldOut(taken_for, confidences, taken_for == truth)


def _checked_labels(examples: Sequence[LabelledText]) -> tuple[str, ...]:
    counts = Counter(example.label for example in examples)
    if len(counts) < 2:
        raise TooFewLabels(count=len(counts))
    for label, count in sorted(counts.items()):
        if count < FEWEST_EXAMPLES:
            raise TooFewExamples(label=label, count=count, minimum=FEWEST_EXAMPLES)
    return tuple(sorted(counts))


def _held_out_last(count: int, seed: int) -> list[int]:
    """Order the examples so that the last ones, which are held out, are a fair sample."""
    if count <= MOST_HELD_OUT:
        return list(range(count))
    order: list[int] = np.random.default_rng(seed).permutation(count).tolist()
    return order


def _pack(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Write an npz whose bytes depend on the arrays only: fixed order and time of day."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()
