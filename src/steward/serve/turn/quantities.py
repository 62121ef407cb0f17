"""Numbers as what they measure: "£12.50" is "12.50 pounds", "two weeks" are "14 days", "3 March" is "03/03".

What a sentence measures has to stand in its evidence under the same measure and value, or there as a
plain number that carries no measure at all, as tables have them. "5 days" isn't "5 working days", and
what is written alike is alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPOKEN = {
    **{word: value for value, word in enumerate(_SMALL)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    "a": 1,
    "an": 1,
}
_HUNDRED = "hundred"
_HALF = Decimal("0.5")
_MONTHS = {
    name: number
    for number, names in enumerate(
        "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep "
        "october/oct november/nov december/dec".split(),
        1,
    )
    for name in names.split("/")
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CURRENCIES = {
    **dict.fromkeys(("£", "gbp", "pound", "quid"), "GBP"),
    **dict.fromkeys(("$", "usd", "dollar"), "USD"),
    **dict.fromkeys(("€", "eur"), "EUR"),
}
_HUNDREDTHS = {"p": "GBP", "pence": "GBP", "penny": "GBP", "cent": "USD"}
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_LETTERED = {"k": 1_000, "m": 1_000_000}
_LENGTHS: Final[Mapping[str, tuple[str, Decimal]]] = {
    **dict.fromkeys(("second", "sec"), ("second", Decimal(1))),
    **dict.fromkeys(("minute", "min"), ("second", Decimal(60))),
    **dict.fromkeys(("hour", "hr"), ("second", Decimal(3600))),
    "day": ("second", Decimal(86_400)),
    "week": ("second", Decimal(604_800)),
    "fortnight": ("second", Decimal(1_209_600)),
    "month": ("month", Decimal(1)),
    "quarter": ("month", Decimal(3)),
    **dict.fromkeys(("year", "yr"), ("month", Decimal(12))),
}
_FIGURE = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_TO_99 = rf"(?:(?:{'|'.join(_TENS)})(?:[-\s](?:{'|'.join(_SMALL[1:10])}))?|{'|'.join(_SMALL[::-1])})\b"
_TIMES = rf"(?:{_FIGURE}|{_TO_99})"
_REST = rf"(?:\s(?:and\s)?{_TO_99})?"
_HUNDREDS = rf"(?:{_TIMES}\s)hundred\b{_REST}"
_THOUSANDS = rf"(?:(?:{_HUNDREDS}|{_TIMES})\s)(?:{'|'.join(_SCALES)})\b(?:\s(?:and\s)?{_HUNDREDS}|{_REST})"
_MANY = rf"(?:{_THOUSANDS}|{_HUNDREDS})"
_ROUND = rf"(?:an?\s)?(?:hundred|{'|'.join(_SCALES)})\b{_REST}"
"""A number that is told by its size alone: hundred, a thousand."""
_WORDED = rf"(?:{_MANY}|{_TO_99})"
_AMOUNT = rf"(?<![\w.])(?:(?:{_WORDED}|{_FIGURE})(?:\sand\sa\shalf\b)?|{_ROUND}|half\san?(?=\s)|an?(?=\s))"
_STARTS = (
    rf"[\d£$€]|(?:gbp|usd|eur)\s?\d|(?:{'|'.join((*_SMALL, *_TENS, *_SCALES, _HUNDRED, 'half', 'an?'))})\b"
)
"""How every amount begins; asked first, since few words do."""
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_LENGTH = "|".join(sorted(_LENGTHS, key=len, reverse=True))
_QUANTITY = re.compile(
    rf"""(?<!\w)(?=[\d£$€a-z])(?:(?P<always>\b24/7\b)
    |(?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)
    |(?P<slashed>\b\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b|\b\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}}\b)
    |(?P<day_first>\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?(?:,?\s+\d{{4}}\b)?)
    |(?P<month_first>\b(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?)
    |(?P<clock>\b\d{{1,2}}(?:[:.]\d{{2}})?\s?[ap]\.?m\b|\b\d{{1,2}}:\d{{2}}\b|\bnoon\b|\bmidnight\b)
    |(?={_STARTS})(?:(?P<money>[£$€]\s?{_FIGURE}(?:\s?(?:k|m|{"|".join(_SCALES)})\b)?|\b(?:GBP|USD|EUR)\s?{_FIGURE}
      |{_AMOUNT}\s?(?:pounds?|quid|dollars?|euros?|gbp|usd|eur|pence|penny|cents?|p)\b)
    |(?P<share>{_AMOUNT}\s?(?:%|per\s?cent\b))
    |(?P<length>{_AMOUNT}(?:\s?\(\d{{1,4}}\))?(?:\s?(?:to|or|and|-|–)\s?(?:{_FIGURE}|{_WORDED}))?[\s-]?
      (?:(?:working|business|week)[\s-]+)?(?:{_LENGTH})s?\b)
    |(?P<data>(?<![\w.]){_FIGURE}\s?[kmgt](?:b(?:ps|/s)?|bit/s)\b)
    |(?P<plain>(?<![\w.])(?:{_MANY}|{_FIGURE}(?:st|nd|rd|th)?\b)))
    |(?P<code>\b[^\W\d_]+\d\w*|\b\d+\w*)
    |(?P<weekday>\b(?:{"|".join(_WEEKDAYS)})s?\b|\b(?-i:Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)\b)
    |(?P<month>\b(?-i:January|February|March|April|June|July|August|September|October|November|December)\b))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBERS = re.compile(
    rf"(?:{_WORDED}|{_FIGURE})(?:\sand\sa\shalf\b)?|\b(?:{_ROUND}|half\san?\b|an?\b)", re.IGNORECASE
)
_ARTICLE = re.compile(rf"an?\s(?!{_HUNDRED}|{'|'.join(_SCALES)})")
_MONEY_UNIT = re.compile(r"[£$€]|gbp|usd|eur|pound|quid|dollar|pence|penny|cent|p$")
_LETTER = re.compile(r"\d\s?([km])$")
_HOURS_PER_HALF_DAY = 12
_CENTURY = 2000


