"""Messages that are hardly more than a value: a PIN or a date of birth typed as an answer.

Nothing beside it says what it is, so its form and its standing alone must do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, word_set

_LONGEST = 160
_SHORT_CODE = re.compile(r"(?<![\w£$€#.,:/+-])(?P<value>[0-9]{4,5})(?![\w%£$€]|[.,:/-][0-9])")
_DATE = re.compile(
    r"(?<![\d/.-])(?:(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})(?P=s)(?P<year>(?:19|20)\d\d)"
    r"|(?P<first>(?:19|20)\d\d)(?P<t>[-/.])(?P<c>\d{1,2})(?P=t)(?P<d>\d{1,2}))(?!\d|[-/.]\d)"
)
_SHORT_DATE = re.compile(r"\W{0,4}(?P<value>\d{1,2}([-/.])\d{1,2}\2\d{2})\W{0,4}")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{2,6})?"
_DAY_OF_MONTH = r"(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_NAMED_DATE = re.compile(
    rf"\b(?:{_DAY_OF_MONTH}[\s-]{{1,2}}(?:of\s)?{_MONTH}\b|{_MONTH}\b\.?\s{{1,2}}(?:the\s)?{_DAY_OF_MONTH})"
    r"[\s,./-]{1,3}(?P<year>19[0-9]{2}|20[01][0-9]|'[3-9][0-9])(?![0-9])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_YOUNGEST: Final = 2010
"""A full date of that year or before isn't one of an order, a bill or an appointment."""
_ANSWERING = word_set(
    "yes yeah yep ok okay sure oh ah um well so and or it it's its it’s is was the my mine that that's "
    "please thanks thank you here i think maybe either of course sorry but actually wait no either right "
    "hi hello with just remembered remember now then probably might be could guess believe you need want "
    "instead if"
)
_MOST_OTHERS = 1
"""Words besides those of answering and the name of a secret; more make a sentence of their own."""
_SECRETS = word_set("pin puk passcode")
_UNITS = word_set(
    "pounds pound dollars dollar euros euro quid gbp usd eur am pm o'clock mbps gb mb street road avenue "
    "lane model calls minutes texts messages kwh points steps miles km calories items people times days "
    "percent version"
)
_NAMED_THINGS = word_set(
    "order orders invoice ticket model error fault version street road number plan zip postcode room flat "
    "house channel since until in for about around over under than per by from to between before after "
    "during till year pay paid costs cost spent owe charged"
)
_MONTHS = word_set(
    "january february march april may june july august september october november december jan feb mar apr "
    "jun jul aug sep sept oct nov dec"
)
_CHOICE = re.compile(r"(?<![\d.,£$€])[0-9]{4}\s(?:or|maybe|or maybe)\s(?:it'?s\s)?[0-9]{4}(?![\d.,:/-])")
_GOING_ON = word_set("the and i you if my does would could please thanks or but that it maybe is was")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_PAUSE = re.compile(r"\s?(?:[,;!?-]|\.(?:\s|$))")
_MOST_VALUES = 3


def find_bare(scan: Scan) -> Iterator[Candidate]:
    """Find short codes that stand alone or are said of a PIN, and dates too old for anything but a birth."""
    if not scan.has_digit:
        return
    text = scan.text
    yield from _births(scan)
    if len(text) <= _LONGEST:
        yield from _codes(scan)


def _births(scan: Scan) -> Iterator[Candidate]:
    text = scan.text
    if not scan.words.isdisjoint(_MONTHS):
        for named in _NAMED_DATE.finditer(text):
            if named["year"][0] == "'" or int(named["year"]) <= _YOUNGEST:
                yield Candidate(*named.span(), Kind.DATE_OF_BIRTH, compact(named[0]), Rank.SHAPE)
    for match in _DATE.finditer(text):
        year = int(match["year"] or match["first"])
        numbers = [int(match[group] or 1) for group in ("a", "b", "c", "d")]
        if 1900 <= year <= _YOUNGEST and all(1 <= number <= 31 for number in numbers):
            yield Candidate(*match.span(), Kind.DATE_OF_BIRTH, compact(match[0]), Rank.SHAPE)
    if len(text) <= 20 and (short := _SHORT_DATE.fullmatch(text)) is not None:
        yield Candidate(*short.span("value"), Kind.DATE_OF_BIRTH, compact(short["value"]), Rank.SHAPE)


def _codes(scan: Scan) -> Iterator[Candidate]:
    """Find codes of four or five digits in a message that says nothing else of them."""
    text = scan.text
    found = list(_SHORT_CODE.finditer(text))
    if not 1 <= len(found) <= _MOST_VALUES:
        return
    secret = not scan.words.isdisjoint(_SECRETS)
    chosen = _CHOICE.search(text) is not None
    for match in found:
        start, end = match.span()
        if not _measures(text, start, end) and (secret or chosen or _stands_alone(text, start, end)):
            kind = Kind.PASSWORD if secret else Kind.NUMBER
            yield Candidate(start, end, kind, match["value"], Rank.CONTEXT if secret else Rank.PROVISIONAL)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether a code is all that its sentence says, or what its message begins or ends with."""
    first, last = _sentence(text, start, end)
    before, after = _words(text[first:start]), _words(text[end:last])
    if len([word for word in before + after if word not in _ANSWERING]) <= _MOST_OTHERS:
        return True
    if not text[end:].strip(" .!?\\)\"'") and not _YEAR.fullmatch(text, start, end):
        return True
    lead = first == 0 and all(word in _ANSWERING for word in before)
    return lead and (_PAUSE.match(text, end) is not None or after[0] in _GOING_ON)


def _measures(text: str, start: int, end: int) -> bool:
    """Tell whether the words beside a number say that it counts or names something ordinary."""
    before, after = _words(text[max(0, start - 24) : start])[-2:], _words(text[end : end + 24])[:2]
    if before and before[-1] in _MONTHS and _YEAR.fullmatch(text, start, end):
        return int(text[start:end]) > _YOUNGEST
    return not _UNITS.isdisjoint(after) or not _NAMED_THINGS.isdisjoint(before)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


_END = re.compile(r"[.!?\n](?=\s|$)|\s-\s")


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentence around a place begins and ends."""
    first = 0
    for stop in _END.finditer(text):
        if stop.end() <= start:
            first = stop.end()
        elif stop.start() >= end:
            return first, stop.start()
    return first, len(text)
