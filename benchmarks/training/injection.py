"""Train the injection head: attempts to give an assistant new orders, in messages and in documents.

    python -m benchmarks.training.injection --data DATA_PATH [--out FILE]

DATA_PATH holds `safety/`, `intent/`, `pii/`, `grounding/`, `retrieval/`, `kbversions/` and `logs/` as
compressed JSON lines. A quarter of each source (JailbreakBench by goal, STAR by dialogue, BIPIA's attacks
by category) is never trained on: `benchmarks/guard.py` reports on it. Tensor Trust and HINT3 are never
trained on at all.
Needs scikit-learn; deterministic.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.training import injection_attempts as attempts
from benchmarks.training import injection_harmless as harmless
from benchmarks.training.injection_rows import gibberish, grow, repeated
from benchmarks.training.running import asked_for, read, shipped_path, trained
from steward.base.language.contracts import Vectors
from steward.base.language.hashed import BUCKETS, hashed_row
from steward.base.language.injection import WIDEST, InjectionHead, Weights, beside_the_rest, pieces_of
from steward.base.language.injection_traits import NAMES, SYMBOLS, letter_classes, traits
from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.shipped import pack

SEED = 0
SCALES = (5.0, 3.0, 0.8, 2.0)
"""How much embedding, hashed features, traits and the rest of a document count before regularisation."""
CONTENT_SCALES = (8.0, 3.0, 0.3, 2.0)
MESSAGE_THRESHOLD = -1.75
"""Log-odds of the message scorer that become 0; chosen once on four-fold predictions over all rows but Tensor
Trust's, NotInject being what bound it."""
CONTENT_THRESHOLD = 2.0
"""As above for sentences of documents, where a false alarm takes a passage from the customers."""
SCREENED_SHARE = 0.03
"""Share of ordinary training messages that the screen lets through."""
ALONE_SHARE = 0.003
"""Share of ordinary training messages above the threshold where words alone decide, without an embedding."""
WEIGHTS = {
    "in the wild": 5.0, "JBC": 2.0, "GCG": 2.0, "notinject": 5.0, "wildguard": 3.0, "xstest": 2.0,
    "cyberseceval": 2.0, "e-mails": 2.0, "look-alikes": 4.0, "other languages": 6.0,
}  # fmt: skip
"""What a row counts where not 1: few or hard ones more."""
CONTENT_WEIGHTS = {"e-mails": 3.0, "BIPIA": 3.0}
JAILBREAKBENCH = {"GCG": "GCG", "JBC": "JBC", "random search": "prompt_with_random_search"}
FAMILIES = {
    "in the wild": ("in the wild",), "JBC": ("JBC",), "GCG": ("GCG", "written suffixes"),
    "random search": ("random search",), "disguised requests": ("written disguises",),
}  # fmt: skip
"""Families of attacks, with what has to be left out to never have seen one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text of a source, whether it's an attack, and whether it may be trained on."""

    text: str
    source: str
    attack: bool
    trained: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence beside the rest of a document; `document` is that one's place, or -1 for an attack."""

    text: str
    source: str
    attack: bool
    trained: bool
    document: int


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained head, and how its numbers came about."""

    head: InjectionHead
    content: bytes


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on the training part and write the head."""
    asked = asked_for("injection", __doc__, arguments)
    rows, pieces = message_rows(asked.data), content_rows(asked.data)
    fitted = fit(rows, embedded(rows, asked.embedder), pieces, embedded(pieces, asked.embedder))
    asked.out.write_bytes(fitted.content)
    print(f"{len(rows)} messages, {len(pieces)} sentences, {len(fitted.content)} bytes, {asked.out}")


def embedded(rows: Sequence[Row] | Sequence[Piece], embedder: LocalEmbedder) -> Vectors:
    """Return one vector for each row."""
    return embedder.embed_now([row.text for row in rows])


# ------------------------------------------------------------------ rows


def message_rows(data: Path) -> list[Row]:
    """Return all messages, always the same, each once."""
    rows: dict[str, Row] = {}
    for row in (*_attacks(data), *_written(), *_harmless(data)):
        rows.setdefault(row.text, row)
    return [row for row in rows.values() if row.text.strip()]


def goals_of(data: Path) -> list[str]:
    """Return what JailbreakBench's attacks want."""
    return sorted({row["goal"] for row in read(data / "safety" / "jbb_GCG.jsonl.xz")})


