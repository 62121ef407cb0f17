"""Train the grounding head: how probably a sentence stands in its passages.

    python benchmarks/training/grounding.py --data DATA_PATH [--out FILE]

DATA_PATH holds `grounding/begin_{wow,cmu}_dev`, `retrieval/mtrag_un`, `retrieval/tau2_banking_kb_698docs`
and `retrieval/awsdocs_docs_subset` as compressed JSON lines. Trained on BEGIN's sentences with people's
labels, on MTRAG-UN's answers with the passages they were written from and with others, and on sentences
of documentation, kept, shortened and falsified by rule. Needs lightgbm and scikit-learn; deterministic.
`benchmarks/grounding.py` imports the rows and the fit from here for its cross-fitted figures.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steward.base.language.grounding import FEATURES, RISING, features_of
from steward.base.language.grounding_text import content_stems
from steward.base.language.sentences import sentences
from steward.base.language.shipped import pack

SEED = 0
TREES = 120
LEAVES = 8
RATE = 0.06
FOLDS = 5
DOCUMENT_SENTENCES = 1200
"""Sentences of documentation that are used, each once kept and once falsified."""
PASSAGE_SENTENCES = (3, 9)
WEIGHTS = {"begin": 1.0, "answers": 0.5, "documents": 0.2}
"""What a row of each source counts: labels by people more than labels by construction."""
SYNONYMS = (
    ("must", "need to"), ("need to", "have to"), ("purchase", "buy"), ("receive", "get"), ("obtain", "get"),
    ("enable", "turn on"), ("disable", "turn off"), ("choose", "select"), ("select", "pick"),
    ("create", "set up"), ("delete", "remove"), ("remove", "delete"), ("require", "need"),
    ("assist", "help"), ("additional", "more"), ("however", "but"), ("therefore", "so"),
    ("approximately", "about"), ("customers", "clients"), ("verify", "check"), ("ensure", "make sure"),
    ("specify", "give"), ("begin", "start"), ("complete", "finish"), ("request", "ask for"),
    ("is not", "isn't"), ("cannot", "can't"), ("do not", "don't"), ("provides", "gives"), ("display", "show"),
)  # fmt: skip
OPENINGS = (
    "",
    "",
    "",
    "Yes, ",
    "You should know that ",
    "According to our help pages, ",
    "In short, ",
    "Please note that ",
)
NUMBER = re.compile(r"\d+")
AUXILIARY = re.compile(r"\b(is|are|can|will|must|should|does|do|may|was|were)\b(?!\s+not|n't)")


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence, what it should stand on, whether it does, and what it must not be split from."""

    sentence: str
    passages: tuple[str, ...]
    supported: bool
    group: str
    source: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on everything and write the head."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=_shipped_path())
    asked = parser.parse_args(arguments)
    rows = training_rows(asked.data)
    content = packed(rows, matrix_of(rows))
    asked.out.write_bytes(content)
    print(f"{len(rows)} rows, {len(content)} bytes, {asked.out}")


def training_rows(data: Path) -> list[Row]:
    """Return all rows of training, always the same."""
    return [*begin_rows(data), *answer_rows(data), *document_rows(data)]


def begin_rows(data: Path) -> list[Row]:
    """Return BEGIN's responses; only "fully attributable" counts as supported."""
    return [
        Row(
            row["response"], (row["knowledge"],), row["begin_label"] == "Fully attributable",
            row["knowledge"], "begin",
        )
        for name in ("wow", "cmu")
        for row in read(data / "grounding" / f"begin_{name}_dev.jsonl.xz")
    ]  # fmt: skip


