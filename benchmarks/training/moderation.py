"""Train the moderation head: sexual, hateful, violent, harassing texts, and those about self-harm.

    python -m benchmarks.training.moderation --data DATA_PATH [--out FILE]

DATA_PATH holds `safety/openai_moderation`, `pii/star_pii_turns` and `intent/banking77_train` as compressed
JSON lines. All labelled texts are trained on, so figures are cross-validated: ten folds, and what is
printed and stored is of texts that the model in question hadn't seen. Needs scikit-learn; deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.running import asked_for, read, trained
from steward.base.language.contracts import Vectors
from steward.base.language.moderation import Concern, word_features
from steward.base.language.shipped import pack

SEED = 0
FOLDS = 10
GAMMA = 1.0
PENALTY = 3.0
WORDS_SCALE = 0.06
"""How far a deviation of a word count moves a text in the space of the embedding."""
ORDINARY_TEXTS = 300
LABELS: Final = {
    Concern.SEXUAL: ("S", "S3"),
    Concern.HATE: ("H", "H2"),
    Concern.VIOLENCE: ("V", "V2"),
    Concern.HARASSMENT: ("HR",),
    Concern.SELF_HARM: ("SH",),
}
"""The data set's labels of each concern; a text without the first of them wasn't judged for it."""
UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Features of all texts, labelled ones first; labels of shape (texts, concerns), -1 for unknown."""

    features: NDArray[np.float32]
    labels: NDArray[np.int8]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    labelled: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on everything and write the head."""
    asked = asked_for("moderation", __doc__, arguments)
    texts, labels = labelled_texts(asked.data)
    harmless = ordinary_texts(asked.data)
    problem = problem_of(texts, labels, harmless, asked.embedder.embed_now([*texts, *harmless]))
    held_out = cross_validated(problem)
    content = packed(problem, held_out)
    asked.out.write_bytes(content)
    for concern, value in average_precisions(problem, held_out).items():
        print(f"{concern}: AUPRC {value:.3f} in {FOLDS} folds")
    print(f"{len(content)} bytes, {asked.out}")


def labelled_texts(data: Path) -> tuple[list[str], NDArray[np.int8]]:
    """Return the texts that people labelled, and their labels for each concern."""
    rows = read(data / "safety" / "openai_moderation.jsonl.xz")
    labels = [
        [
            int(_flagged(row, [name for names in LABELS.values() for name in names])),
            *(_label(row, names) for names in LABELS.values()),
        ]
        for row in rows
    ]
    return [row["prompt"] for row in rows], np.array(labels, np.int8)


def ordinary_texts(data: Path) -> list[str]:
    """Return messages of customers, which hold nothing of the kind."""
    star = [
        row["text"] for row in read(data / "pii" / "star_pii_turns.jsonl.xz") if trained(str(row["dialogue"]))
    ]
    bank = [row["text"] for row in read(data / "intent" / "banking77_train.jsonl.xz") if trained(row["text"])]
    half = ORDINARY_TEXTS // 2
    return [*star[:: len(star) // half][:half], *bank[:: len(bank) // half][:half]]


def problem_of(
    texts: Sequence[str], labels: NDArray[np.int8], harmless: Sequence[str], vectors: Vectors
) -> Problem:
    """Put together what is trained on; `vectors` are of the texts and then of the harmless ones."""
    words = np.array([word_features(text) for text in (*texts, *harmless)])
    mean, deviation = words[: len(texts)].mean(axis=0), words[: len(texts)].std(axis=0) + np.float32(1e-3)
    scale = np.float32(WORDS_SCALE) / deviation
    features = np.hstack([vectors, (words - mean) * scale]).astype(np.float16).astype(np.float32)
    none = np.zeros((len(harmless), labels.shape[1]), np.int8)
    return Problem(features, np.vstack([labels, none]), mean, scale, len(texts))


def kernel_of(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the Gaussian kernel of texts with each other."""
    rows = features.astype(np.float64)
    lengths = (rows**2).sum(axis=1)
    return np.asarray(np.exp(-GAMMA * (lengths[:, None] + lengths[None, :] - 2 * rows @ rows.T)))


def fit(
    kernel: NDArray[np.float64], labels: NDArray[np.int8], used: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Return the dual coefficients over all texts, zero for those not used, and the offset."""
    from sklearn.svm import SVC

    places = np.flatnonzero(used & (labels != UNKNOWN))
    model = SVC(C=PENALTY, kernel="precomputed").fit(kernel[np.ix_(places, places)], labels[places])
    duals = np.zeros(len(labels))
    duals[places[model.support_]] = model.dual_coef_[0]
    return duals, float(model.intercept_[0])


def cross_validated(problem: Problem) -> NDArray[np.float64]:
    """Return each labelled text's margins from models that hadn't seen it, shape (texts, concerns)."""
    kernel = kernel_of(problem.features)
    fold = np.random.default_rng(SEED).permutation(len(problem.features)) % FOLDS
    margins = np.zeros((len(problem.features), len(Concern)))
    for column in range(len(Concern)):
        labels = problem.labels[:, column]
        for number in range(FOLDS):
            duals, offset = fit(kernel, labels, fold != number)
            margins[fold == number, column] = kernel[fold == number] @ duals + offset
    return margins


def average_precisions(problem: Problem, margins: NDArray[np.float64]) -> dict[Concern, float]:
    """Return the area under precision and recall of each concern, over the texts judged for it."""
    from sklearn.metrics import average_precision_score

    found = {}
    for column, concern in enumerate(Concern):
        labels = problem.labels[: problem.labelled, column]
        judged = labels != UNKNOWN
        found[concern] = float(
            average_precision_score(labels[judged], margins[: problem.labelled, column][judged])
        )
    return found


def packed(problem: Problem, held_out: NDArray[np.float64]) -> bytes:
    """Train on everything, turn margins into probabilities by the held-out ones, and serialise."""
    from sklearn.linear_model import LogisticRegression

    kernel = kernel_of(problem.features)
    everything = np.ones(len(problem.features), bool)
    duals, offsets, slopes, shifts = [], [], [], []
    for column in range(len(Concern)):
        labels = problem.labels[:, column]
        dual, offset = fit(kernel, labels, everything)
        known = labels != UNKNOWN
        platt = LogisticRegression(C=1e6).fit(held_out[known, column, None], labels[known])
        duals.append(dual)
        offsets.append(offset)
        slopes.append(float(platt.coef_[0, 0]))
        shifts.append(float(platt.intercept_[0]))
    supporting = np.any(np.array(duals) != 0, axis=0)
    arrays: dict[str, NDArray[Any]] = {
        "rows": problem.features[supporting].astype(np.float16),
        "duals": np.array(duals, np.float32)[:, supporting],
        "offsets": np.array(offsets, np.float32), "slopes": np.array(slopes, np.float32),
        "shifts": np.array(shifts, np.float32), "mean": problem.mean, "scale": problem.scale,
    }  # fmt: skip
    figures = {
        concern.value: round(value, 4) for concern, value in average_precisions(problem, held_out).items()
    }
    return pack(arrays, {"form": 1, "gamma": GAMMA, "auprc": figures, "folds": FOLDS})


def _flagged(row: dict[str, Any], names: Sequence[str]) -> bool:
    return any(row.get(name) == 1 for name in names)


def _label(row: dict[str, Any], names: Sequence[str]) -> int:
    if _flagged(row, names):
        return 1
    return UNKNOWN if row.get(names[0]) is None else 0


if __name__ == "__main__":
    main()
