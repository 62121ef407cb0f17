"""Digits that aren't personal: dates, times, years, amounts, quantities, order numbers.

Gives stretches of the folded text in which digits are kept. A checked card number inside such a
stretch is found all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.scanning import Scan

_MONTHS = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DATE = re.compile(
    r"(?<![\d/.-])(?:"
    r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<t>[-/.])(?P<b>\d{1,2})(?P=t)(?P<c>\d{4}|(?<=[/.])\d{2})"
    r")(?!\d|[-/.]\d)"
)
_TIME = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?(?!:?\d)")
_MONTH_DATE = re.compile(
    rf"\b(?:{_MONTHS})\b\.?(?:\s{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?)?,?\s{{1,2}}(?:19|20)\d\d(?!\d)",
    re.IGNORECASE,
)
_YEARS = re.compile(
    r"(?<![\d-])(?:19|20)\d\d\s?(?:-|/|to|until|and|or)\s?(?:19|20)?\d\d(?![\d]|-\d)", re.IGNORECASE
)
_IN_YEAR = re.compile(
    r"\b(?:in|since|until|till|before|after|during|year)\s(?:19|20)\d\d(?!\d)", re.IGNORECASE
)
_AMOUNT = re.compile(
    r"[£$€¥₹]\s?(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?:[.,]\d{1,2})?(?!\d)"
    r"|(?<![\d.,])\d{1,7}(?:[.,]\d{1,2})?[^\S\n]?(?:[£$€¥₹]|(?:gbp|usd|eur|aud|cad|chf|pounds?|dollars?|euros?)\b)"
    r"|(?:\b(?:gbp|usd|eur|aud|cad|chf)\s?)\d{1,9}(?:[.,]\d{1,2})?(?!\d)",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"(?<![\d.,])(?<!\d[ /-])\d{1,5}\.\d{1,2}(?!\d|[ .,/-]\d)")
_THOUSANDS = re.compile(r"(?<![\d.,])(?<!\d[ /-])\d{1,3}(?:,\d{3}){1,2}(?!\d|[ .,/-]\d)")
_QUANTITY = re.compile(
    r"(?<!\d)(?<!\d[ .,/()-])\d{1,6}\s?(?:%|(?:percent|[kmgt]?b(?:ps|it/s)?|[kmg]bits?|[mkg]?hz|kwh?"
    r"|ms|s|secs?|seconds?|min|mins|minutes?|hours?|hrs?|days?|weeks?|months?|years?|times|items?|lines?|channels?|points?|degrees|px|km|miles)\b)",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:order|invoice|ticket|case|booking|tracking|receipt|refund|complaint|error|fault|model|version|build)s?"
    r"[^\S\n]{0,2}(?:number|no|nr|id|ref|reference|code)?\.?[^\S\n]{0,2}(?:is|was|[:=])?[^\S\n]{0,2}"
    r"#?[A-Za-z]{0,4}-?(?:20\d\d[-/])?(?!0\d{9})\d{3,10}(?!\d|[ ./-]\d)",
    re.IGNORECASE,
)
_ALWAYS = (_MONTH_DATE, _YEARS, _IN_YEAR, _AMOUNT, _DECIMAL, _THOUSANDS, _QUANTITY)


def harmless_stretches(scan: Scan) -> Iterator[tuple[int, int]]:
    """Return stretches of digits to keep, in no order; they may overlap."""
    text = scan.text
    for date in _DATE.finditer(text):
        if _is_date(date):
            yield date.span()
    if ":" in text:
        for time in _TIME.finditer(text):
            if int(time[1]) < 24 and int(time[2]) < 60 and int(time[3] or 0) < 62:
                yield time.span()
    for pattern in _ALWAYS:
        for match in pattern.finditer(text):
            yield match.span()
    for order in _ORDER.finditer(text):
        yield order.span()


def _is_date(match: re.Match[str]) -> bool:
    if match["y"]:
        return 1900 <= int(match["y"]) < 2100 and _is_day(int(match["m"]), int(match["d"]))
    year = int(match["c"])
    one, other = int(match["a"]), int(match["b"])
    return (len(match["c"]) == 2 or 1900 <= year < 2100) and (_is_day(one, other) or _is_day(other, one))


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31