def answer_rows(data: Path) -> list[Row]:
    """Return sentences of MTRAG-UN's answers with their passages and with the likest of other questions."""
    asked = [
        row
        for row in read(data / "retrieval" / "mtrag_un.jsonl.xz")
        if row["contexts"] and row["answerability"] == ["ANSWERABLE"]
    ]
    rows: list[Row] = []
    for row in asked:
        own = tuple(context["text"] for context in row["contexts"])
        others = [
            context["text"]
            for other in asked
            if other["conversation_id"] != row["conversation_id"] and other["Collection"] == row["Collection"]
            for context in other["contexts"]
        ]
        for sentence in sentences(row["targets"][0]["text"]):
            if len(set(content_stems(sentence))) < 3:
                continue
            rows.append(Row(sentence, own, True, row["conversation_id"], "answers"))
            rows.append(Row(sentence, _likest(sentence, others, 3), False, row["conversation_id"], "answers"))
    return rows


def document_rows(data: Path) -> list[Row]:
    """Return sentences of documentation, kept in other words and falsified."""
    chance = random.Random(SEED)
    texts = [row["content"] for row in read(data / "retrieval" / "tau2_banking_kb_698docs.jsonl.xz")]
    guides = [row["text"] for row in read(data / "retrieval" / "awsdocs_docs_subset.jsonl.xz")]
    texts += chance.sample(guides, 400)
    documents = [usable for text in texts if len(usable := _usable(text)) >= 4]
    rows: list[Row] = []
    for number in range(DOCUMENT_SENTENCES):
        document = chance.choice(documents)
        size = min(len(document) - 1, chance.randint(*PASSAGE_SENTENCES))
        start = chance.randrange(len(document) - size)
        passage = document[start : start + size]
        told = chance.choice(passage)
        outside = document[:start] + document[start + size :]
        other = chance.choice(chance.choice(documents))
        filler = " ".join(chance.choice(documents)[:6])
        passages = (" ".join(passage), filler) if number % 2 else (" ".join(passage),)
        rows.append(Row(kept(told, passage, chance), passages, True, f"document {number}", "documents"))
        wrong = falsified(told, outside, other, chance)
        rows.append(Row(wrong, passages, False, f"document {number}", "documents"))
    return rows


def kept(told: str, passage: Sequence[str], chance: random.Random) -> str:
    """Return a sentence in other words that say the same."""
    text = told
    if chance.random() < 0.3:
        parts = re.split(r"(?:,|;| - )\s", text)
        text = max(parts, key=len) if len(parts) > 1 else text
    if chance.random() < 0.2:
        text = f"{text.rstrip('.')} and {_lowered(chance.choice(list(passage)))}"
    if chance.random() < 0.4:
        words = text.split()
        text = " ".join(word for word in words if not (word.endswith("ly") and chance.random() < 0.8))
    for word, other in SYNONYMS:
        if chance.random() < 0.6:
            text = re.sub(rf"\b{word}\b", other, text)
    opening = chance.choice(OPENINGS)
    return opening + (_lowered(text) if opening else text)


