"""Train the head that tells whether passages answer a question, and measure it on rows it wasn't trained on.

    python -m benchmarks.training.answerable --data DATA [--cache DIRECTORY] [--write]

DATA holds `retrieval/mtrag_un.jsonl.xz` (MTRAG-UN, Apache-2.0). Its passages together are one knowledge
base, split and searched as Steward does. A question counts as answerable where people judged it answerable
or partly so. Each answerable question is there a second time, searched without the passages that answer it:
what isn't in the knowledge base can't be answered. Figures come from five folds by conversation, repeated;
without `--write` nothing is stored.
"""

from __future__ import annotations

import argparse
import json
import lzma
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steward.base.language.answerable import NAME, AnswerableHead, standardised
from steward.base.language.calibration import calibration_error
from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.scope import auroc
from steward.serve.turn.understand import leans_on_before
from steward.supply.knowledge.answerability import SIGNS, signs_in_order, signs_of
from steward.supply.knowledge.cleaning import clean
from steward.supply.knowledge.contracts import Passage, PassageId, SourceDocument
from steward.supply.knowledge.lexical import Statistics, passage_weights, query_weights, statistics_of
from steward.supply.knowledge.search import DENSE_SHARE
from steward.supply.knowledge.splitting import split

HEADS = Path(__file__).parents[2] / "src" / "steward" / "base" / "language" / "heads"
ANSWERED = ("ANSWERABLE", "PARTIAL")
UNDERSPECIFIED = "UNDERSPECIFIED"
TAKEN_AWAY = "TAKEN_AWAY"
"""A question whose passages were taken out of the search."""
FOUND = 6
FOLDS, REPEATS = 5, 10
PENALTY = 10.0
"""Of squared weights of standardised signs. Flat between 3 and 30 in cross-validation."""
TAKEN_AWAY_WEIGHT = 0.5
COVERED_SHARE = 0.77
"""Of MTRAG-UN's questions that are clear, 159 of 206; questions searched a second time don't count."""
TARGET, START = 0.80, 0.755

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """A question's signs, how it was judged, and the conversation that folds keep together."""

    signs: tuple[float, ...]
    judged: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Figures:
    """AUROC of answerable against not, on held-out folds: means over the repeats, and their spread."""

    auroc: float
    spread: float
    against_unanswerable: float
    against_underspecified: float
    calibration_error: float
    questions: int


class Pool:
    """All passages as one knowledge base, searched in memory by the product's own weights."""

    def __init__(self, texts: dict[str, str], embedder: LocalEmbedder) -> None:
        cut = [
            (name, piece)
            for name, text in texts.items()
            for piece in split(clean(SourceDocument(f"{name}.txt", text.encode(), title="Passage")))
        ]
        self._names = [name for name, _ in cut]
        self._pieces = [piece for _, piece in cut]
        self.statistics: Statistics = statistics_of(piece.text for piece in self._pieces)
        weights = [passage_weights(piece.text, self.statistics) for piece in self._pieces]
        self._weights = [dict(zip(row.indices.tolist(), row.values.tolist(), strict=True)) for row in weights]
        self._vectors = embedded([piece.text for piece in self._pieces], embedder)

    def find(self, query: str, vector: NDArray[np.float32], without: frozenset[str]) -> list[Passage]:
        """Return the best passages, none of the documents `without`."""
        asked = query_weights(query, self.statistics)
        weight = dict(zip(asked.vector.indices.tolist(), asked.vector.values.tolist(), strict=True))
        attainable = max(asked.attainable, 1e-6)
        dense = np.maximum(self._vectors @ vector, 0)
        lexical = np.array(
            [sum(w * row[f] for f, w in weight.items() if f in row) / attainable for row in self._weights]
        )
        score = DENSE_SHARE * dense + (1 - DENSE_SHARE) * lexical
        allowed = np.array([name not in without for name in self._names])
        order = np.argsort(-np.where(allowed, score, -1), kind="stable")[:FOUND].tolist()
        return [
            Passage(
                id=PassageId(str(place)), document_path=self._names[place], title="Passage",
                heading=self._pieces[place].heading, body=self._pieces[place].body, source_url=None,
                ordinal=self._pieces[place].ordinal, score=float(score[place]), dense=float(dense[place]),
                lexical=float(lexical[place]),
            )
            for place in order
        ]  # fmt: skip


def embedded(texts: Sequence[str], embedder: LocalEmbedder) -> NDArray[np.float32]:
    """Embed in small pieces."""
    return np.concatenate(
        [embedder.embed_now(texts[start : start + 64]) for start in range(0, len(texts), 64)]
    )


def read(data: Path, embedder: LocalEmbedder) -> list[Row]:
    """Search for each question, with and without the passages that answer it, and read off the signs."""
    with lzma.open(data / "retrieval" / "mtrag_un.jsonl.xz", "rt", encoding="utf-8") as lines:
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    texts = {each["document_id"]: each["text"].strip() for row in records for each in row["contexts"]}
    pool = Pool(texts, embedder)
    asked = [[turn["text"] for turn in row["input"]] for row in records]
    queries = [searched(row["input"]) for row in records]
    rows: list[Row] = []
    for record, said, query, vector in zip(records, asked, queries, embedded(queries, embedder), strict=True):
        judged, conversation = record["answerability"][0], record["conversation_id"]
        wanted = frozenset(each["document_id"] for each in record["contexts"])
        for without, label in ((frozenset[str](), judged), (wanted, TAKEN_AWAY)):
            if label == TAKEN_AWAY and judged not in ANSWERED:
                continue
            passages = pool.find(query, vector, without)
            signs = signs_of(said[-1], said[:-1], passages, pool.statistics)
            rows.append(Row(signs_in_order(signs), label, conversation))
    return rows


