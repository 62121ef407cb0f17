"""What embeddings would add to the grounding head, and what they would cost: quality against milliseconds.

Each variant gets features of its own on top of the shipped ones. It is fitted anew on BEGIN alone, so that
not thousands of passages have to be embedded, and timed on the same answers, passages known and new.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from benchmarks.grounding_answers import (
    EIGHTY_TOKENS,
    LOW,
    PASSAGES,
    Answer,
    auroc,
    faithfulness,
    forget,
    spearman,
    word_coverage,
)
from benchmarks.training import grounding as training
from steward.base.language.grounding import RISING, features_of, ground_of
from steward.base.language.grounding_text import FUNCTION_WORDS, stem, words_of
from steward.base.language.minilm import MiniLm, open_minilm
from steward.base.language.sentences import sentences
from steward.base.language.weights import find_weights

CHART = Path("docs/images/grounding-curve.svg")
BEST_SENTENCES = 3
RARE = 10.5
"""What a word of several pieces weighs: as much as the rarest single one (log of the vocabulary's size)."""
COMMON = 6.5
"""Log of the rank up to which words of the vocabulary, which is ordered by frequency, tell nothing."""

Features = Callable[[str, Sequence[str]], list[float]]


class Encoded:
    """Vectors of sentences, and of single words as the encoder's table has them; passages' are kept."""

    def __init__(self, weights: Path | None, cache: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        files = find_weights(weights)
        self.model: MiniLm = open_minilm(files, cache)
        tensors = load_file(files.weights)
        table = next(value for name, value in tensors.items() if "word_embeddings" in name).astype(np.float32)
        table = table - table.mean(0)
        self._table = table / np.linalg.norm(table, axis=1, keepdims=True)
        self._pieces = Tokenizer.from_file(str(files.tokenizer))
        self._pieces.no_padding()
        self._pieces.no_truncation()
        self.passage = lru_cache(maxsize=8192)(self._passage)
        self.words = lru_cache(maxsize=8192)(self._words)

    def forget(self) -> None:
        """Drop what is kept of passages."""
        self.passage.cache_clear()
        self.words.cache_clear()

    def alike(self, sentence: str, passages: Sequence[str]) -> list[float]:
        """Compare a sentence's vector with the passages' sentences: the best, and the best three's mean."""
        known = [self.passage(item) for item in passages if item.strip()]
        if not known:
            return [0.0, 0.0]
        likeness = np.concatenate(known) @ self.model.vectors([sentence])[0]
        return [float(likeness.max()), float(np.sort(likeness)[-BEST_SENTENCES:].mean())]

    def word_by_word(self, sentence: str, passages: Sequence[str]) -> list[float]:
        """Compare each word with its nearest in the passages: late interaction over single words' vectors."""
        wanted = [word for word in dict.fromkeys(words_of(sentence)) if word not in FUNCTION_WORDS]
        known = [self.words(item) for item in passages if item.strip()]
        if not wanted or not known:
            return [float(not wanted)] * 3
        nearest = (self._vectors(wanted) @ np.concatenate(known).T).max(1)
        stems = ground_of(tuple(passages)).every
        nearest = np.where([stem(word) in stems for word in wanted], 1.0, nearest)
        weights = np.array([self._weight(word) for word in wanted])
        return [float(nearest.mean()), float(np.average(nearest, weights=weights)), float(nearest.min())]

    def _passage(self, text: str) -> NDArray[np.float32]:
        return self.model.vectors(list(sentences(text)))

    def _words(self, text: str) -> NDArray[np.float32]:
        return self._vectors(sorted(set(words_of(text))) or ["."])

    def _vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        found = np.array([self._table[self._ids(word)].mean(0) for word in words], np.float32)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def _weight(self, word: str) -> float:
        ids = self._ids(word)
        return max((math.log1p(ids[0]) if len(ids) == 1 else RARE) - COMMON, 0.3)

    def _ids(self, word: str) -> list[int]:
        return list(self._pieces.encode(word, add_special_tokens=False).ids) or [100]


@dataclass(frozen=True, slots=True)
class Measured:
    """One group of features on all rows of training and on all claims of the answers."""

    rows: NDArray[np.float64]
    claims: NDArray[np.float64]


def curve(rows: Sequence[training.Row], answers: Sequence[Answer], weights: Path | None) -> list[Figure]:
    """Measure the variants, each fitted on BEGIN alone, and draw them."""
    rows = [row for row in rows if row.source == "begin"]
    with tempfile.TemporaryDirectory() as scratch:
        encoded = Encoded(weights, Path(scratch))
        groups: dict[str, Features] = {
            "words": features_of, "vectors of words": encoded.word_by_word, "sentences": encoded.alike,
        }  # fmt: skip
        variants: dict[str, tuple[str, ...]] = {
            "words in many forms (as shipped)": ("words",),
            "+ vectors of words": ("words", "vectors of words"),
            "+ vectors of sentences": ("words", "sentences"),
            "+ both": ("words", "sentences", "vectors of words"),
        }
        measured = {name: measure(group, rows, answers) for name, group in groups.items()}
        points = [{"variant": "share of words", **plain_quality(rows, answers), **cost((), answers, encoded)}]
        for name, parts in variants.items():
            worth = quality([measured[part] for part in parts], rows, answers)
            points.append(
                {"variant": name, **worth, **cost([groups[part] for part in parts], answers, encoded)}
            )
    draw(points)
    return [figure for point in points for figure in figures_of(point)]


def measure(group: Features, rows: Sequence[training.Row], answers: Sequence[Answer]) -> Measured:
    """Compute a group of features once for everything."""
    return Measured(
        np.array([group(row.sentence, row.passages) for row in rows]),
        np.array([group(claim, answer.passages) for answer in answers for claim in answer.claims]),
    )


def plain_quality(rows: Sequence[training.Row], answers: Sequence[Answer]) -> dict[str, float]:
    """Score the mere share of words, which needs no training."""
    own = [row for row in rows if row.source == "begin"]
    scores = np.array([word_coverage(row.sentence, row.passages) for row in own])
    claims = [word_coverage(claim, answer.passages) for answer in answers for claim in answer.claims]
    begin = auroc(scores, np.array([row.supported for row in own]))
    return {"begin": begin, **people(np.array(claims), answers)}


def quality(
    parts: Sequence[Measured], rows: Sequence[training.Row], answers: Sequence[Answer]
) -> dict[str, float]:
    """Fit a variant as the shipped head is fitted and score it on rows that it didn't see."""
    own = np.array([row.source == "begin" for row in rows])
    labels = np.array([row.supported for row in rows])
    weights = np.array([training.WEIGHTS[row.source] for row in rows])
    matrix = np.hstack([part.rows for part in parts])
    rising = (*RISING, *[1] * (matrix.shape[1] - len(RISING)))
    margins = training.cross_fitted(matrix, labels, weights, [row.group for row in rows], rising=rising)
    trees = training.fit(matrix, labels, weights, rising=rising)
    scores = trees.predict(np.hstack([part.claims for part in parts]), raw_score=True, num_threads=1)
    return {"begin": auroc(margins[own], labels[own]), **people(1 / (1 + np.exp(-scores)), answers)}


def people(claims: NDArray[np.float64], answers: Sequence[Answer]) -> dict[str, float]:
    """Compare scores of all answers' claims, in order, with people's scores of the answers."""
    told_in_order = iter(claims.tolist())
    ours = np.array([faithfulness(answer, lambda *_: next(told_in_order)) for answer in answers])
    human = np.array([answer.human for answer in answers])
    return {"mtrag": auroc(-ours, human < LOW), "spearman": spearman(ours, human)}


def cost(parts: Sequence[Features], answers: Sequence[Answer], encoded: Encoded) -> dict[str, float]:
    """Time a variant's features for answers of about 80 tokens, in milliseconds."""

    def score(claim: str, passages: Sequence[str]) -> object:
        return joined(parts, claim, passages) if parts else word_coverage(claim, passages)

    taken: dict[bool, list[float]] = {True: [], False: []}
    for answer in answers:
        within = EIGHTY_TOKENS[0] <= len(answer.text.split()) <= EIGHTY_TOKENS[1]
        if len(answer.passages) < PASSAGES or not within:
            continue
        for new in (True, False):
            forget(everything=new)
            if new:
                encoded.forget()
            begun = time.perf_counter()
            for claim in answer.claims:
                score(claim, answer.passages[:PASSAGES])
            taken[new].append((time.perf_counter() - begun) * 1000)
    return {"known_ms": statistics.median(taken[False]), "new_ms": statistics.median(taken[True])}


def joined(parts: Sequence[Features], sentence: str, passages: Sequence[str]) -> list[float]:
    """Return all features of a variant."""
    return [value for part in parts for value in part(sentence, passages)]


def figures_of(point: dict[str, Any]) -> list[Figure]:
    """Return a variant's figures."""
    measures = {
        "begin": "BEGIN AUROC",
        "mtrag": "MTRAG AUROC",
        "spearman": "MTRAG Spearman",
        "known_ms": "ms, passages known",
        "new_ms": "ms, passages new",
    }
    return [Figure(point["variant"], words, point[name]) for name, words in measures.items()]


def draw(points: Sequence[dict[str, Any]]) -> None:
    """Write the chart of quality against milliseconds."""
    import vl_convert

    names = {"begin": "BEGIN", "mtrag": "MTRAG, low human scores"}
    values = [
        {"variant": point["variant"], "ms": point["known_ms"], "AUROC": point[key], "rows": words}
        for point in points
        for key, words in names.items()
    ]
    shipped = [value for value in values if "shipped" in value["variant"]]
    scale = {"type": "log", "domain": [0.1, 1000]}
    x = {"field": "ms", "type": "quantitative", "scale": scale, "title": "ms for an answer of 80 tokens"}
    y = {"field": "AUROC", "type": "quantitative", "scale": {"domain": [0.88, 1.0]}, "title": "AUROC"}
    place: dict[str, object] = {"x": x, "y": y}
    color = {"field": "rows", "type": "nominal", "title": None, "legend": {"orient": "bottom"}}
    budget: dict[str, object] = {
        "mark": {"type": "rule", "strokeDash": [4, 4]},
        "encoding": {"x": {"datum": 15, "type": "quantitative"}},
    }
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": 560,
        "height": 300,
        "background": "white",
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {**place, "color": color, "tooltip": {"field": "variant"}},
            },
            *(
                {
                    "mark": {"type": "text", "dy": below, "align": "left", "fontSize": 10},
                    "transform": [
                        {"filter": f"datum.rows == 'BEGIN' && (datum.variant == '+ both') == {chosen}"}
                    ],
                    "encoding": place | {"text": {"field": "variant"}},
                }
                for chosen, below in (("true", 14), ("false", -12))
            ),
            {
                "data": {"values": shipped},
                "mark": {"type": "point", "size": 220, "color": "black"},
                "encoding": place,
            },
            budget,
        ],
    }
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(vl_convert.vegalite_to_svg(spec) + "\n", encoding="utf-8")