def falsified(told: str, outside: Sequence[str], other: str, chance: random.Random) -> str:
    """Return a sentence that the passage doesn't say."""
    manner = chance.random()
    if manner < 0.2 and NUMBER.search(told):
        return NUMBER.sub(lambda found: str(int(found.group()[:9]) + chance.randint(1, 40)), told, count=1)
    if manner < 0.4 and AUXILIARY.search(told):
        return AUXILIARY.sub(lambda found: f"{found.group()} not", told, count=1)
    if manner < 0.6:
        first, second = told.split(), other.split()
        return " ".join(first[: len(first) // 2] + second[len(second) // 2 :])
    if manner < 0.75:
        words = told.split()
        places = [place for place, word in enumerate(words) if content_stems(word)]
        fresh = [word for word in other.split() if content_stems(word)] or ["another"]
        for place in chance.sample(places, min(len(places), max(2, len(places) // 3))):
            words[place] = chance.choice(fresh)
        return " ".join(words)
    return chance.choice(list(outside)) if outside and manner < 0.92 else other


def matrix_of(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return the features of rows, shape (rows, features)."""
    return np.array([features_of(row.sentence, row.passages) for row in rows])


def packed(rows: Sequence[Row], matrix: NDArray[np.float64]) -> bytes:
    """Train trees, calibrate them on cross-fitted margins, pack both."""
    labels = np.array([row.supported for row in rows])
    weights = np.array([WEIGHTS[row.source] for row in rows])
    groups = [row.group for row in rows]
    margins = cross_fitted(matrix, labels, weights, groups)
    slope, offset = _calibrated(margins, labels, weights)
    arrays = trees_of(fit(matrix, labels, weights))
    facts = {
        "features": FEATURES,
        "slope": slope,
        "offset": offset,
        "rows": {source: sum(row.source == source for row in rows) for source in WEIGHTS},
    }
    return pack(arrays, facts)


def cross_fitted(
    matrix: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    groups: Sequence[str],
    *,
    rising: Sequence[int] = RISING,
) -> NDArray[np.float64]:
    """Return each row's margin by trees that saw no row of its group."""
    from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped, import-not-found, unused-ignore]

    margins = np.zeros(len(labels))
    for seen, left_out in GroupKFold(FOLDS).split(matrix, labels, groups):
        trees = fit(matrix[seen], labels[seen], weights[seen], rising=rising)
        margins[left_out] = trees.predict(matrix[left_out], raw_score=True)
    return margins


def fit(
    matrix: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    rising: Sequence[int] = RISING,
) -> Any:
    """Train the trees; more overlap never lowers a score."""
    import lightgbm  # type: ignore[import-not-found, unused-ignore]

    settings = {
        "objective": "binary", "num_leaves": LEAVES, "learning_rate": RATE, "min_data_in_leaf": 15,
        "lambda_l2": 3.0, "monotone_constraints": list(rising), "verbose": -1, "seed": SEED,
        "deterministic": True, "num_threads": 1, "force_row_wise": True,
    }  # fmt: skip
    rows = lightgbm.Dataset(matrix.astype(np.float32), labels.astype(int), weight=weights)
    return lightgbm.train(settings, rows, num_boost_round=TREES)


def trees_of(booster: Any) -> dict[str, NDArray[Any]]:
    """Return a booster's trees as arrays of equal size, children behind their parents."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    nodes = 2 * LEAVES - 1
    features = np.full((len(trees), nodes), -1, np.int16)
    thresholds = np.zeros((len(trees), nodes), np.float32)
    children = np.zeros((2, len(trees), nodes), np.int16)
    values = np.zeros((len(trees), nodes), np.float32)
    for tree, root in enumerate(trees):
        queue = [root]
        for place, node in enumerate(queue):
            if "split_feature" not in node:
                values[tree, place] = node["leaf_value"]
                continue
            features[tree, place] = node["split_feature"]
            thresholds[tree, place] = node["threshold"]
            for side, name in enumerate(("left_child", "right_child")):
                children[side, tree, place] = len(queue)
                queue.append(node[name])
    return {"features": features, "thresholds": thresholds, "children": children, "values": values}


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a compressed file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _calibrated(
    margins: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped, import-not-found, unused-ignore]

    model = LogisticRegression(C=100.0).fit(margins[:, None], labels, sample_weight=weights)
    return round(float(model.coef_[0][0]), 6), round(float(model.intercept_[0]), 6)


def _likest(sentence: str, texts: Sequence[str], count: int) -> tuple[str, ...]:
    wanted = set(content_stems(sentence))
    ranked = sorted(texts, key=lambda text: -len(wanted & set(content_stems(text))))
    return tuple(ranked[:count])


def _usable(text: str) -> list[str]:
    found = (sentence.lstrip("-*# 0123456789.") for sentence in sentences(text))
    return [
        sentence
        for sentence in found
        if 5 <= len(sentence.split()) <= 45
        and sentence[-1:] == "."
        and "http" not in sentence
        and "`" not in sentence
    ]


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _shipped_path() -> Path:
    import steward.base.language

    return Path(steward.base.language.__file__).parent / "heads" / "grounding.npz"


if __name__ == "__main__":
    main()
