"""Values given in pieces, over several messages: "my card is 4929", then "1847 3650".

A piece is masked before anybody knows what it belongs to. What it needs from before is the masked text:
a message that ends with a token of a number, or with a piece, leaves a value open, and what continues it is
masked like it. A question for a card, a code or an address makes a bare answer a piece as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steward.govern.privacy.checksums import IBAN_LENGTHS
from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, squeezed, word_set
from steward.govern.privacy.tokens import TOKEN

_DIGIT = r"(?:[0-9]+|(?:double\s|triple\s)?(?:zero|oh|one|two|three|four|five|six|seven|eight|nine))"
_RUN = rf"{_DIGIT}(?:[\s.,/_-]{{1,3}}{_DIGIT}){{0,30}}(?![A-Za-z0-9£$€%])"
_ANNOUNCED = re.compile(
    r"\b(?P<what>card|iban|account|acct|phone|mobile|cell|telephone|number|ssn|social|passport|nhs|code|pin|birth"
    r"|cvv2?|cvc2?|cv2|csc)\b"
    r"(?:\s(?:number|no|nr|security|code|account|card|you\ssent(?:\sme)?|i\sgot|for\s\w{1,12})){0,3}\.?"
    r"\s{0,2}(?:is|are|was|[:=]|(?:starts?|begins?)(?:\s(?:with|in))?)\s{0,2}"
    rf"(?P<value>{_RUN})",
    re.IGNORECASE,
)
_OTHER_NUMBERS = word_set(
    "order invoice ticket case booking tracking receipt refund complaint error fault model version reference "
    "house flat street line page queue call meter part item serial product building room bus flight promo "
    "discount voucher gift postal zip area country dialling sort"
)
_IBAN_HEAD = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>[A-Z]{2}[ -]?[0-9]{2}(?:[ -]?[A-Z0-9]{4}){0,7}(?:[ -]?[A-Z0-9]{1,3})?)"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_LETTERED = frozenset("GB IE NL RO LV MT GI BG AZ QA PK KW JO BH VG".split())
"""Countries whose account numbers go on with four letters of the bank (SWIFT IBAN registry)."""
_BANK_HEAD = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z]{4}")
_MAIL_WORDS = word_set("email emails mail mails gmail address")
_LOCAL_PART = re.compile(
    r"(?<![\w@])(?P<value>[\w+-]{1,40}(?:(?:[._]|\s(?:dot|underscore|dash)\s)[\w+-]{1,40}){1,4})[\s.!]{0,3}$",
    re.IGNORECASE,
)
_OPEN_LOCAL = re.compile(r"(?<![\w@])(?P<value>[\w.+-]{1,64}\s?@)[\s.]{0,3}$")
_SITE = re.compile(
    r"(?:\.|\bdot\s)(?:com|net|org|co|uk|de|fr|io|eu|info|gov|pdf|html?|jpe?g|png|docx?)\W*$", re.IGNORECASE
)
_HOST = re.compile(
    r"^\s{0,4}(?:and\s|then\s){0,2}"
    r"(?P<value>(?:@|at\s)?\s?[\w-]{1,40}(?:(?:\s?\.\s?|\sdot\s)[\w-]{1,30}){1,4})",
    re.IGNORECASE,
)
_LEAD = word_set(
    "and then next the rest is are it it's its it’s last three four first digits digit numbers "
    "number followed by ending ends with in yes yeah ok okay um uh er sorry plus also continued "
    "continuing second third half part other remaining final so here after that oh code cvv"
)
_CONTINUED = re.compile(rf"(?<![A-Za-z0-9£$€]){_RUN}", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LONGEST_LEAD = 60
_OPENING_KINDS = frozenset(
    {
        Kind.FRAGMENT, Kind.NUMBER, Kind.PHONE, Kind.ACCOUNT, Kind.SORT_CODE, Kind.CARD, Kind.IBAN,
        Kind.ONE_TIME_CODE, Kind.NATIONAL_ID, Kind.PASSPORT, Kind.DATE_OF_BIRTH,
    }
)  # fmt: skip
_UNFINISHED = frozenset({Kind.FRAGMENT, Kind.NUMBER})
"""Kinds that stay open even when the assistant asks for something else in between."""
CONTINUING_KINDS = _OPENING_KINDS | {Kind.EMAIL}
"""Kinds of a find that may be the rest of what was left open."""
WHOLE_KINDS = frozenset({Kind.CARD, Kind.IBAN, Kind.EMAIL, Kind.PHONE, Kind.ACCOUNT, Kind.DATE_OF_BIRTH})
"""Kinds that pieces may make together."""
_ASKED = re.compile(
    r"\b(?:card|iban|account\snumber|sort\scode|phone|mobile|passcode|pin|code\s(?:we|i)\s|one-time|social\ssecurity"
    r"|passport|date\sof\sbirth|security\scode)\b[^?]{0,80}\?",
    re.IGNORECASE,
)
_ASKED_OTHER = re.compile(
    r"\b(?:how\s(?:much|many|long)|amount|order|invoice|reference|quantity|which)\b[^?]{0,80}\?",
    re.IGNORECASE,
)
_ASKED_MAIL = re.compile(r"\be-?mail\b[^?]{0,80}\?", re.IGNORECASE)
_BARE_RUN = re.compile(
    rf"^\W{{0,4}}(?:it(?:'s|\sis)\s|yes,?\s|sure,?\s){{0,2}}(?P<value>{_RUN})\W{{0,4}}$", re.IGNORECASE
)
_BARE_WORD = re.compile(
    r"^\W{0,4}(?:it(?:'s|\sis)\s)?(?P<value>[\w+-]{1,40}(?:[._][\w+-]{1,40}){0,4})\W{0,4}$", re.IGNORECASE
)
_MORE = re.compile(
    rf"\s{{0,2}}(?:,|and then|then|and|followed by|dash|plus)\s{{1,2}}"
    rf"(?P<value>(?=[^.!?]{{0,4}}[0-9a-z]{{3}}){_RUN})",
    re.IGNORECASE,
)
_GOING_ON = frozenset(
    {
        Kind.FRAGMENT,
        Kind.ACCOUNT,
        Kind.ONE_TIME_CODE,
        Kind.PHONE,
        Kind.SORT_CODE,
        Kind.NATIONAL_ID,
        Kind.PASSWORD,
    }
)
_LEAST_ANNOUNCED = 3
_LEAST_CONTINUED = 2
_LAST_WORDS = 40
"""Characters of a message's end in which a token leaves its value open."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was said before a text, masked.

    Attributes:
        said: the customer's latest messages, oldest first.
        asked: the assistant's last words before this text.
    """

    said: Sequence[str] = ()
    asked: str = ""


NOTHING = Before()


def left_open(before: Before) -> tuple[str, ...]:
    """Return the tokens of a value that the customer's latest messages are giving, oldest first."""
    openings = _UNFINISHED if _ASKED_OTHER.search(before.asked[-300:]) else _OPENING_KINDS
    tokens: list[str] = []
    for said in reversed(before.said):
        found = list(TOKEN.finditer(said, max(0, len(said) - 400)))
        if not found or found[-1][1] not in openings or len(said) - found[-1].end() > _LAST_WORDS:
            break
        tokens.append(found[-1][0])
        if not said[: found[-1].start()].isascii() or len(_WORD.findall(said[: found[-1].start()])) > 2:
            # Words in front begin the value; what was said before them is another matter.
            break
    return tuple(reversed(tokens))