def _attacks(data: Path) -> list[Row]:
    safety = data / "safety"
    rows = [
        Row(row["text"], "in the wild", True, trained(row["text"]))
        for row in read(safety / "inthewild_jailbreaks.jsonl.xz")
    ]
    for source, name in JAILBREAKBENCH.items():
        rows += [
            Row(row["prompt"] or "", source, True, trained(row["goal"]))
            for row in read(safety / f"jbb_{name}.jsonl.xz")
        ]
    rows += [Row(goal, "plain goals", True, trained(goal)) for goal in goals_of(data)]
    for name in ("hijacking", "extraction"):
        found = read(safety / f"tensortrust_{name}.jsonl.xz")
        rows += [Row(row["attack"], f"Tensor Trust {name}", True, False) for row in found]
    return rows


def _written() -> list[Row]:
    wanted = list(attempts.HARMFUL)
    groups = {
        "written orders": [
            *grow(attempts.HIJACKS, 700, 1), *grow(attempts.EXTRACTIONS, 600, 2),
            *grow(attempts.JAILBREAKS, 300, 3), *attempts.IN_OTHER_LANGUAGES, *repeated(80, 5),
        ],
        "written disguises": grow(attempts.DISGUISED, 500, 4),
        "written suffixes": gibberish([*wanted, *grow(attempts.HIJACKS, 50, 9)], 200, 6),
    }  # fmt: skip
    rows = [Row(text, source, True, trained(text)) for source, texts in groups.items() for text in texts]
    others = {
        "look-alikes": [*harmless.LOOKALIKES, *grow(harmless.TRIGGER_WORDS, 260, 8)],
        "support": grow(harmless.SUPPORT, 600, 10),
        "other languages": harmless.ORDINARY_IN_OTHER_LANGUAGES,
    }
    rows += [Row(text, source, False, trained(text)) for source, texts in others.items() for text in texts]
    return rows


def _harmless(data: Path) -> list[Row]:
    safety, intent = data / "safety", data / "intent"
    by_dialogue = read(data / "pii" / "star_pii_turns.jsonl.xz")
    rows = [Row(row["text"], "STAR", False, trained(str(row["dialogue"]))) for row in by_dialogue]
    rows += _plain(intent / "banking77_train.jsonl.xz", "text", "banking77")
    shuffled = _plain(intent / "clinc150_full_trainval.jsonl.xz", "text", "clinc150")
    random.Random(SEED).shuffle(shuffled)
    rows += shuffled[:5000]
    rows += _plain(safety / "notinject_one.jsonl.xz", "prompt", "notinject")
    rows += _plain(safety / "wildguard_benign.jsonl.xz", "prompt", "wildguard")
    safe = [row for row in read(safety / "xstest_prompts.jsonl.xz") if row["label"] == "safe"]
    rows += [Row(row["prompt"], "xstest", False, trained(row["prompt"])) for row in safe]
    rows += _plain(safety / "cyberseceval_frr.jsonl.xz", "mutated_prompt", "cyberseceval")
    rows += _plain(safety / "bipia_email_contexts.jsonl.xz", "context", "e-mails")
    rows += _plain(data / "grounding" / "halueval_general.jsonl.xz", "user_query", "halueval")
    rows += _plain(data / "retrieval" / "tau2_banking_kb_698docs.jsonl.xz", "content", "documents")[:300]
    chat = [
        row["line"].split("> ", 1)[-1]
        for row in read(data / "logs" / "irc_stripe_0.jsonl.xz")
        if row.get("line")
    ]
    rows += [Row(line, "irc", False, trained(line)) for line in chat]
    for name in ("curekart_train", "powerplay11_train", "sofmattress_train", "sofmattress_test"):
        rows += [Row(row["text"], "HINT3", False, False) for row in read(intent / f"hint3_{name}.jsonl.xz")]
    return rows


def _plain(path: Path, field: str, source: str) -> list[Row]:
    return [Row(row[field], source, False, trained(row[field])) for row in read(path)]


def content_rows(data: Path) -> list[Piece]:
    """Return sentences of documents and e-mails, and orders that don't belong into them."""
    chance = random.Random(SEED)
    retrieval = data / "retrieval"
    texts = [("documents", row["content"]) for row in read(retrieval / "tau2_banking_kb_698docs.jsonl.xz")]
    texts = [*chance.sample(texts, 300), *_sample_documents()]
    for row in chance.sample(read(retrieval / "awsdocs_docs_subset.jsonl.xz"), 200):
        start = chance.randint(0, max(0, len(row["text"]) - 1500))
        texts.append(("documents", row["text"][start : start + 1500]))
    pages = read(data / "kbversions" / "chatwoot_snapshots_0-7.jsonl.xz")[-1]["blobs"]
    texts += [("documents", text[:1500]) for text in list(pages.values())[:90]]
    found = [
        row["contexts"][0]["text"][:1200] for row in read(retrieval / "mtrag_un.jsonl.xz") if row["contexts"]
    ]
    texts += [("documents", text) for text in chance.sample(found, 90)]
    texts += [("e-mails", row["context"]) for row in read(data / "safety" / "bipia_email_contexts.jsonl.xz")]
    pieces = [
        Piece(piece, source, False, trained(text), place)
        for place, (source, text) in enumerate(texts)
        for piece in pieces_of(text)
    ]
    return [*pieces, *_orders(data, chance)]