class Measure(StrEnum):
    """What a quantity measures."""

    MONEY = "money"
    SHARE = "share"
    TIME = "time"
    DATA = "data"
    DATE = "date"
    CLOCK = "clock"
    CODE = "code"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity. `unit` is what values must share to be compared, `value` is in canonical form."""

    measure: Measure
    unit: str
    value: str
    written: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What is equal for equal quantities."""
        return self.measure.value, self.unit, self.value


@dataclass(frozen=True, slots=True)
class Known:
    """The quantities that a text gives.

    `plain` are its numbers without a measure, `values` the numbers of all, `written` all in their own
    letters.
    """

    keys: frozenset[tuple[str, str, str]]
    plain: frozenset[str]
    values: frozenset[str]
    written: frozenset[str]

    def holds(self, wanted: Quantity) -> bool:
        """Tell whether the text gives a quantity."""
        if wanted.key in self.keys or wanted.written in self.written:
            return True
        if wanted.measure is Measure.PLAIN:
            return wanted.value in self.values
        if wanted.measure is Measure.DATE:
            day, _, year = wanted.value.partition(" ")
            return bool(year) and year in self.plain and ("date", "day", day) in self.keys
        if wanted.measure is Measure.CODE:
            return False
        return wanted.value in self.plain


@lru_cache(maxsize=4096)
def known_in(passage: str) -> Known:
    """Return what a passage gives; the latest passages are kept."""
    return known_of(passage)


def known_of(text: str) -> Known:
    """Return what a text gives."""
    found = quantities_in(text, articles=True)
    keys = {quantity.key for quantity in found}
    keys |= {("date", "day", value.partition(" ")[0]) for measure, _, value in keys if measure == "date"}
    return Known(
        frozenset(keys),
        frozenset(quantity.value for quantity in found if quantity.measure is Measure.PLAIN),
        frozenset(quantity.value for quantity in found),
        frozenset(quantity.written for quantity in found),
    )


def quantities_in(text: str, *, articles: bool = False) -> tuple[Quantity, ...]:
    """Return the quantities of a text, in order.

    Args:
        text: a sentence or a passage.
        articles: count "a week" as one week. Evidence may mean one; an answer mostly means "weekly".
    """
    return tuple(
        quantity
        for match in _QUANTITY.finditer(text)
        for quantity in _READERS[str(match.lastgroup)](match.group().lower())
        if articles or not _ARTICLE.match(quantity.written)
    )


def missing_quantity(text: str, known: Sequence[Known]) -> Quantity | None:
    """Return the first quantity of a sentence that no text gives."""
    for quantity in quantities_in(text):
        if not any(item.holds(quantity) for item in known):
            return quantity
    return None