def find_fragments(scan: Scan, before: Before, kept: Sequence[tuple[int, int]]) -> Iterator[Candidate]:
    """Find pieces of values: announced ones, and those that continue what was left open."""
    text = scan.text
    if scan.has_digit or not scan.words.isdisjoint(_NUMBER_WORDS):
        yield from _announced(text, kept)
    if scan.has_digit:
        yield from _iban_heads(scan)
    if "@" in text or not scan.words.isdisjoint(_MAIL_WORDS):
        yield from _local_parts(scan)
    if left_open(before):
        yield from _continuing(text, kept)
    elif before.asked:
        yield from _answering(text, before.asked)


_NUMBER_WORDS = word_set("zero oh one two three four five six seven eight nine")


def going_on(text: str, found: Candidate, kept: Sequence[tuple[int, int]]) -> Candidate | None:
    """Return a find widened over digits that a word joins to it: "58201, then 947"."""
    if found.kind not in _GOING_ON:
        return None
    more = _MORE.match(text, found.end)
    if more is None or _touches(more.span("value"), kept):
        return None
    value = compact(text[found.start : more.end()])
    return Candidate(found.start, more.end(), found.kind, value, found.rank)


def _announced(text: str, kept: Sequence[tuple[int, int]]) -> Iterator[Candidate]:
    for match in _ANNOUNCED.finditer(text):
        words = _WORD.findall(text[max(0, match.start() - 24) : match.start()].lower())
        if words and words[-1] in _OTHER_NUMBERS:
            continue
        if _count(match["value"]) >= _LEAST_ANNOUNCED and not _touches(match.span("value"), kept):
            yield _piece(text, *match.span("value"))


