"""A text taken apart for telling what it says: words, stems, neighbours, numbers, sentences.

A passage is looked at for every sentence that stands on it, so the latest are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from steward.base.language.sentences import sentences

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_ENDINGS = (
    *("ations", "ation", "ements", "ement", "ings", "edly", "ing", "ied", "ies", "ers"),
    *("er", "ed", "es", "ly", "s", "e"),
)
_SHORTEST_STEM = 3
BEGINNING = 5
"""Letters from which two words that begin alike count as near: "derive", "derivation"."""
# fmt: off
FUNCTION_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being below between
    both but by can could did do does doing don down during each else ever every few for from further get
    gets go goes had has have having he hello her here hers hi him his how i if in into is it its itself just
    know let like may me might more most must my need no nor not now of off oh ok okay on once only onto or
    other our ours out over own per please really same she should so some such sure than thank thanks that
    the their theirs them then there these they this those through to too under until up us use very via
    want was we well were what when where which while who whom whose why will with would yeah yes you your
    yours""".split()
)
_DENIALS = frozenset(
    "cannot hardly neither never no nobody none nor not nothing nowhere rarely unable unless without".split()
)
# fmt: on
_FIRST_PERSON = frozenset("i i'd i'll i'm i've me mine my myself".split())
_KEPT_TEXTS = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """A passage's sentence: the stems of its words of meaning, and whether it denies something."""

    stems: frozenset[str]
    denies: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What one text holds.

    `words` are its words in lower case, `runs` the stems of all in order, `every` the same as a set,
    `stems` those of words that carry meaning. Only a passage has `parts`.
    """

    words: frozenset[str]
    runs: tuple[str, ...]
    every: frozenset[str]
    stems: frozenset[str]
    beginnings: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    triples: frozenset[tuple[str, str, str]]
    content_pairs: frozenset[tuple[str, str]]
    numbers: frozenset[str]
    names: frozenset[str]
    denies: bool
    first_person: int
    asks: bool
    parts: tuple[Part, ...]


@lru_cache(maxsize=_KEPT_TEXTS)
def told(text: str) -> Told:
    """Take a passage apart, each of its sentences too."""
    return _told(text, tuple(_part(sentence) for sentence in sentences(text)))


@lru_cache(maxsize=_KEPT_TEXTS)
def told_sentence(text: str) -> Told:
    """Take one sentence apart."""
    return _told(text, ())


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, digits among them."""
    return _WORD.findall(text.lower().replace("’", "'"))


def content_stems(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    return [stem(word) for word in words_of(text) if word not in FUNCTION_WORDS]


def denies(words: list[str] | tuple[str, ...]) -> bool:
    """Tell whether lower-case words hold a denial."""
    return any(word in _DENIALS or word.endswith("n't") for word in words)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a lower-case word without its ending; equal stems are taken for one word."""
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            shortened = word[: -len(ending)]
            undoubled = len(shortened) > _SHORTEST_STEM and shortened[-1] == shortened[-2]
            return shortened[:-1] if undoubled else shortened
    return word


def _part(text: str) -> Part:
    words = words_of(text)
    return Part(frozenset(stem(word) for word in words if word not in FUNCTION_WORDS), denies(words))


def _told(text: str, parts: tuple[Part, ...]) -> Told:
    words = words_of(text)
    runs = tuple(stem(word) for word in words)
    content = [stemmed for word, stemmed in zip(words, runs, strict=True) if word not in FUNCTION_WORDS]
    stems = frozenset(content)
    return Told(
        words=frozenset(words),
        runs=runs,
        every=frozenset(runs),
        stems=stems,
        beginnings=frozenset(item[:BEGINNING] for item in stems if len(item) >= BEGINNING),
        pairs=frozenset(pairwise(runs)),
        triples=frozenset(zip(runs, runs[1:], runs[2:], strict=False)),
        content_pairs=frozenset(pairwise(content)),
        numbers=frozenset(_NUMBER.findall(text)),
        names=frozenset(stem(name.lower()) for name in _inner_names(text)),
        denies=denies(words),
        first_person=sum(word in _FIRST_PERSON for word in words),
        asks=text.rstrip().endswith("?"),
        parts=parts,
    )


def _inner_names(text: str) -> list[str]:
    """Return capitalised words that don't begin a sentence."""
    return [
        found.group()
        for found in _WORD.finditer(text)
        if len(found.group()) > 1
        and found.group()[0].isupper()
        and found.start() > 1
        and text[found.start() - 1] in " ("
        and text[found.start() - 2] not in ".!?:\n"
    ]
