"""Reading a slot's value from what the customer said."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from steward.serve.workflows.consent import Consent, read_consent
from steward.supply.assistant.schema.workflow import Slot

_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(r"\+?\d[\d ()./-]{5,20}\d")
_MONEY = re.compile(r"(\d{1,9}(?:[,.]\d{3})*(?:\.\d{1,2})?)")
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_SLASH_DATE = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{2,4})\b")
_WORD_DATE = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?([a-z]{3,9})\b(?:\s+(\d{4}))?", re.IGNORECASE
)
_DATE_WORD = re.compile(r"\b([a-z]{3,9})\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_TEXT = 300
_ORDINARY_WORDS = "I would like to change something about this, could you please help me with it"


def read_slot(slot: Slot, text: str, *, today: date) -> str | None:
    """Return the slot's value in its canonical form, or None where the text holds none that fits.

    Dates become YYYY-MM-DD, money a plain decimal, choices the choice as written, yes_no "yes" or "no".
    """
    text = text.strip()
    match slot.type:
        case "text":
            return _text(slot, text)
        case "number":
            found = _NUMBER.search(text)
            return found.group() if found else None
        case "money":
            return _money(text)
        case "date":
            return _date(text, today)
        case "email":
            found = _EMAIL.search(text)
            return found.group() if found else None
        case "phone":
            found = _PHONE.search(text)
            return re.sub(r"[^\d+]", "", found.group()) if found else None
        case "choice":
            return _choice(slot.choices, text)
        case "yes_no":
            consent = read_consent(text)
            return None if consent is Consent.UNCLEAR else consent.value


def find_in_passing(slot: Slot, text: str) -> str | None:
    """Return a value that the text holds beyond doubt, though nobody asked for it yet.

    A pattern that ordinary words fit, as an address's does, proves nothing: such a slot is asked for.
    """
    if slot.type != "text" or slot.pattern is None or _text(slot, _ORDINARY_WORDS) is not None:
        return None
    return _text(slot, text)


def _text(slot: Slot, text: str) -> str | None:
    if slot.pattern is None:
        return text[:_LONGEST_TEXT] or None
    whole_value = re.compile(rf"(?<![\w])(?:{slot.pattern.strip('^$')})(?![\w])")
    found = whole_value.search(text) or whole_value.search(text.upper())
    return found.group() if found else None


def _money(text: str) -> str | None:
    found = _MONEY.search(text)
    if found is None:
        return None
    try:
        return str(Decimal(found.group().replace(",", "")))
    except InvalidOperation:
        return None


def _choice(choices: tuple[str, ...], text: str) -> str | None:
    plain = text.lower()
    named = [choice for choice in choices if re.search(rf"\b{re.escape(choice.lower())}\b", plain)]
    if named:
        longest = max(named, key=len)
        return longest if all(choice.lower() in longest.lower() for choice in named) else None
    number = re.fullmatch(r"(?:option|number)?\s*(\d)\.?", plain)
    if number and 1 <= int(number.group(1)) <= len(choices):
        return choices[int(number.group(1)) - 1]
    partial = [choice for choice in choices if len(plain) >= 3 and plain in choice.lower()]
    return partial[0] if len(partial) == 1 else None


def _date(text: str, today: date) -> str | None:
    plain = text.lower()
    for word, days in (("today", 0), ("yesterday", -1), ("tomorrow", 1)):
        if word in plain:
            return (today + timedelta(days=days)).isoformat()
    if found := _ISO_DATE.search(plain):
        return _valid_date(int(found[1]), int(found[2]), int(found[3]))
    if found := _SLASH_DATE.search(plain):
        year = int(found[3])
        return _valid_date(year + 2000 if year < 100 else year, int(found[2]), int(found[1]))
    for pattern, day_at, month_at in ((_WORD_DATE, 1, 2), (_DATE_WORD, 2, 1)):
        for found in pattern.finditer(plain):
            if found[month_at][:3] in _MONTHS:
                month = _MONTHS.index(found[month_at][:3]) + 1
                return _valid_date(int(found[3] or today.year), month, int(found[day_at]))
    return None


def _valid_date(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
