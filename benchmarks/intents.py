"""Measure the intent head on public data: accuracy, calibration, out-of-scope, time.

    python -m benchmarks.intents DATA_PATH [--quick] [--json] [--seed 0]

DATA_PATH is a folder with an `intent/` folder of compressed JSON lines (`text`, `intent`, `split`):
banking77_train, clinc150_full_trainval, banking77_oos_trainval, hint3_sofmattress_train and _test.
One recipe, the product's default, serves all of them. Nothing is chosen on the rows that are reported:
calibration and threshold come from held-out predictions of the training rows.
"""

from __future__ import annotations

import argparse
import json
import lzma
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from steward.base.language.calibration import calibration_error
from steward.base.language.contracts import LabelledText, Prediction, Vectors
from steward.base.language.evaluate import assign_folds
from steward.base.language.intent_head import IntentHead, train_intent_head
from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.minilm import MiniLm, open_minilm
from steward.base.language.numeric_form import NumericForm
from steward.base.language.scope import ScopeFigures, scope_figures
from steward.base.language.weights import find_weights

OUT_OF_SCOPE = "oos"
HINT3_NONE = "NO_NODES_DETECTED"
REJECTION = 0.05
RESAMPLES = 2000
TWELVE_TOKENS = "Why was I charged twice on my last invoice?"


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled texts with vectors and the source's own split."""

    texts: list[str]
    labels: list[str]
    splits: NDArray[np.str_]
    vectors: Vectors

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return the chosen rows."""
        places = np.flatnonzero(chosen).tolist()
        return Rows(
            texts=[self.texts[place] for place in places],
            labels=[self.labels[place] for place in places],
            splits=self.splits[places],
            vectors=self.vectors[places],
        )

    @property
    def out_of_scope(self) -> NDArray[np.bool_]:
        """Which rows belong to no label."""
        return np.array([label == OUT_OF_SCOPE for label in self.labels])

    def examples(self) -> list[LabelledText]:
        """Return the rows as training examples."""
        return [LabelledText(text, label) for text, label in zip(self.texts, self.labels, strict=True)]


class Timed:
    """Keeps the seconds of each training, by the clock and by the processor."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.processor_seconds: list[float] = []

    def train(self, rows: Rows, seed: int, none: Rows | None = None) -> IntentHead:
        """Train the default recipe."""
        start, busy = time.perf_counter(), time.process_time()
        head = train_intent_head(
            rows.examples(),
            rows.vectors,
            out_of_scope=none.texts if none else (),
            out_of_scope_vectors=none.vectors if none else None,
            scope_rejection=REJECTION,
            seed=seed,
        )
        self.seconds.append(time.perf_counter() - start)
        self.processor_seconds.append(time.process_time() - busy)
        return head


def main(arguments: Sequence[str] | None = None) -> list[Figure]:
    """Run what the command line asks for; print and return the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder that holds intent/*.jsonl.xz")
    parser.add_argument("--quick", action="store_true", help="one fold of banking77, a third of CLINC150")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seed", type=int, default=0, help="of folds, samples and resamples")
    parser.add_argument("--cache", type=Path, help="keep the built graph here")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        cache = asked.cache or Path(scratch)
        model = open_minilm(find_weights(), cache)
        figures = measure(asked.data / "intent", model, cache, seed=asked.seed, quick=asked.quick)
    if asked.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=1))
    else:
        print_table(figures)
    return figures


def measure(folder: Path, model: MiniLm, cache: Path, *, seed: int, quick: bool) -> list[Figure]:
    """Run every part whose files are there."""
    timed = Timed()
    figures: list[Figure] = []

    def part(files: Sequence[str], run: Callable[..., list[Figure]]) -> None:
        paths = [folder / f"{name}.jsonl.xz" for name in files]
        if all(path.is_file() for path in paths):
            figures.extend(run(*(load(path, model) for path in paths), timed, seed=seed, quick=quick))

    part(["banking77_train"], banking77)
    part(["clinc150_full_trainval"], clinc150)
    part(["banking77_oos_trainval"], near_misses)
    part(["hint3_sofmattress_train", "hint3_sofmattress_test"], hint3)
    if timed.seconds:
        longest = max(timed.seconds)
        figures.append(Figure("all", "longest training, s", longest, target=60, at_most=True))
        figures.append(Figure("all", "longest training, processor s", max(timed.processor_seconds)))
    if (folder / "banking77_train.jsonl.xz").is_file():
        banking = load(folder / "banking77_train.jsonl.xz", model, limit=1000 if quick else None)
        figures += latency(banking, model, timed, seed=seed)
        figures += deviation(banking.texts, cache, seed=seed)
    return figures


def load(path: Path, model: MiniLm, *, limit: int | None = None) -> Rows:
    """Read one file and embed its texts."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines][:limit]
    texts = [str(record["text"]) for record in records]
    return Rows(
        texts=texts,
        labels=[str(record["intent"]) for record in records],
        splits=np.array([str(record.get("split", "")) for record in records]),
        vectors=model.vectors(texts),
    )


