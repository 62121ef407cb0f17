"""Judges regular expressions of a folder: they compile, are short, and can't run away on hostile text.

Python's engine backtracks, so one bad pattern and one long message could stop a worker. Refused
are back-references, and repetitions that can split the same text in exponentially many ways: an
open-ended repetition inside another, and alternatives inside one that begin alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

# No public face tells a pattern's parts, and type checkers don't agree on whether these modules are there.
codes: Final[Any] = import_module("re._constants")
regex_parser: Final[Any] = import_module("re._parser")

MOST_LENGTH: Final = 200
MOST_OPEN_REPEATS: Final = 4
"""Each further open-ended repetition can add a power to the time on a message of 20 kB."""
_OPEN_FROM: Final = 64
"""A repetition bounded above this behaves as if it were open-ended."""

_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT)


def problem_of(pattern: str) -> str | None:
    """Say why a pattern can't be used, or None where it can."""
    if len(pattern) > MOST_LENGTH:
        return f"the pattern is longer than {MOST_LENGTH} characters; split it into several"
    try:
        re.compile(pattern)
        tree = regex_parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"the pattern isn't a regular expression: {error}"
    repeats = 0
    for kind, argument, depth in _parts(tree, 0):
        if kind in (codes.GROUPREF, codes.GROUPREF_EXISTS):
            return "the pattern refers back to a group, which can take very long; write it without"
        if kind in _REPEATS and _is_open(argument):
            repeats += 1
            if depth > 0:
                return "the pattern repeats what repeats itself, which can take forever; bound it as in {1,9}"
            if _ambiguous(argument[2]):
                return "alternatives inside the repetition begin alike, which can take forever; merge them"
    if repeats > MOST_OPEN_REPEATS:
        return f"the pattern has over {MOST_OPEN_REPEATS} open-ended repetitions; bound them, as in {{1,20}}"
    return None


def _parts(tree: Any, depth: int) -> Iterator[tuple[Any, Any, int]]:
    """Yield (kind, argument, how many open repetitions surround it) of every part."""
    for kind, argument in tree:
        yield kind, argument, depth
        for inner in _inner(kind, argument):
            yield from _parts(inner, depth + (kind in _REPEATS and _is_open(argument)))


def _inner(kind: Any, argument: Any) -> Iterator[Any]:
    if kind in _REPEATS or kind is codes.POSSESSIVE_REPEAT:
        yield argument[2]
    elif kind is codes.BRANCH:
        yield from argument[1]
    elif kind is codes.SUBPATTERN:
        yield argument[3]
    elif kind in (codes.ASSERT, codes.ASSERT_NOT):
        yield argument[1]
    elif kind is codes.ATOMIC_GROUP:
        yield argument
    elif kind is codes.GROUPREF_EXISTS:
        yield from (part for part in argument[1:] if part is not None)


def _is_open(argument: Any) -> bool:
    return bool(argument[1] is codes.MAXREPEAT or int(argument[1]) > _OPEN_FROM)


def _ambiguous(tree: Any) -> bool:
    """Tell whether alternatives directly inside a repetition can begin with the same character."""
    for kind, argument in tree:
        if kind is codes.BRANCH:
            first = [_starts(branch) for branch in argument[1]]
            if any(None in starts for starts in first):
                return True
            seen: set[Any] = set()
            for starts in first:
                if seen & starts:
                    return True
                seen |= starts
        elif kind is codes.SUBPATTERN and _ambiguous(argument[3]):
            return True
    return False


def _starts(branch: Any) -> set[Any]:
    """Return the characters a branch can begin with; None in it stands for anything."""
    if not len(branch):
        return {None}
    kind, argument = branch[0]
    if kind is codes.LITERAL:
        return {argument}
    if kind is codes.IN and all(item[0] is codes.LITERAL for item in argument):
        return {item[1] for item in argument}
    return {None}
