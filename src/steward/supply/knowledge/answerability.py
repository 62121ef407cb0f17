"""Signs of a turn that tell whether the passages found answer the question; numbers, no decision.

Three kinds: how well the search went (scores, and how far the first stands out), how much of the question's
weighted words the passages hold, and whether the question says what it is about or leaves that to what was
said before. Nothing is embedded and nothing is read; a passage's words are kept from one turn to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import log, nan
from typing import Final

from steward.base.language.sentences import sentences
from steward.supply.knowledge.contracts import Passage
from steward.supply.knowledge.evidence import COMPARED, strength
from steward.supply.knowledge.lexical import Statistics, feature_of, terms

_POINTING: Final = re.compile(
    r"\b(?:this|that|these|those|such)\s+(?!(?:is|are|was|were|mean|the|a|an|it|i|we|you|they|he|she|to|do|does|"
    r"did|what|why|how|who|if|will|would|can|could|has|have|not|because|in|on|for|day|morning|afternoon|evening|week|"
    r"weekend|month|quarter|year|time|moment)\b)"
    r"([a-z'’-]+(?:\s+[a-z'’-]+){0,2})",
    re.IGNORECASE,
)
"""Words that point at a thing ("this phone"), with the thing's name."""
_ONESELF: Final = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|us|our|ours)\b", re.IGNORECASE)
"""Who speaks of oneself points at one's own things."""
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|her|his|there|one|ones)\b", re.IGNORECASE
)
_NAMED: Final = re.compile(r"\bthe\s+([a-z'’-]+)")
_YES_OR_NO: Final = re.compile(
    r"\W*(?:is|are|do|does|did|can|could|will|would|should|isn't|aren't|don't|doesn't)\b", re.IGNORECASE
)
_ASKS_WHICH: Final = re.compile(r"\W*(?:what|why|how|when|where|which|who)\b", re.IGNORECASE)
_COMMON_GAP: Final = 0.05
"""How far the first passage stands out where there are too few to tell (`evidence.py`)."""

NOT_KNOWN: Final = nan
"""Of signs that need something said before, in a first message."""

Words = frozenset[str]


def signs_of(
    question: str, before: Sequence[str], passages: Sequence[Passage], statistics: Statistics
) -> dict[str, float]:
    """Return the signs of one turn; with no passage there are none to speak of and all are 0.

    Args:
        question: the customer's message, masked.
        before: what was said before it by either side, oldest first, masked.
        passages: what the search found, best first.
        statistics: how rare words are in that knowledge base.
    """
    if not passages:
        return dict.fromkeys(SIGNS, 0.0)
    return {
        **_search_signs(passages),
        **_word_signs(question, before, passages, statistics),
        **_reference_signs(question, before),
    }


def _search_signs(passages: Sequence[Passage]) -> dict[str, float]:
    scores = [passage.score for passage in passages]
    dense = [passage.dense for passage in passages[:COMPARED]]
    certain = min(max(strength(scores), 1e-6), 1 - 1e-6)
    enough = len(passages) >= COMPARED
    return {
        "strength": log(certain / (1 - certain)),
        "best_dense": dense[0],
        "most_dense": max(passage.dense for passage in passages),
        "mean_dense": sum(dense) / len(dense),
        "best_lexical": passages[0].lexical,
        "gap": scores[0] - scores[COMPARED - 1] if enough else _COMMON_GAP,
        "dense_gap": dense[0] - sum(dense[1:]) / (COMPARED - 1) if enough else _COMMON_GAP,
        "share_of_best": scores[0] / (sum(scores[:COMPARED]) or 1.0) if enough else 0.25,
    }


def _word_signs(
    question: str, before: Sequence[str], passages: Sequence[Passage], statistics: Statistics
) -> dict[str, float]:
    weight = {term: statistics.rarity(feature_of(term)) for term in _words_said(question)}
    whole = sum(weight.values()) or 1.0
    bodies = [_words(f"{passage.heading}\n{passage.body}") for passage in passages]
    said = [_sentence_words(passage.body) for passage in passages[:COMPARED]]
    said_words = [words for passage in said for words in passage]
    earlier = _words_of(before)
    last = _words_said(before[-1]) if before else frozenset()

    def share(words: Iterable[str]) -> float:
        return sum(weight[term] for term in weight.keys() & words) / whole

    def rarity(words: Words) -> float:
        return sum(statistics.rarity(feature_of(term)) for term in words)

    best = bodies[0]
    alike = [rarity(best & other) / (rarity(other) or 1.0) for other in bodies[1:COMPARED]]
    weights = [rarity(body) or 1.0 for body in bodies[:3]]
    pairs = list(pairwise(terms(question)))
    together = sum(any(a in words and b in words for words in said_words) for a, b in pairs)
    return {
        "in_best": share(best),
        "in_three": share(frozenset().union(*bodies[:3])),
        "in_sentence": max((share(words) for words in said_words), default=0.0),
        "pairs_together": together / len(pairs) if pairs else 0.0,
        "rarest_missing": max((weight[term] for term in weight.keys() - best), default=0.0),
        "alike": sum(alike) / len(alike) if alike else 0.0,
        "terms": log(1 + len(weight)),
        "rarity": sum(weight.values()) / max(len(weight), 1),
        "said_before": share(earlier) if before else NOT_KNOWN,
        "before_and_best": share(earlier & best) if before else NOT_KNOWN,
        "before_in_passages": max(
            rarity(earlier & body) / of for body, of in zip(bodies[:3], weights, strict=True)
        )
        if before
        else NOT_KNOWN,
        "last_in_best": rarity(last & best) / weights[0] if before else NOT_KNOWN,
    }


def _reference_signs(question: str, before: Sequence[str]) -> dict[str, float]:
    earlier = _words_of(before)
    things = [_words_said(thing) for thing in _POINTING.findall(question)]
    open_thing = any(not thing & earlier for thing in things) and not _ONESELF.search(question)
    named = (_words_said(name) for name in _NAMED.findall(question))
    return {
        "points": float(bool(things)),
        "points_nowhere": float(open_thing),
        "points_first": float(open_thing and not before),
        "pronoun": float(bool(_PRONOUN.search(question))),
        "names_new": float(any(name and not name & earlier for name in named)),
        "yes_or_no": float(bool(_YES_OR_NO.match(question))),
        "asks_which": float(bool(_ASKS_WHICH.match(question))),
    }


def _words_of(texts: Iterable[str]) -> Words:
    return frozenset().union(*map(_words_said, texts))


@lru_cache(maxsize=4096)
def _words(passage: str) -> Words:
    return frozenset(terms(passage))


@lru_cache(maxsize=512)
def _words_said(text: str) -> Words:
    """Return the words of something said: kept for the conversations under way, not for long."""
    return frozenset(terms(text))


@lru_cache(maxsize=4096)
def _sentence_words(body: str) -> tuple[Words, ...]:
    return tuple(frozenset(terms(sentence)) for sentence in sentences(body))


SIGNS: Final = (
    "strength", "best_dense", "most_dense", "mean_dense", "best_lexical", "gap", "dense_gap", "share_of_best",
    "in_best", "in_three", "in_sentence", "pairs_together", "rarest_missing", "alike", "terms", "rarity",
    "said_before", "before_and_best", "before_in_passages", "last_in_best",
    "points", "points_nowhere", "points_first", "pronoun", "names_new", "yes_or_no", "asks_which",
)  # fmt: skip


def signs_in_order(signs: Mapping[str, float]) -> tuple[float, ...]:
    """Return signs in the order of `SIGNS`, as a head is trained on them."""
    return tuple(signs[name] for name in SIGNS)
