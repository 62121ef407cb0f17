"""What an attempt to give an assistant new orders looks like, whatever it is about.

Numbers that no topic explains: talk of instructions and rules, a part to play, forbidden refusals, marks
of prompts and code, text that no language is made of. Counts are logarithmic; shares run from 0 to 1.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steward.base.language.injection_words import GROUPS, NEAR
from steward.base.language.word_groups import LONGEST, WordGroups, words_of

_WINDOW: Final = 40
"""Characters over which strangeness is averaged: a suffix of a dozen odd tokens fills several."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz '.,?!0"
SYMBOLS: Final = len(_ALPHABET) + 1
"""Classes of characters: letters, a few marks, digits as one, everything else as one."""

_ODD_TOKEN = re.compile(
    r"""\s*+(?:(?:["'“(*]*+(?:[A-Z]?[a-z'’/-]++|[A-Z'’-]++|[£$€#]?\d[\d.,:/%-]*+\w{0,2}|[-–&])"""
    r"""|(?:["'*]*+[“(])*+["*]*+')["'”).,;:!?*]*+(?!\S)\s*+)*+(\S*+)"""
)
"""Finds the next token that is neither a word nor a number nor a quotation mark, behind those that are; empty
at the end. Nothing is tried twice: a wall of apostrophes takes no longer than any other text."""
_RULER = re.compile(r"[#=*~_-]{4,}")
_CALL_SIGNS: Final = ("$", "==", "=>", "{\n", "}\n", ";\n")


def _has_rulers(text: str) -> bool:
    if "#" in text or '"""' in text or "```" in text:
        return True
    return sum(map(text.count, "=*~_-")) >= 4 and _RULER.search(text) is not None


def _has_calls(text: str) -> bool:
    opened = text.count("(") != text.count(" (")
    return opened or text.endswith(("{", "}", ";")) or any(sign in text for sign in _CALL_SIGNS)


_MARKS: Final[tuple[tuple[str, Callable[[str], bool], re.Pattern[str]], ...]] = (
    ("tags", lambda text: "<" in text or "[" in text or "{{" in text or "}}" in text,
     re.compile(r"<[|/]?[A-Za-z_]{2,24}[|/]?>|<<|\[/?[A-Z][A-Z _]{2,30}\]|\{\{|\}\}")),
    ("rulers", _has_rulers, re.compile(r"[#=*~_-]{4,}|^#{1,4} |\"{3}|`{3}", re.MULTILINE)),
    ("speakers", lambda text: ":" in text, re.compile(
        r"^\W{0,3}(?:system|user|assistant|human|ai|admin|developer|gpt|chatgpt|dan)\W{0,2}:",
        re.IGNORECASE | re.MULTILINE)),
    ("calls", _has_calls, re.compile(r"\w\(|[{};]$|==|=>|\$\w", re.MULTILINE)),
    ("slots", lambda text: "[" in text or "{" in text,
     re.compile(r"\[[A-Za-z][^\]\n]{2,60}\]|\{[A-Za-z][^}\n]{1,40}\}")),
)  # fmt: skip
"""Marks of prompts and code; what a text without any hasn't got is asked first, which costs a tenth."""
_ORDERS_FIRST = frozenset(GROUPS["ordering"].split())
NAMES: Final = (
    *GROUPS, *(f"{first}_near_{second}" for first, second, _ in NEAR), *(name for name, _, _ in _MARKS),
    "words", "lines", "capitals", "digits", "symbols", "foreign", "longest_token", "odd_tokens", "repeated",
    "longest_repeat", "strangeness", "strangest", "last_strangeness", "orders_first", "signs",
)  # fmt: skip
_PLACES: Final = {name: place for place, name in enumerate(GROUPS)}
_NEAR: Final = tuple((_PLACES[first], _PLACES[second], reach) for first, second, reach in NEAR)
_SIGNS: Final = [
    _PLACES[name]
    for name in (
        "override",
        "orders",
        "machine",
        "part",
        "commanded",
        "unbound",
        "unrefusing",
        "secrets",
        "delimiters",
    )
]  # fmt: skip
_GROUPED: Final = WordGroups(GROUPS)


def letter_classes(text: str) -> NDArray[np.intp]:
    """Return the class of each character, 0 to SYMBOLS - 1."""
    codes = np.frombuffer(text.lower().encode("utf-32-le", "replace"), np.uint32)
    return _CLASSES.take(codes, mode="clip")