def _sample_documents() -> list[tuple[str, str]]:
    """Return the help pages of the sample assistant."""
    folder = shipped_path("injection").parents[3] / "supply" / "assistant" / "templates" / "northline"
    return [("documents", path.read_text()) for path in sorted((folder / "knowledge").rglob("*.md"))]


def _orders(data: Path, chance: random.Random) -> list[Piece]:
    queries = [row["user_query"] for row in read(data / "grounding" / "halueval_general.jsonl.xz")]
    groups = {
        "written orders": [
            *grow(attempts.IN_DOCUMENTS, 900, 7), *grow(attempts.HIJACKS, 200, 8),
            *grow(attempts.EXTRACTIONS, 150, 8),
        ],
        "halueval": [query for query in chance.sample(queries, 700) if len(query) < 250],
    }  # fmt: skip
    rows = [
        Piece(text, source, True, trained(text), -1) for source, texts in groups.items() for text in texts
    ]
    for row in read(data / "safety" / "bipia_text_attacks.jsonl.xz"):
        rows.append(Piece(row["attack"], "BIPIA", True, trained(row["category"]), -1))
    return rows


# ------------------------------------------------------------------ fit


def fit(
    rows: Sequence[Row],
    vectors: Vectors,
    pieces: Sequence[Piece],
    piece_vectors: Vectors,
    *,
    leave_out: Collection[str] = (),
) -> Fitted:
    """Train on the rows that may be trained on.

    Args:
        rows: messages.
        vectors: their embeddings.
        pieces: sentences of documents.
        piece_vectors: their embeddings.
        leave_out: sources that are left out as a whole.
    """
    used = [place for place, row in enumerate(rows) if row.trained and row.source not in leave_out]
    surprise = surprise_of([rows[place].text for place in used if not rows[place].attack])
    shown = np.array([traits(row.text, surprise) for row in rows])
    mean, deviation = shown[used].mean(axis=0), shown[used].std(axis=0) + np.float32(1e-3)
    labels = np.array([row.attack for row in rows])
    importance = np.array([WEIGHTS.get(row.source, 1.0) for row in rows])
    blocks = _Blocks(
        [row.text for row in rows], vectors, (shown - mean) / deviation, np.zeros((len(rows), 4), np.float32)
    )
    message = blocks.fit(used, labels, importance, SCALES, MESSAGE_THRESHOLD)
    ordinary = [place for place in used if rows[place].source in ("STAR", "banking77")]
    screening = blocks.fit(used, labels, importance, (0.0, *SCALES[1:]), 0.0)
    cut = float(np.quantile(blocks.scores(ordinary, screening), 1 - SCREENED_SHARE))
    screening = _moved(screening, cut)
    alone = float(np.quantile(blocks.scores(ordinary, screening), 1 - ALONE_SHARE))
    content = _fit_content(pieces, piece_vectors, surprise, mean, deviation)
    return _packed(message, content, screening, surprise, mean, deviation, words_alone=alone)


