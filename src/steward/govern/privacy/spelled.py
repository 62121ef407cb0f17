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

_AT = re.compile(r"@|(?<![A-Za-z0-9])(?:\(at\)|at)(?![A-Za-z0-9])", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9-]{2,60}(?:\s?(?:\.|dot)\s?[A-Za-z]{2,20}){1,3}(?![A-Za-z0-9])", re.IGNORECASE)
_SPELLED_HOST = re.compile(r"[^\W_](?:[\w-]*\.)+[^\W\d_]{2,12}(?![^\W_])")
_SPELLED = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")
_SPELLED_WORDS = {"dot": ".", "underscore": "_", "dash": "-", "plus": "+"}
_LETTERS_AROUND = 200
"""Characters on each side of an "at" in which an address is spelled letter by letter."""
_LEAST_LETTERS = 4
_LONGEST_WORD = 10
"""Letters of a word that names a sign: "underscore"."""

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
_NUMBER = rf"(?:(?:(?:{_COUNTS}|{_ORDINALS})\b|\d{{1,4}}(?:st|nd|rd|th)?)(?:[\s-]{{1,2}}(?:and\s)?)?){{1,6}}"
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
    for at in _AT.finditer(text):
        local = _spelled_before(text[max(0, at.start() - _LETTERS_AROUND) : at.start()])
        if local is None:
            continue
        after = text[at.end() : at.end() + _LETTERS_AROUND]
        start = at.end() + len(after) - len(after.lstrip())
        host = _spelled_after(after.lstrip())
        if host is None or "." not in host[1] or not 2 <= len(host[1].rpartition(".")[2]) <= 12:
            continue
        place = at.start() - local[0], start + host[0]
        yield Candidate(*place, Kind.EMAIL, f"{local[1]}@{host[1]}", Rank.CONTEXT)


def _spelled_before(text: str) -> tuple[int, str] | None:
    """Return the length and the letters of what is spelled at the end of a text."""
    signs: list[str] = []
    begun = end = len(text)
    while end > 0:
        end = len(text[:end].rstrip(" ")) if text[end - 1] == " " else end
        start = end
        while start > 0 and text[start - 1].isalnum() and end - start <= _LONGEST_WORD:
            start -= 1
        sign = _sign(text[min(start, end - 1) : end]) if end else None
        if sign is None:
            break
        signs.append(sign)
        begun = end = min(start, end - 1)
    if sum(sign.isalnum() for sign in signs) < _LEAST_LETTERS:
        return None
    return len(text) - begun, "".join(reversed(signs))


def _spelled_after(text: str) -> tuple[int, str] | None:
    """Return the length and the letters of a host at the beginning of a text, spelled or written."""
    written = _HOST.match(text)
    if written is not None:
        return written.end(), "".join(written[0].lower().replace("dot", ".").split())
    signs: list[str] = []
    ends: list[int] = []
    end = 0
    for word in _SPELLED.finditer(text):
        sign = _sign(word[0])
        if sign is None or text[end : word.start()].strip(" "):
            break
        signs.append(sign)
        ends.append(end := word.end())
    # Signs of the sentence that goes on behind the host aren't the host's: ". n e t. 5."
    host = _SPELLED_HOST.match("".join(signs))
    return (ends[host.end() - 1], host[0]) if host and len(host[0]) >= _LEAST_LETTERS else None


def _sign(word: str) -> str | None:
    """Return the sign that a word spells, None where it's a word."""
    if len(word) == 1:
        return word.lower() if word.isalnum() or word in "._+-" else None
    return _SPELLED_WORDS.get(word.lower())


def _births(text: str) -> Iterator[Candidate]:
    for announced in _BIRTH.finditer(text):
        day = _DAY_IN_WORDS.search(text, announced.end(), announced.end() + 90)
        if day is not None and not any(sign.isdigit() for sign in text[announced.end() : day.start()]):
            end = day.start() + len(day[0].rstrip(" ,.-"))
            yield Candidate(
                day.start(), end, Kind.DATE_OF_BIRTH, compact(text[day.start() : end]), Rank.CONTEXT
            )
