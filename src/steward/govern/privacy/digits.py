"""Numbers: cards, phones, account numbers and any long run of digits, however grouped or spelled.

Digits are read in pieces (`4111`, `double four`, `forty-one`). Pieces with short gaps form groups; a
group of six digits or more is masked whatever it is, because the rest of it may come with the next
message. Cards are searched over wider gaps and even among digits that otherwise are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from steward.govern.privacy.checksums import is_card, is_issued_card
from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.credentials import beside_card
from steward.govern.privacy.scanning import Candidate, Rank, Scan, word_set

_UNITS = {
    "zero": "0", "nought": "0", "null": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_NUMBER_WORDS = frozenset(_UNITS) | frozenset(_TEENS) | frozenset(_TENS)
_UNIT = "|".join(_UNITS)
_PLAIN = re.compile(r"[0-9]+")
_SPOKEN = re.compile(
    rf"[0-9]+|\b(?:(?P<repeat>{'|'.join(_REPEATS)})[\s-]{{1,2}}(?P<what>{_UNIT}|[0-9])"
    rf"|(?P<tens>{'|'.join(_TENS)})(?:[\s-]{{1,2}}(?P<unit>one|two|three|four|five|six|seven|eight|nine))?"
    rf"|(?P<teen>{'|'.join(_TEENS)})|(?P<one>{_UNIT}))\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")
_JOINERS = word_set("then and dash hyphen minus space dot point slash next followed by plus x")
_CURRENCY = frozenset("£$€¥₹%")
_TIGHT_GAP = 5
_LOOSE_GAP = 24
_LEAST_RUN = 6
_EXTENSION = re.compile(r",?\s?(?:x|ext\.?|extension)\s?([0-9]{1,6})(?![0-9])", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")

_SORT_WORDS = frozenset({"sort", "sortcode"})
_ACCOUNT_WORDS = frozenset(["account", "acct", "acc", "bank", "routing"])
_PHONE_WORDS = word_set(
    "phone call mobile cell tel telephone whatsapp text texting ring reach contact fax landline sms dial"
)
_IDENTITY_WORDS = word_set(
    "ssn social nino insurance bsn pesel insee personnummer steuer tax cpr nhs tin itin sin aadhaar cpf "
    "national"
)


class Piece(NamedTuple):
    """Digits that stand together."""

    start: int
    end: int
    digits: str
    spoken: bool
    kept: bool


def find_numbers(scan: Scan, kept: Sequence[tuple[int, int]]) -> Iterator[Candidate]:
    """Find numbers outside the kept stretches, and checked cards everywhere.

    Args:
        scan: the text.
        kept: stretches whose digits aren't personal, in any order.
    """
    pieces = _pieces(scan, kept)
    if not pieces:
        return
    text = scan.text
    claimed: set[int] = set()
    for group in _groups(text, pieces, loose=True):
        for first, last in _cards(group):
            claimed.update(piece.start for piece in group[first : last + 1])
            yield _candidate(text, group[first : last + 1], Kind.CARD, Rank.CHECKED)
            for found in beside_card(text, group[last].end):
                claimed.update(range(found.start, found.end))
                yield found
        if _is_wide_phone(text, group):
            yield _candidate(text, group, Kind.PHONE, Rank.PHONE)
    rest = [piece for piece in pieces if not piece.kept and piece.start not in claimed]
    for group in _groups(text, rest, loose=False):
        if sum(len(piece.digits) for piece in group) >= _LEAST_RUN:
            yield from _named(scan, group)


def _pieces(scan: Scan, kept: Sequence[tuple[int, int]]) -> list[Piece]:
    spelled = len(scan.words & _NUMBER_WORDS) > 0 and _worth_spelling(scan)
    if not scan.has_digit and not spelled:
        return []
    stretches = sorted(kept)
    place = 0
    reach = -1
    pieces: list[Piece] = []
    for match in (_SPOKEN if spelled else _PLAIN).finditer(scan.text):
        start, end = match.span()
        while place < len(stretches) and stretches[place][0] < end:
            reach = max(reach, stretches[place][1])
            place += 1
        plain = match[0][0].isdigit()
        pieces.append(Piece(start, end, match[0] if plain else _spelled(match), not plain, start < reach))
    return pieces


def _worth_spelling(scan: Scan) -> bool:
    """Tell whether there are number words enough for a run: three of them, or one beside "double"."""
    lower = scan.text.lower()
    count = 0
    for word in _LETTERS.findall(lower):
        if word in _NUMBER_WORDS or word in _REPEATS:
            count += 1
            if count >= 3:
                return True
    return False


def _spelled(match: re.Match[str]) -> str:
    if match["repeat"]:
        what = match["what"].lower()
        return _UNITS.get(what, what) * _REPEATS[match["repeat"].lower()]
    if match["tens"]:
        return _TENS[match["tens"].lower()] + _UNITS[(match["unit"] or "zero").lower()]
    if match["teen"]:
        return _TEENS[match["teen"].lower()]
    return _UNITS[match["one"].lower()]


def _groups(text: str, pieces: Sequence[Piece], *, loose: bool) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    for piece in pieces:
        if group and not (_joins_loosely if loose else _joins)(text, group[-1], piece):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _joins_loosely(text: str, one: Piece, other: Piece) -> bool:
    if other.start - one.end > _LOOSE_GAP:
        return False
    gap = text[one.end : other.start].lower()
    return all(word in _JOINERS for word in _LETTERS.findall(gap))


def _joins(text: str, one: Piece, other: Piece) -> bool:
    if other.start - one.end > _TIGHT_GAP:
        return False
    gap = text[one.end : other.start]
    if any(sign.isalnum() or sign in _CURRENCY for sign in gap):
        return False
    if gap[:1] in ".!?;:" and gap[1:2].isspace():
        # A full stop after a year or a small count ends a sentence rather than a group.
        return one.spoken or (len(one.digits) > 2 and not _YEAR.fullmatch(one.digits))
    if "," in gap and not (one.spoken or other.spoken):
        lengths = (len(one.digits), len(other.digits))
        years = _YEAR.fullmatch(one.digits) or _YEAR.fullmatch(other.digits)
        return lengths == (1, 1) or (min(lengths) >= 3 and not years)
    return True


def _cards(group: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    """Return first and last piece of each card in a group, surest first from the left, none overlapping."""
    first = 0
    while first < len(group):
        last = _card_from(group, first)
        if last is None:
            first += 1
            continue
        yield first, last
        first = last + 1


def _card_from(group: Sequence[Piece], first: int) -> int | None:
    digits = ""
    best: int | None = None
    kept = 0
    for last in range(first, len(group)):
        digits += group[last].digits
        kept += group[last].kept
        if len(digits) > 19:
            break
        if len(digits) < 12 or kept > last - first:
            continue
        if is_issued_card(digits):
            return last
        if not kept and is_card(digits):
            best = last
    return best


def _is_wide_phone(text: str, group: Sequence[Piece]) -> bool:
    """Tell whether pieces joined by words ("07700 then 900123") are a phone number."""
    if any(piece.kept for piece in group) or len(group) < 2:
        return False
    if all(_joins(text, one, other) for one, other in pairwise(group)):
        return False
    length = sum(len(piece.digits) for piece in group)
    return 10 <= length <= 13 and (
        group[0].digits[0] == "0" or text[group[0].start - 1 : group[0].start] == "+"
    )


def _named(scan: Scan, group: list[Piece]) -> Iterator[Candidate]:
    """Say what a group of six digits or more is, as far as words and form tell."""
    text, words = scan.text, scan.words
    lengths = [len(piece.digits) for piece in group]
    digits = "".join(piece.digits for piece in group)
    if not words.isdisjoint(_SORT_WORDS):
        parts = _sort_code_and_account(group, lengths)
        if parts is not None:
            code, account = parts
            yield _candidate(text, code, Kind.SORT_CODE, Rank.CONTEXT)
            if account:
                yield _candidate(text, account, Kind.ACCOUNT, Rank.CONTEXT)
            return
    if not words.isdisjoint(_IDENTITY_WORDS) and 8 <= len(digits) <= 15:
        yield _candidate(text, group, Kind.NATIONAL_ID, Rank.CONTEXT)
    elif lengths == [3, 2, 4] and _is_social_security(digits):
        yield _candidate(text, group, Kind.NATIONAL_ID, Rank.SHAPE)
    elif _is_phone(scan, group, lengths, digits):
        yield _candidate(text, group, Kind.PHONE, Rank.PHONE)
    elif not words.isdisjoint(_ACCOUNT_WORDS) and 6 <= len(digits) <= 17:
        yield _candidate(text, group, Kind.ACCOUNT, Rank.CONTEXT)
    else:
        yield _candidate(text, group, Kind.NUMBER, Rank.PROVISIONAL)


def _sort_code_and_account(group: list[Piece], lengths: list[int]) -> tuple[list[Piece], list[Piece]] | None:
    total = 0
    for place, length in enumerate(lengths, start=1):
        total += length
        if total == 6:
            rest = group[place:]
            return (group[:place], rest) if 6 <= sum(lengths[place:]) <= 10 or not rest else None
    return None


def _is_social_security(digits: str) -> bool:
    """Tell whether nine digits can be a US social security number (SSA, since 2011)."""
    return (
        digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"
    )


def _is_phone(scan: Scan, group: Sequence[Piece], lengths: list[int], digits: str) -> bool:
    before = scan.text[max(0, group[0].start - 2) : group[0].start].rstrip("( ")
    if before.endswith("+") and 7 <= len(digits) <= 15:
        return True
    if digits.startswith("0") and 9 <= len(digits.removeprefix("00")) <= 14:
        return True
    if lengths in ([3, 3, 4], [1, 3, 3, 4]):
        return True
    if not scan.words.isdisjoint(_PHONE_WORDS) and 7 <= len(digits) <= 15:
        return True
    return 11 <= len(digits) <= 13 and _is_international(digits)


def _is_international(digits: str) -> bool:
    """Tell whether digits without a plus are a whole international number."""
    import phonenumbers

    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


def _candidate(text: str, group: Sequence[Piece], kind: Kind, rank: int) -> Candidate:
    start, end = group[0].start, group[-1].end
    while start > 0 and text[start - 1] in "+(":
        start -= 1
    digits = "".join(piece.digits for piece in group)
    if kind is Kind.PHONE:
        digits = digits.removeprefix("00")
    if kind is not Kind.CARD and (extension := _EXTENSION.match(text, end)) is not None:
        end = extension.end()
        digits += extension[1]
    return Candidate(start, end, kind, digits, rank)
