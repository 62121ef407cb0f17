"""Values spelled out: digits of accounts in words, addresses letter by letter, days of birth in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.checksums import IBAN_LENGTHS, iban_holds
from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.ibans import has_account_digits
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, word_set

DIGIT_WORDS = {
    "zero": "0", "nought": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_SKIPPED = word_set("then and dash hyphen minus space next followed by")
_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_HEAD = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[\W_]{1,5}(?:[0-9]{2}(?![0-9])|(?:zero|oh|one|two|three|four|five|six"
    r"|seven|eight|nine|double)[\s-])|(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?![0-9])",
    re.IGNORECASE,
)
_LONGEST_IBAN_WORD = 8
_MOST_IBAN_WORDS = 60

_SPELLED_EMAIL = re.compile(
    r"(?<![A-Za-z0-9])(?P<local>(?:[A-Za-z0-9._+] ?(?: ?(?:dot|underscore|dash|plus) )?){0,2}"
    r"(?:[A-Za-z0-9._+] (?:(?:dot|underscore|dash|plus) )?){3,62}[A-Za-z0-9]? ?)"
    r"(?:@|\(at\)|at)\s{1,2}"
    r"(?P<host>(?:[A-Za-z0-9.-] (?:dot )?){3,80}[A-Za-z0-9]"
    r"|[A-Za-z0-9-]{2,60}(?:\s?(?:\.|dot)\s?[A-Za-z]{2,20}){1,3})"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\bdot\b")

_BIRTH_WORDS = word_set("born dob birth birthday birthdate bday")
_BIRTH = re.compile(r"\b(?:born|dob|d\.o\.b|birth\s?da(?:y|te)|bday|birth)\b[^\n\d]{0,30}?\b", re.IGNORECASE)
_ORDINALS = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth"
    "|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth"
)
_COUNTS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    "|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|oh"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_NUMBER = rf"(?:(?:{_COUNTS}|{_ORDINALS}|\d{{1,4}}(?:st|nd|rd|th)?)(?:[\s-]{{1,2}}(?:and\s)?)?){{1,6}}"
_DAY_IN_WORDS = re.compile(
    rf"(?:the\s)?(?:{_NUMBER}[\s,-]{{0,2}}(?:of\s)?{_MONTH}\b\.?[\s,-]{{0,2}}(?:{_NUMBER})?"
    rf"|{_MONTH}\b\.?[\s,-]{{1,2}}(?:the\s)?{_NUMBER}(?:,?\s{_NUMBER})?"
    rf"|\d{{1,2}}{_MONTH}\d{{2,4}}"
    r"|[\dOolI]{1,4}(?:[^\w\n]{1,5}[\dOolI]{1,2})[^\w\n]{1,5}[\dOolI]{1,4})",
    re.IGNORECASE,
)


def find_spelled(scan: Scan) -> Iterator[Candidate]:
    """Find account numbers, addresses and days of birth that are spelled rather than written."""
    if "iban" in scan.words or _HEAD.search(scan.text):
        yield from _ibans(scan)
    if "@" in scan.text or "at" in scan.words:
        yield from _emails(scan.text)
    if not scan.words.isdisjoint(_BIRTH_WORDS):
        yield from _births(scan.text)


def _ibans(scan: Scan) -> Iterator[Candidate]:
    words = [(match.start(), match.end(), match[0]) for match in _WORD.finditer(scan.text)]
    done = 0
    for place, (start, _, word) in enumerate(words):
        if start < done or word[:2].upper() not in IBAN_LENGTHS or len(word) > _LONGEST_IBAN_WORD:
            continue
        found = _iban_from(words[place : place + _MOST_IBAN_WORDS], IBAN_LENGTHS[word[:2].upper()])
        if found is not None:
            end, letters = found
            yield Candidate(start, end, Kind.IBAN, letters, Rank.CHECKED)
            done = end


def _iban_from(words: list[tuple[int, int, str]], length: int) -> tuple[int, str] | None:
    """Return where an account number ends that begins with the first word, and its letters."""
    letters, times = "", 1
    for place, (_, end, word) in enumerate(words):
        lower = word.lower()
        if place and lower in _SKIPPED:
            continue
        if place and lower in _REPEATS:
            times = _REPEATS[lower]
            continue
        letters += DIGIT_WORDS.get(lower, word.upper()) * times
        times = 1
        if len(letters) >= length:
            holds = len(letters) == length and has_account_digits(letters) and iban_holds(letters)
            return (end, letters) if holds else None
    return None


def _emails(text: str) -> Iterator[Candidate]:
    for match in _SPELLED_EMAIL.finditer(text):
        host = _DOTTED.sub(".", match["host"].lower())
        host = "".join(host.split()).strip(".-")
        if "." not in host or not 2 <= len(host.rpartition(".")[2]) <= 12:
            continue
        local = "".join(_DOTTED.sub(".", match["local"].lower()).split())
        end = match.start("host") + len(match["host"].rstrip(" .-"))
        yield Candidate(match.start(), end, Kind.EMAIL, f"{local}@{host}", Rank.CONTEXT)


def _births(text: str) -> Iterator[Candidate]:
    for announced in _BIRTH.finditer(text):
        day = _DAY_IN_WORDS.search(text, announced.end(), announced.end() + 90)
        if day is not None and not any(sign.isdigit() for sign in text[announced.end() : day.start()]):
            end = day.start() + len(day[0].rstrip(" ,.-"))
            yield Candidate(
                day.start(), end, Kind.DATE_OF_BIRTH, compact(text[day.start() : end]), Rank.CONTEXT
            )
