"""Numbers of persons and machines: national ids, passports, account numbers, dates of birth, IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, word_set

_NINO = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[ .-]{0,2}"
    r"\d{2}[ .-]{0,2}\d{2}[ .-]{0,2}\d{2}[ .-]{0,2}[A-D](?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPANISH = re.compile(
    r"(?<![A-Za-z0-9])[XYZ]?[ .-]?\d{1,2}\.?\d{3}\.?\d{3}[ .-]?[A-Z](?![A-Za-z0-9])", re.IGNORECASE
)
_ITALIAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{3} ?[A-Z]{3} ?\d{2}[A-Z]\d{2} ?[A-Z]\d{3}[A-Z](?![A-Za-z0-9])", re.IGNORECASE
)
_FINNISH = re.compile(r"(?<![A-Za-z0-9])\d{6}[-+A-FU-Y]\d{3}[0-9A-Z](?![A-Za-z0-9])", re.IGNORECASE)

_DOCUMENT = re.compile(
    r"\b(?P<word>passport|driv(?:ing|er'?s?)\slicen[cs]e|licen[cs]e|identity\scard|id\scard|document)\b"
    r"(?P<gap>[^\n!?]{0,30}?)(?<![A-Za-z0-9])(?P<value>(?=[A-Za-z]{0,9}\d)[A-Za-z0-9]{5,20})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:account|acct|a/c|acc|member(?:ship)?|customer|policy|client)\b\.?\s{0,2}(?:number|no|nr|id|num|#|ref(?:erence)?)?\.?"
    r"\s{0,2}(?:is|was|[:=#-])?\s{0,2}#?(?P<value>(?=[A-Za-z]{0,4}-?\d{3})[A-Za-z]{0,4}-?\d{4,20})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = (
    rf"(?:\d{{1,4}}\s?[-/. ]\s?\d{{1,2}}\s?[-/. ]\s?\d{{1,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}\.?,?\s?(?:\d{{4}}|\d{{2}})?"
    rf"|{_MONTH}\.?\s\d{{1,2}}(?:st|nd|rd|th)?,?\s?(?:\d{{4}}|'?\d{{2}})?|\d{{6,8}}|(?:19|20)\d\d)(?!\d)"
)
_BIRTH = re.compile(
    rf"\b(?:born|d\.?o\.?b\.?|date\sof\sbirth|birth\s?da(?:y|te)|bday|birth)\b[^\n\d]{{0,30}}?(?P<value>{_DAY})",
    re.IGNORECASE,
)
_BIRTH_AFTER = re.compile(
    rf"(?<!\d)(?P<value>{_DAY})\s(?:is|was)\s(?:my|her|his|their|the)\s(?:date\sof\sbirth|dob|birth\s?da(?:y|te))\b",
    re.IGNORECASE,
)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\s?\.\s?\d{1,3}){3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])")

_DOCUMENT_WORDS = word_set("passport licence license identity id document")
_ACCOUNT_WORDS = word_set("account acct acc c member membership customer policy client")
_BIRTH_WORDS = word_set("born dob birth birthday birthdate bday d")


def find_identities(scan: Scan) -> Iterator[Candidate]:
    """Find what identifies a person or a machine by number."""
    if not scan.has_digit:
        return
    text, words = scan.text, scan.words
    for match in _NINO.finditer(text):
        yield Candidate(*match.span(), Kind.NATIONAL_ID, compact(match[0]), Rank.SHAPE)
    for pattern, holds in ((_SPANISH, _is_spanish), (_ITALIAN, _is_italian), (_FINNISH, _is_finnish)):
        for match in pattern.finditer(text):
            if holds(compact(match[0]) if pattern is not _FINNISH else match[0].upper()):
                yield Candidate(*match.span(), Kind.NATIONAL_ID, compact(match[0]), Rank.CONTEXT)
    if not words.isdisjoint(_DOCUMENT_WORDS):
        yield from _documents(text)
    if not words.isdisjoint(_ACCOUNT_WORDS):
        yield from _valued(_ACCOUNT, text, Kind.ACCOUNT)
    if not words.isdisjoint(_BIRTH_WORDS):
        yield from _valued(_BIRTH, text, Kind.DATE_OF_BIRTH)
        yield from _valued(_BIRTH_AFTER, text, Kind.DATE_OF_BIRTH)
    yield from _addresses(text)


def _documents(text: str) -> Iterator[Candidate]:
    for match in _DOCUMENT.finditer(text):
        kind = Kind.PASSPORT if match["word"].lower() == "passport" else Kind.NATIONAL_ID
        if sum(letter.isdigit() for letter in match["value"]) >= 4:
            yield Candidate(*match.span("value"), kind, compact(match["value"]), Rank.CONTEXT)


def _valued(pattern: re.Pattern[str], text: str, kind: Kind) -> Iterator[Candidate]:
    for match in pattern.finditer(text):
        yield Candidate(*match.span("value"), kind, compact(match["value"]), Rank.CONTEXT)


def _addresses(text: str) -> Iterator[Candidate]:
    if text.count(".") >= 3:
        for match in _IP4.finditer(text):
            yield from _machine(match, "".join(match[0].split()))
    if text.count(":") >= 2:
        for match in _IP6.finditer(text):
            if match[0].count(":") >= 2 and any(letter.isalnum() for letter in match[0]):
                yield from _machine(match, match[0])


def _machine(match: re.Match[str], written: str) -> Iterator[Candidate]:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return
    yield Candidate(*match.span(), Kind.IP, address.compressed, Rank.SHAPE)


def _is_spanish(number: str) -> bool:
    from stdnum.es import dni, nie

    return bool(dni.is_valid(number) or nie.is_valid(number))


def _is_italian(number: str) -> bool:
    from stdnum.it import codicefiscale

    return bool(codicefiscale.is_valid(number))


def _is_finnish(number: str) -> bool:
    from stdnum.fi import hetu

    return bool(hetu.is_valid(number))
