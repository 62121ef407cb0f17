"""Which kind of fact a question asks for, and whether a sentence states one of that kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = 0.5
"""Fit of a question that asks for no particular kind of fact."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Words by which a question asks for a kind of fact, and signs that a sentence states it."""

    asked: re.Pattern[str]
    stated: re.Pattern[str]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.VERBOSE)


_UNITS = "(?:second|minute|hour|day|week|month|year)s?"
_DURATION = _Kind(
    _pattern(
        rf"""\bhow\ (?:long|soon|early|late|quick\w*)\b | \bwhen\b | \bhow\ many\ {_UNITS}\b
        | \bwhat\ time\b | \bopening\b | \bhours\b"""
    ),
    _pattern(
        rf"""\d+(?:\.\d+)?[\s-]*(?:working\ |billing\ |full\ )?{_UNITS}\b | \b\d{{1,2}}(?:am|pm)\b
        | \b(?:at\ once|noon|midnight|next)\b | \b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"""
    ),
)
_MONEY = _Kind(
    _pattern(r"\bhow\ much\b | \bcosts?\b | \bprice | \bcharges?\b | \bfees?\b | \bpay\ for\b | \bfree\b"),
    _pattern(
        r"""[£$€]\s?\d | \d\s?(?:p|pence|%)(?!\w) | \bfree\b | \bno\ (?:fee|charge|cost)\b | \bnothing\b"""
    ),
)
_NUMBER = _Kind(
    _pattern(r"\bhow\ (?:many|big|large|old|often|fast)\b | \b(?:speed|phone\ number|limit)\b"),
    _pattern(r"\d"),
)
_PLACE = _Kind(
    _pattern(r"\bwhere\b"),
    _pattern(r"\b(?:under|open|printed|stands?|sticker|app|page|at\ [a-z.]+\.[a-z]+|https?://\S+)\b"),
)
_KINDS = (_DURATION, _MONEY, _NUMBER, _PLACE)


def fact_fit(question: str, sentence: str) -> float:
    """Return 1 where a sentence states the kind of fact asked for, 0 where it doesn't, else `UNKNOWN`."""
    for kind in _KINDS:
        if kind.asked.search(question):
            return 1.0 if kind.stated.search(sentence) else 0.0
    return UNKNOWN