def banking77(rows: Rows, timed: Timed, *, seed: int, quick: bool) -> list[Figure]:
    """Cross-validate in five folds on the training rows."""
    places = assign_folds(rows.labels, folds=5, seed=seed)
    right: list[bool] = []
    confidences: list[float] = []
    rejected: list[bool] = []
    for fold in range(1 if quick else 5):
        head = timed.train(rows.where(places != fold), seed)
        test = rows.where(places == fold)
        found = predict(head, test)
        right += [item.label == label for item, label in zip(found, test.labels, strict=True)]
        confidences += [item.confidence for item in found]
        rejected += [item.out_of_scope for item in found]
    low, high = resampled(np.array(right, float), seed)
    error = calibration_error(np.array(confidences), np.array(right))
    return [
        Figure("banking77", "accuracy, 5-fold", float(np.mean(right)), 0.93, low=low, high=high),
        Figure("banking77", "calibration error", error, target=0.02, at_most=True),
        Figure("banking77", "in-scope rejected at 5 %", float(np.mean(rejected))),
    ]


def clinc150(rows: Rows, timed: Timed, *, seed: int, quick: bool) -> list[Figure]:
    """Train on the training split, measure on the validation split."""
    train, test = rows.where(rows.splits == "train"), rows.where(rows.splits == "val")
    if quick:
        train = train.where(assign_folds(train.labels, folds=3, seed=seed) == 0)
    plain = timed.train(train, seed)
    found = predict(plain, test)
    right = np.array([item.label == label for item, label in zip(found, test.labels, strict=True)])
    low, high = resampled(right.astype(float), seed)
    error = calibration_error(np.array([item.confidence for item in found]), right)
    figures = [
        Figure("clinc150", "in-scope accuracy", float(right.mean()), 0.964, low=low, high=high),
        Figure("clinc150", "calibration error", error, target=0.02, at_most=True),
    ]
    every_none = rows.where(rows.out_of_scope)
    figures += scope("clinc150, no examples of none", plain, test, every_none, seed, targets=(0.96, 0.82))
    none_train, none_test = rows.where(rows.splits == "oos_train"), rows.where(rows.splits == "oos_val")
    taught = timed.train(train, seed, none_train)
    return figures + scope("clinc150, 100 of none given", taught, test, none_test, seed, targets=(0.96, 0.82))


def near_misses(rows: Rows, timed: Timed, *, seed: int, quick: bool) -> list[Figure]:
    """Train on 50 of the 77 intents; the other 27 and foreign questions are out of scope."""
    none = rows.out_of_scope
    head = timed.train(rows.where((rows.splits == "train") & ~none), seed)
    test = rows.where((rows.splits == "valid") & ~none)
    right = np.array(
        [item.label == label for item, label in zip(predict(head, test), test.labels, strict=True)]
    )
    low, high = resampled(right.astype(float), seed)
    near, far = rows.where(rows.splits == "id_oos_valid"), rows.where(rows.splits == "ood_oos_valid")
    return [
        Figure("banking77-oos", "in-scope accuracy", float(right.mean()), low=low, high=high),
        *scope("banking77-oos, near misses", head, test, near, seed, targets=(0.817, None)),
        *scope("banking77-oos, foreign", head, test, far, seed, targets=(None, None)),
    ]