def traits(
    text: str, surprise: NDArray[np.float32], *, words: Sequence[str] | None = None
) -> NDArray[np.float32]:
    """Return a text's traits in the order of `NAMES`.

    Args:
        text: a message, masked or not.
        surprise: how unexpected a character is after another in ordinary text, in nats, shape
            (SYMBOLS, SYMBOLS).
        words: the text's `words_of`, where they are known already.
    """
    looked_at = text[:LONGEST]
    classes = letter_classes(looked_at)
    words = words_of(looked_at) if words is None else words
    places = _places(words)
    marks = [len(pattern.findall(looked_at)) if may_have(looked_at) else 0 for _, may_have, pattern in _MARKS]
    near = [
        _near(places[first], places[second], reach) if places[first] and places[second] else 0
        for first, second, reach in _NEAR
    ]
    counts = [*map(len, places), *near, *marks]
    signs = sum(1 for place in _SIGNS if places[place])
    return np.array(
        [
            *map(math.log1p, counts),
            *_shape(looked_at, classes),
            *_strangeness(classes, surprise),
            float(bool(words) and words[0] in _ORDERS_FIRST),
            float(signs),
        ],
        np.float32,
    )


def _places(words: Sequence[str]) -> list[list[int]]:
    """Return where words of each group stand."""
    places: list[list[int]] = [[] for _ in GROUPS]
    for term, found in _GROUPED.places(words).items():
        for group in _GROUPED.groups_of[term]:
            places[group] += found
    return places


def _near(first: list[int], second: list[int], reach: int) -> int:
    """Count places of the first that have one of the second within reach, not at the same word."""
    if len(first) * len(second) <= 64:
        return sum(any(0 < abs(one - other) <= reach for other in second) for one in first)
    distances = np.abs(np.array(first)[:, None] - np.array(second)[None, :])
    return int(((distances > 0) & (distances <= reach)).any(axis=1).sum())


def _shape(text: str, classes: NDArray[np.intp]) -> list[float]:
    tokens = text.split()
    length, count = max(len(text), 1), max(len(tokens), 1)
    letters = np.bincount(classes, minlength=SYMBOLS).tolist()
    return [
        math.log1p(len(tokens)),
        math.log1p(text.count("\n")),
        sum(len(token) > 2 for token in filter(str.isupper, tokens)) / count,
        letters[_DIGIT] / length,
        letters[SYMBOLS - 1] / length,
        0.0 if text.isascii() else sum(letter > "\u024f" for letter in text) / length,
        math.log1p(max(map(len, tokens), default=0)),
        sum(map(bool, _ODD_TOKEN.findall(text))) / count,
        1 - len(set(text.lower().split())) / count,
        math.log1p(_longest_repeat(tokens)),
    ]


def _class_table() -> NDArray[np.intp]:
    """Return the class of each code point up to 255, and in the last place of any other."""
    table = np.full(257, SYMBOLS - 1, np.intp)
    for code in range(256):
        letter = chr(code)
        kept = "0" if letter.isdigit() else " " if letter.isspace() else letter
        if kept in _ALPHABET:
            table[code] = _ALPHABET.index(kept)
    return table


_CLASSES: Final = _class_table()
_DIGIT: Final = _ALPHABET.index("0")


def _strangeness(classes: NDArray[np.intp], surprise: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return the mean surprise of a character, that of the strangest window and that of the last."""
    if len(classes) < 2:
        return 0.0, 0.0, 0.0
    steps = surprise.ravel().take(classes[:-1] * SYMBOLS + classes[1:])
    if len(steps) <= _WINDOW:
        mean = float(steps.mean())
        return mean, mean, mean
    sums = np.cumsum(steps, dtype=np.float64)
    windows = sums[_WINDOW:] - sums[:-_WINDOW]
    first, strangest = float(sums[_WINDOW - 1]), float(windows.max(initial=0.0))
    last = float(windows[-1]) if len(windows) else first
    return float(sums[-1]) / len(steps), max(first, strangest) / _WINDOW, last / _WINDOW


def _longest_repeat(tokens: list[str]) -> int:
    if not any(map(operator.eq, tokens, tokens[1:])):
        return 0
    longest = run = 0
    for before, token in pairwise(tokens):
        run = run + 1 if token == before else 0
        longest = max(longest, run)
    return longest
