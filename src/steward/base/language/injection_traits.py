"""What an attempt to give an assistant new orders looks like, whatever it is about.

Numbers that no topic explains: talk of instructions and rules, a part to play, forbidden refusals, marks
of prompts and code, text that no language is made of. Counts are logarithmic; shares run from 0 to 1.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steward.base.language.injection_words import GROUPS, NEAR

LONGEST: Final = 8000
"""Characters read of a text."""
_WINDOW: Final = 40
"""Characters over which strangeness is averaged: a suffix of a dozen odd tokens fills several."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz '.,?!0"
SYMBOLS: Final = len(_ALPHABET) + 1
"""Classes of characters: letters, a few marks, digits as one, everything else as one."""

_WORD = re.compile(r"[a-z0-9'’-]+")
_TOKEN = re.compile(r"\S+")
_PLAIN_TOKEN = re.compile(
    r"[\"'“(*]*(?:[A-Za-z]?[a-z'’/-]+|[A-Z'’-]+|[£$€#]?\d[\d.,:/%-]*\w{0,2}|[-–&])[\"'”).,;:!?*]*"
)
_MARKS: Final = (
    ("tags", re.compile(r"<[|/]?[A-Za-z_]{2,24}[|/]?>|<<|\[/?[A-Z][A-Z _]{2,30}\]|\{\{|\}\}")),
    ("rulers", re.compile(r"[#=*~_-]{4,}|^#{1,4} |\"{3}|`{3}", re.MULTILINE)),
    ("speakers", re.compile(
        r"^\W{0,3}(?:system|user|assistant|human|ai|admin|developer|gpt|chatgpt|dan)\W{0,2}:",
        re.IGNORECASE | re.MULTILINE)),
    ("calls", re.compile(r"\w\(|[{};]$|==|=>|\$\w", re.MULTILINE)),
    ("slots", re.compile(r"\[[A-Za-z][^\]\n]{2,60}\]|\{[A-Za-z][^}\n]{1,40}\}")),
)  # fmt: skip
_ORDERS_FIRST = frozenset(GROUPS["ordering"].split())
NAMES: Final = (
    *GROUPS, *(f"{first}_near_{second}" for first, second, _ in NEAR), *(name for name, _ in _MARKS),
    "words", "lines", "capitals", "digits", "symbols", "foreign", "longest_token", "odd_tokens", "repeated",
    "longest_repeat", "strangeness", "strangest", "last_strangeness", "orders_first", "signs",
)  # fmt: skip
_PLACES: Final = {name: place for place, name in enumerate(GROUPS)}
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


def _grouped() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for place, words in enumerate(GROUPS.values()):
        for word in dict.fromkeys(words.split()):
            found[word] = (*found.get(word, ()), place)
    return found


_GROUPED: Final = _grouped()
_FIRST_OF_PAIRS: Final = frozenset(word.split("_")[0] for word in _GROUPED if "_" in word)


def letter_classes(text: str) -> NDArray[np.intp]:
    """Return the class of each character, 0 to SYMBOLS - 1."""
    codes = np.frombuffer(text.lower().encode("utf-32-le", "replace"), np.uint32)
    return _CLASSES[np.minimum(codes, len(_CLASSES) - 1)]


def traits(text: str, surprise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a text's traits in the order of `NAMES`.

    Args:
        text: a message, masked or not.
        surprise: how unexpected a character is after another in ordinary text, in nats, shape
            (SYMBOLS, SYMBOLS).
    """
    looked_at = text[:LONGEST]
    classes = letter_classes(looked_at)
    words = _WORD.findall(looked_at.lower().replace("’", "'"))
    places = _places(words)
    counts = [len(found) for found in places]
    near = [_near(places[_PLACES[first]], places[_PLACES[second]], reach) for first, second, reach in NEAR]
    marks = [len(pattern.findall(looked_at)) for _, pattern in _MARKS]
    signs = sum(1 for place in _SIGNS if counts[place])
    return np.array(
        [
            *map(_log, counts),
            *map(_log, near),
            *map(_log, marks),
            *_shape(looked_at, classes),
            *_strangeness(classes, surprise),
            float(bool(words) and words[0] in _ORDERS_FIRST),
            float(signs),
        ],
        np.float32,
    )


def _places(words: list[str]) -> list[list[int]]:
    """Return where words of each group stand."""
    places: list[list[int]] = [[] for _ in GROUPS]
    for index, word in enumerate(words):
        for group in _GROUPED.get(word, ()):
            places[group].append(index)
        if word in _FIRST_OF_PAIRS and index + 1 < len(words):
            for group in _GROUPED.get(f"{word}_{words[index + 1]}", ()):
                places[group].append(index)
    return places


def _near(first: list[int], second: list[int], reach: int) -> int:
    """Count places of the first that have one of the second within reach, not at the same word."""
    if not first or not second:
        return 0
    if len(first) * len(second) <= 64:
        return sum(any(0 < abs(one - other) <= reach for other in second) for one in first)
    distances = np.abs(np.array(first)[:, None] - np.array(second)[None, :])
    return int(((distances > 0) & (distances <= reach)).any(axis=1).sum())


def _is_odd(token: str) -> bool:
    """Tell whether a token is neither a word nor a number; most are told without the pattern."""
    bare = token.rstrip(".,;:!?")
    if bare.isascii() and bare.isalpha() and (bare[1:].islower() or bare.isupper()):
        return False
    return _PLAIN_TOKEN.fullmatch(token) is None


def _shape(text: str, classes: NDArray[np.intp]) -> list[float]:
    tokens = _TOKEN.findall(text)
    length, count = max(len(text), 1), max(len(tokens), 1)
    digits = float((classes == _ALPHABET.index("0")).sum())
    symbols = float((classes == SYMBOLS - 1).sum())
    return [
        _log(len(tokens)),
        _log(text.count("\n")),
        sum(token.isupper() and len(token) > 2 for token in tokens) / count,
        digits / length,
        symbols / length,
        0.0 if text.isascii() else sum(ord(letter) > 0x24F for letter in text) / length,
        _log(max(map(len, tokens), default=0)),
        sum(map(_is_odd, tokens)) / count,
        1 - len({token.lower() for token in tokens}) / count,
        _log(_longest_repeat(tokens)),
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


def _strangeness(classes: NDArray[np.intp], surprise: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return the mean surprise of a character, that of the strangest window and that of the last."""
    if len(classes) < 2:
        return 0.0, 0.0, 0.0
    steps = surprise[classes[:-1], classes[1:]]
    mean = float(steps.mean())
    if len(steps) <= _WINDOW:
        return mean, mean, mean
    sums = np.concatenate([[0.0], np.cumsum(steps, dtype=np.float64)])
    windows = (sums[_WINDOW:] - sums[:-_WINDOW]) / _WINDOW
    return mean, float(windows.max()), float(windows[-1])


def _longest_repeat(tokens: list[str]) -> int:
    longest = run = 0
    for before, token in pairwise(tokens):
        run = run + 1 if token == before else 0
        longest = max(longest, run)
    return longest


def _log(count: int) -> float:
    return float(np.log1p(count))