def surprise_of(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return how unexpected each class of characters is after each other, in nats."""
    counts = np.full((SYMBOLS, SYMBOLS), 0.5)
    for text in texts:
        classes = letter_classes(text[:2000])
        np.add.at(counts, (classes[:-1], classes[1:]), 1)
    surprise: NDArray[np.float64] = -np.log(counts / counts.sum(axis=1, keepdims=True))
    return surprise.astype(np.float32)


def _fit_content(
    pieces: Sequence[Piece], vectors: Vectors, surprise: NDArray[np.float32],
    mean: NDArray[np.float32], deviation: NDArray[np.float32],
) -> Weights:  # fmt: skip
    shown = (np.array([traits(piece.text, surprise) for piece in pieces]) - mean) / deviation
    blocks = _Blocks([piece.text for piece in pieces], vectors, shown, beside(pieces, vectors))
    used = [place for place, piece in enumerate(pieces) if piece.trained]
    labels = np.array([piece.attack for piece in pieces])
    importance = np.array([CONTENT_WEIGHTS.get(piece.source, 1.0) for piece in pieces])
    return blocks.fit(used, labels, importance, CONTENT_SCALES, CONTENT_THRESHOLD)


def beside(pieces: Sequence[Piece], vectors: Vectors) -> NDArray[np.float32]:
    """Return each piece's likeness to the rest of its document; an order is put into one by chance."""
    chance = random.Random(SEED)
    sums: dict[int, NDArray[np.float32]] = {}
    for piece, vector in zip(pieces, vectors, strict=True):
        if piece.document >= 0:
            sums[piece.document] = sums.get(piece.document, np.zeros_like(vector)) + vector
    mails = {piece.document for piece in pieces if piece.source == "e-mails" and piece.trained}
    others = {piece.document for piece in pieces if piece.document >= 0 and piece.trained} - mails
    hosts = (sorted(mails), sorted(others))
    found = []
    for piece, vector in zip(pieces, vectors, strict=True):
        rest = (
            sums[chance.choice(chance.choice(hosts))] if piece.document < 0 else sums[piece.document] - vector
        )
        found.append(beside_the_rest(piece.text, vector, rest))
    return np.array(found, np.float32)


class _Blocks:
    """Features of texts in four blocks, and the logistic regression over them."""

    def __init__(
        self, texts: Sequence[str], vectors: Vectors, shown: NDArray[np.float32], extra: NDArray[np.float32]
    ) -> None:
        from scipy.sparse import csr_matrix

        hashed = [hashed_row(text) for text in texts]
        ends = np.cumsum([0, *(len(row.features) for row in hashed)])
        content = (
            np.concatenate([row.weights for row in hashed]),
            np.concatenate([row.features for row in hashed]),
            ends,
        )
        self._hashed = csr_matrix(content, shape=(len(texts), 2 * BUCKETS))
        self._dense = (vectors, np.clip(shown, -WIDEST, WIDEST), extra)

    def fit(
        self, used: Sequence[int], labels: NDArray[np.bool_], importance: NDArray[np.float64],
        scales: tuple[float, float, float, float], threshold: float,
    ) -> Weights:  # fmt: skip
        """Fit on the rows `used`; log-odds of `threshold` become 0."""
        from sklearn.linear_model import LogisticRegression

        matrix = self._matrix(used, scales)
        model = LogisticRegression(solver="liblinear", random_state=SEED)
        model.fit(matrix, labels[used], sample_weight=importance[used])
        vectors, shown, _ = self._dense
        ends = np.cumsum([vectors.shape[1], 2 * BUCKETS, shown.shape[1]])
        parts = np.split(model.coef_[0], ends)
        embedding, hashed, of_traits, further = (
            np.asarray(part * scale, np.float16).astype(np.float32)
            for part, scale in zip(parts, scales, strict=True)
        )
        kept = embedding if scales[0] else embedding[:0]
        return Weights(kept, hashed, of_traits, further, float(model.intercept_[0]) - threshold)

    def scores(self, used: Sequence[int], weights: Weights) -> NDArray[np.float64]:
        """Return log-odds of some rows without their embeddings."""
        _, shown, _ = self._dense
        sums = self._hashed[used] @ weights.hashed + shown[used] @ weights.traits + weights.offset
        return np.asarray(sums, np.float64)

    def _matrix(self, used: Sequence[int], scales: tuple[float, float, float, float]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        dense = [
            csr_matrix(block[used] * scale)
            for block, scale in zip(self._dense, (scales[0], *scales[2:]), strict=True)
        ]
        return hstack([dense[0], self._hashed[used] * scales[1], dense[1], dense[2]]).tocsr()


def _moved(weights: Weights, by: float) -> Weights:
    return Weights(weights.embedding, weights.hashed, weights.traits, weights.extra, weights.offset - by)


def _packed(
    message: Weights, content: Weights, screening: Weights, surprise: NDArray[np.float32],
    mean: NDArray[np.float32], deviation: NDArray[np.float32], *, words_alone: float,
) -> Fitted:  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {"surprise": surprise, "mean": mean, "deviation": deviation}
    facts: dict[str, Any] = {"form": 1, "traits": list(NAMES), "words_alone": round(words_alone, 4)}
    for name, weights in (("message", message), ("content", content), ("screen", screening)):
        for part in ("embedding", "hashed", "traits", "extra"):
            arrays[f"{name}_{part}"] = getattr(weights, part).astype(np.float16)
        facts[f"{name}_offset"] = round(weights.offset, 6)
    packed = pack(arrays, facts)
    return Fitted(InjectionHead.from_bytes(packed), packed)


if __name__ == "__main__":
    main()