def hint3(train: Rows, test: Rows, timed: Timed, *, seed: int, quick: bool) -> list[Figure]:
    """Score live messages with the threshold that the training rows fixed."""
    head = timed.train(train, seed)
    found = np.array([HINT3_NONE if item.out_of_scope else item.label for item in predict(head, test)])
    truth = np.array(test.labels)
    generator = np.random.default_rng(seed)
    samples = [generator.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
    low, high = np.quantile([matthews(truth[sample], found[sample]) for sample in samples], [0.025, 0.975])
    return [
        Figure(
            "hint3 sofmattress", "Matthews", matthews(truth, found), 0.62, low=float(low), high=float(high)
        )
    ]


def scope(
    dataset: str,
    head: IntentHead,
    test: Rows,
    none: Rows,
    seed: int,
    *,
    targets: tuple[float | None, float | None],
) -> list[Figure]:
    """Measure out-of-scope detection where 5 % of these in-scope rows are rejected, and as thresholded."""
    inside = np.array([item.in_scope for item in predict(head, test)])
    outside = np.array([item.in_scope for item in predict(head, none)])
    at_share: ScopeFigures = scope_figures(inside, outside, float(np.quantile(inside, REJECTION)))
    served = scope_figures(inside, outside, head.threshold)
    generator = np.random.default_rng(seed)
    curves = [
        scope_figures(generator.choice(inside, len(inside)), generator.choice(outside, len(outside)), 0).auroc
        for _ in range(RESAMPLES // 10)
    ]
    low, high = np.quantile(curves, [0.025, 0.975])
    recall = "recall of none at 5 % rejected"
    return [
        Figure(dataset, "AUROC of none", at_share.auroc, targets[0], low=float(low), high=float(high)),
        Figure(
            dataset, recall, at_share.recall, targets[1], low=at_share.recall_low, high=at_share.recall_high
        ),
        Figure(
            dataset,
            "recall of none, as served",
            served.recall,
            low=served.recall_low,
            high=served.recall_high,
        ),
        Figure(dataset, "in-scope rejected, as served", served.in_scope_rejected),
    ]


def latency(rows: Rows, model: MiniLm, timed: Timed, *, seed: int) -> list[Figure]:
    """Time one prediction, embedding included, of a 12-token sentence on a head of this size."""
    head = timed.train(rows, seed)
    embedder = LocalEmbedder(model)
    spent: list[tuple[float, float]] = []
    processor: list[float] = []
    for _ in range(300):
        start, busy = time.perf_counter(), time.thread_time()
        vector = embedder.embed_now([TWELVE_TOKENS])[0]
        embedded = time.perf_counter()
        head.predict(TWELVE_TOKENS, vector)
        spent.append((embedded - start, time.perf_counter() - embedded))
        processor.append(time.thread_time() - busy)
    embedder.close()
    names = ("embedding of 12 tokens, p50 ms", f"head on {len(rows.texts)} examples, p50 ms")
    figures = [
        Figure("time", name, 1000 * statistics.median(pair[place] for pair in spent))
        for place, name in enumerate(names)
    ]
    both = 1000 * statistics.median(sum(pair) for pair in spent)
    return [
        *figures,
        Figure("time", "prediction, p50 ms", both, target=6.0, at_most=True),
        Figure("time", "prediction, processor time, p50 ms", 1000 * statistics.median(processor)),
    ]


def deviation(texts: Sequence[str], cache: Path, *, seed: int) -> list[Figure]:
    """Compare 8-bit vectors of 1,000 sentences with full precision."""
    chosen = np.random.default_rng(seed).permutation(len(texts))[:1000]
    sentences = [texts[place] for place in chosen]
    quantised, exact = (
        open_minilm(find_weights(), cache, form=form).vectors(sentences)
        for form in (NumericForm.INT8, NumericForm.EXACT)
    )
    cosines = (quantised.astype(np.float64) * exact).sum(axis=1)
    return [
        Figure(
            "8-bit vectors", "cosine deviation, mean", float(1 - cosines.mean()), target=0.01, at_most=True
        ),
        Figure(
            "8-bit vectors", "cosine deviation, worst", float(1 - cosines.min()), target=0.03, at_most=True
        ),
    ]


def predict(head: IntentHead, rows: Rows) -> list[Prediction]:
    """Predict every row."""
    return [head.predict(text, vector) for text, vector in zip(rows.texts, rows.vectors, strict=True)]


def resampled(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the bootstrap interval of a mean."""
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def matthews(truth: NDArray[np.str_], found: NDArray[np.str_]) -> float:
    """Return the Matthews correlation over several classes (Gorodkin 2004)."""
    names = np.unique(np.concatenate([truth, found]))
    of_truth = np.array([(truth == name).sum() for name in names], float)
    of_found = np.array([(found == name).sum() for name in names], float)
    count, right = float(len(truth)), float((truth == found).sum())
    spread = (count**2 - (of_found**2).sum()) * (count**2 - (of_truth**2).sum())
    return float((right * count - of_truth @ of_found) / np.sqrt(spread)) if spread > 0 else 0.0


def print_table(figures: Sequence[Figure]) -> None:
    """Print one line a figure."""
    for figure in figures:
        interval = "" if figure.low is None else f"{figure.low:.4f} to {figure.high:.4f}"
        print(f"{figure.dataset:<32}{figure.measure:<36}{figure.value:>9.4f}  {interval:<18}  {figure.asked}")


if __name__ == "__main__":
    main()