def _number(written: str) -> Decimal:
    """Read a number in figures, in words, or in both: 1,200 · twelve hundred · 1.2 thousand."""
    whole, half = re.subn(r"^half\san?$|\sand\sa\shalf$", "", written)
    total, hundreds = Decimal(0), Decimal(0)
    for part in re.split(r"[\s-]+", whole):
        if part == _HUNDRED:
            hundreds = (hundreds or 1) * Decimal(100)
        elif part in _SCALES:
            total, hundreds = total + (hundreds or 1) * _SCALES[part], Decimal(0)
        elif part in _SPOKEN:
            hundreds += _SPOKEN[part]
        elif part[:1].isdigit():
            hundreds += Decimal(part.replace(",", ""))
    return total + hundreds + half * _HALF


def _numbers(written: str) -> list[Decimal]:
    return [_number(found) for found in _NUMBERS.findall(written)]


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _money(written: str) -> Iterator[Quantity]:
    named = _MONEY_UNIT.search(written)
    letter = _LETTER.search(written)
    value = _numbers(written)[0] * (_LETTERED[letter[1]] if letter else 1)
    unit = named.group() if named else ""
    if unit in _HUNDREDTHS:
        yield Quantity(Measure.MONEY, _HUNDREDTHS[unit], _text(value / 100), written)
    else:
        yield Quantity(Measure.MONEY, _CURRENCIES.get(unit, unit), _text(value), written)


def _share(written: str) -> Iterator[Quantity]:
    yield Quantity(Measure.SHARE, "", _text(_numbers(written)[0]), written)


def _length(written: str) -> Iterator[Quantity]:
    name = re.split(r"[\s\d-]+", written)[-1].removesuffix("s")
    unit, size = _LENGTHS[name]
    worked = re.search(r"(?:working|business|week)[\s-]+\w+$", written) is not None
    for number in _numbers(written):
        value = number if worked else number * size
        yield Quantity(Measure.TIME, f"working {name}" if worked else unit, _text(value), written)


def _data(written: str) -> Iterator[Quantity]:
    unit = re.sub(r"[\d.,\s]", "", written).replace("bit/s", "bps").replace("b/s", "bps")
    yield Quantity(Measure.DATA, unit, _text(_numbers(written)[0]), written)


def _clock(written: str) -> Iterator[Quantity]:
    if written in ("noon", "midnight"):
        yield Quantity(Measure.CLOCK, "", "720" if written == "noon" else "0", written)
        return
    hours, minutes = [*map(int, re.findall(r"\d+", written)), 0][:2]
    if re.search(r"[ap]\.?m$", written):
        hours = hours % _HOURS_PER_HALF_DAY + (_HOURS_PER_HALF_DAY if "p" in written else 0)
    yield Quantity(Measure.CLOCK, "", str(hours * 60 + minutes), written)


def _date(written: str) -> Iterator[Quantity]:
    numbers = re.findall(r"\d+", written)
    named = next((number for name, number in _MONTHS.items() if re.search(rf"\b{name}\b", written)), None)
    if named is not None:
        yield from _day(named, int(numbers[0]), numbers[1] if len(numbers) > 1 else "", written)
    elif "-" in written:
        yield from _day(int(numbers[1]), int(numbers[2]), numbers[0], written)
    else:
        first, second, year = int(numbers[0]), int(numbers[1]), numbers[2] if len(numbers) > 2 else ""
        yield from _day(second, first, year, written)


def _day(month: int, day: int, year: str, written: str) -> Iterator[Quantity]:
    year = str(_CENTURY + int(year)) if len(year) == 2 else year
    yield Quantity(Measure.DATE, "day", f"{day}.{month}. {year}".strip(), written)


def _weekday(written: str) -> Iterator[Quantity]:
    yield Quantity(Measure.DATE, "weekday", written[:3], written)


def _month(written: str) -> Iterator[Quantity]:
    yield Quantity(Measure.DATE, "month", str(_MONTHS[written]), written)


def _code(written: str) -> Iterator[Quantity]:
    yield Quantity(Measure.CODE, "", written, written)


def _plain(written: str) -> Iterator[Quantity]:
    yield Quantity(
        Measure.PLAIN, "", _text(_number(re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", written))), written
    )


_READERS: Final[Mapping[str, Callable[[str], Iterator[Quantity]]]] = {
    "always": _code,
    "iso": _date,
    "slashed": _date,
    "day_first": _date,
    "month_first": _date,
    "clock": _clock,
    "money": _money,
    "share": _share,
    "length": _length,
    "data": _data,
    "plain": _plain,
    "code": _code,
    "weekday": _weekday,
    "month": _month,
}