def searched(said: Sequence[dict[str, Any]]) -> str:
    """Return what a turn would search for: the question, with the one before it where it leans on that."""
    users = [turn["text"] for turn in said if turn["speaker"] == "user"]
    leans = len(users) > 1 and leans_on_before(users[-1])
    return f"{users[-2]} {users[-1]}" if leans else users[-1]


def trained(rows: Sequence[Row]) -> AnswerableHead:
    """Fit both parts: covered on questions that are clear, specified on those that people judged."""
    signs = np.array([row.signs for row in rows])
    judged = np.array([row.judged for row in rows])
    asked = judged != TAKEN_AWAY
    centre, spread = np.nanmean(signs[asked], axis=0), np.nanstd(signs[asked], axis=0)
    spread[spread == 0] = 1.0
    standard = standardised(signs, centre, spread)
    clear = judged != UNDERSPECIFIED
    weight = np.where(asked, 1.0, TAKEN_AWAY_WEIGHT)
    answered = np.isin(judged[clear], ANSWERED)
    covered = logistic(standard[clear], answered, weight[clear])
    specified = logistic(standard[asked], judged[asked] != UNDERSPECIFIED, weight[asked])
    both = np.stack([covered, specified])
    share = float(weight[clear][answered].sum() / weight[clear].sum())
    return AnswerableHead(SIGNS, share, centre, spread, both[:, 1:], both[:, 0])


def logistic(signs: Floats, truth: NDArray[np.bool_], weight: Floats) -> Floats:
    """Return intercept and weights of a logistic regression with squared penalty, by Newton's method."""
    inputs = np.column_stack([np.ones(len(signs)), signs])
    penalty = np.full(inputs.shape[1], PENALTY)
    penalty[0] = 0
    fitted = np.zeros(inputs.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-inputs @ fitted))
        slope = inputs.T @ (weight * (chance - truth)) + penalty * fitted
        bend = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        fitted = fitted - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return fitted


def cross_fitted(rows: Sequence[Row], *, repeats: int = REPEATS) -> Figures:
    """Judge every question by heads that saw nothing of its conversation."""
    conversations = sorted({row.conversation for row in rows})
    asked = [row for row in rows if row.judged != TAKEN_AWAY]
    found: list[tuple[float, float, float, float]] = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(len(conversations)).tolist()
        fold = {conversations[place]: number % FOLDS for number, place in enumerate(order)}
        heads = [trained([row for row in rows if fold[row.conversation] != held]) for held in range(FOLDS)]
        chance = np.array(
            [
                heads[fold[row.conversation]]
                .judge(dict(zip(SIGNS, row.signs, strict=True)), share=COVERED_SHARE)
                .probability
                for row in asked
            ]
        )
        judged = np.array([row.judged for row in asked])
        right = np.isin(judged, ANSWERED)
        found.append(
            (
                auroc(chance[right], chance[~right]),
                auroc(chance[right], chance[judged == "UNANSWERABLE"]),
                auroc(chance[right], chance[judged == UNDERSPECIFIED]),
                calibration_error(chance, right, bins=8),
            )
        )
    means, spread = np.mean(found, axis=0), np.std(found, axis=0)
    return Figures(
        auroc=float(means[0]),
        spread=float(spread[0]),
        against_unanswerable=float(means[1]),
        against_underspecified=float(means[2]),
        calibration_error=float(means[3]),
        questions=len(asked),
    )


def measured(data: Path, cache: Path | None, *, repeats: int = REPEATS) -> tuple[list[Row], Figures]:
    """Read the rows and cross-fit them."""
    with tempfile.TemporaryDirectory() as scratch:
        embedder = LocalEmbedder.open(cache or Path(scratch))
        try:
            rows = read(data, embedder)
        finally:
            embedder.close()
    return rows, cross_fitted(rows, repeats=repeats)


def main() -> None:
    """Read the command line, train and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds retrieval/*.jsonl.xz")
    parser.add_argument("--cache", type=Path, help="keep the built graph here")
    parser.add_argument("--write", action="store_true", help="store the head in the package")
    given = parser.parse_args()
    rows, figures = measured(given.data, given.cache)
    print(f"AUROC {figures.auroc:.3f} ± {figures.spread:.3f} on {figures.questions} held-out questions")
    print(f"  against unanswerable   {figures.against_unanswerable:.3f}")
    print(f"  against underspecified {figures.against_underspecified:.3f}")
    print(f"  calibration error      {figures.calibration_error:.3f}")
    print(f"  asked {TARGET}, start {START}")
    if given.write:
        facts = {"rows": len(rows), "auroc": round(figures.auroc, 4), "penalty": PENALTY}
        content = trained(rows).to_bytes(facts)
        (HEADS / f"{NAME}.npz").write_bytes(content)
        print(f"{NAME}.npz: {len(content)} bytes")


if __name__ == "__main__":
    main()