def _iban_heads(scan: Scan) -> Iterator[Candidate]:
    named = "iban" in scan.words
    for match in _IBAN_HEAD.finditer(scan.text):
        letters = "".join(sign for sign in match["value"].upper() if sign.isalnum())
        lettered = _BANK_HEAD.match(letters) and letters[:2] in _LETTERED and match["value"][:2].isupper()
        if (named and letters[:2] in IBAN_LENGTHS) or lettered:
            yield _piece(scan.text, *match.span("value"))


def _local_parts(scan: Scan) -> Iterator[Candidate]:
    text = scan.text
    tail = max(0, len(text) - 200)
    if (half := _OPEN_LOCAL.search(text, tail)) is not None:
        yield _piece(text, *half.span("value"))
    elif "@" not in text and not _SITE.search(text, tail):
        local = _LOCAL_PART.search(text, tail)
        if local is not None and any(sign.isalpha() for sign in local["value"]):
            yield _piece(text, *local.span("value"))


def _continuing(text: str, kept: Sequence[tuple[int, int]]) -> Iterator[Candidate]:
    if (host := _HOST.match(text)) is not None and any(sign.isalpha() for sign in host["value"]):
        yield _piece(text, *host.span("value"))
        return
    for match in _CONTINUED.finditer(text, 0, _LONGEST_LEAD * 4):
        lead = _WORD.findall(text[: match.start()].lower())
        if match.start() > _LONGEST_LEAD or any(word not in _LEAD for word in lead):
            return
        if _count(match[0]) >= _LEAST_CONTINUED and not _touches(match.span(), kept):
            yield _piece(text, *match.span())


def _answering(text: str, asked: str) -> Iterator[Candidate]:
    tail = asked[-300:]
    run = _BARE_RUN.match(text) if _ASKED.search(tail) else None
    if run is not None and _count(run["value"]) >= _LEAST_ANNOUNCED:
        yield _piece(text, *run.span("value"))
    word = _BARE_WORD.match(text) if _ASKED_MAIL.search(tail) else None
    if word is not None and any(sign in "._+-" or sign.isdigit() for sign in word["value"]):
        yield _piece(text, *word.span("value"))


def _count(run: str) -> int:
    """Return how many digits a run has; "double" counts once more."""
    words = _WORD.findall(run.lower())
    spoken = sum(2 if word == "triple" else 1 for word in words)
    return sum(sign.isdigit() for sign in run) + spoken


def _touches(span: tuple[int, int], kept: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in kept)


def _piece(text: str, start: int, end: int) -> Candidate:
    return Candidate(start, end, Kind.FRAGMENT, squeezed(text[start:end]) or text[start:end], Rank.FRAGMENT)
