"""MTRAG's answers that people scored, and the measures by which scores are held against theirs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.grounding import read
from steward.base.language.grounding import ground_of
from steward.base.language.grounding_text import content_stems, told, told_sentence, words_of
from steward.base.language.sentences import sentences
from steward.serve.turn.claims import makes_claim
from steward.serve.turn.conflicts import clauses_of
from steward.serve.turn.quantities import known_in

LOW = 3.0
"""Mean of three people's scores (1 to 4) below which an answer counts as unfaithful."""
EIGHTY_TOKENS = (50, 75)
"""Words of answers that are timed: about 80 tokens."""
PASSAGES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of MTRAG: its claims, what it stands on, and the mean of people's scores."""

    text: str
    context: str
    claims: tuple[str, ...]
    passages: tuple[str, ...]
    human: float
    bert_kprec: float


Score = Callable[[str, Sequence[str]], float]


def mtrag(data: Path) -> Iterator[Answer]:
    """Yield MTRAG's answers that people scored."""
    for row in read(data / "grounding" / "mtrag_human_eval.jsonl.xz"):
        context = " ".join(turn["text"] for turn in row["question"])
        scores = row["annotations"]["faithfulness"].values()
        yield Answer(
            text=row["response"],
            context=context,
            claims=tuple(item for item in sentences(row["response"]) if makes_claim(item, context)),
            passages=tuple(row["contexts"]),
            human=statistics.mean(float(score["value"]) for score in scores),
            bert_kprec=float(row["annotations"]["Bert-KPrec"]["system"]["value"]),
        )


def faithfulness(answer: Answer, score: Score) -> float:
    """Return the mean score of an answer's claims, each counting by its words of meaning; 1 for none."""
    if not answer.claims:
        return 1.0
    weights = [max(1, len(content_stems(claim))) for claim in answer.claims]
    scores = [score(claim, answer.passages) for claim in answer.claims]
    return float(np.average(scores, weights=weights))


def word_coverage(sentence: str, passages: Sequence[str]) -> float:
    """Return the share of a sentence's words that stand in passages."""
    wanted = words_of(sentence)
    held = {word for passage in passages for word in words_of(passage)}
    return sum(word in held for word in wanted) / len(wanted) if wanted else 1.0


def forget(*, everything: bool) -> None:
    """Drop what is kept of sentences, and of passages too where everything is to be new."""
    told_sentence.cache_clear()
    if everything:
        for kept in (told, ground_of, known_in, clauses_of):
            kept.cache_clear()


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 0, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    return (starts + (counts - 1) / 2)[inverse]


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the chance that a positive row scores higher than a negative one."""
    count = int(positive.sum())
    ordered = ranks(np.asarray(scores, float))
    return float((ordered[positive].sum() - count * (count - 1) / 2) / (count * (len(positive) - count)))
