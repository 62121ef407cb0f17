"""Where somebody lives: street addresses and postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, squeezed, word_set

_UK_AREAS = word_set(
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC "
    "EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS "
    "LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR "
    "SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_UK = re.compile(
    r"(?<![A-Za-z0-9])(?P<area>[A-Z]{1,2})\d[A-Z\d]?(?P<gap>[ -]{0,3})"
    r"(?P<inward>\d[ABD-HJLNP-UW-Z]{2})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ORDINALS = re.compile(r"1st|2nd|3rd|[04-9]th|\d(?:gb|tb|hr|ft|ps)", re.IGNORECASE)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI"
    "|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
_US = re.compile(rf"(?<![A-Za-z0-9])(?:{_STATES})[ ,.]{{1,2}}(?P<zip>\d{{5}}(?:-\d{{4}})?)(?![0-9])")
_NAMED_CODE = re.compile(
    r"\b(?:(?:zip|post|postal)(?:\s?code)?|plz)\b\s{0,2}(?:is|[:=])?\s{0,2}"
    r"(?P<code>(?=[A-Za-z]{0,4}[0-9])[A-Za-z0-9]{3,8}"
    r"(?:[ -](?=[A-Za-z]{0,3}[0-9]|[A-Z]{2}\b)[A-Za-z0-9]{2,4})?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:(?<!email )(?<!e-mail )(?<!mail )(?<!ip )(?<!web )(?<!mac )\baddress\b(?:\sis|\swas|:)"
    r"|\blives?\sat|\bliving\sat"
    r"|\bmov(?:ed|ing)\sto|\b(?:deliver|send|sent|ship|post)(?:\s(?:it|them|this))?\sto(?:\sme\sat)?)\s{1,2}"
    r"(?P<place>(?:[0-9]|(?-i:[A-Z]))[^\n!?;]{4,90})",
    re.IGNORECASE,
)
_PLACE_END = re.compile(
    r"\.(?:\s|$)|\s(?:and|but|please|because|so|not|instead|since|from|until|on|by|can|thanks|with|without|within|for|safely)\b",
    re.IGNORECASE,
)
_STREET_KINDS = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|ct|crescent|cres|way|place|pl|square|sq|terrace|gardens|gdns"
    "|grove|hill|park|boulevard|blvd|row|mews|walk|parade|highway|hwy|parkway|pkwy|circle|cir|quay|wharf|rise|vale|view|green"
)
_NUMBER = (
    r"(?<![\w.,£$€-])(?:(?:flat|apt|apartment|unit|suite|no|number|house)\.?\s{0,2}#?\d{1,4}[A-Za-z]?,?\s{1,2})?"
    r"\d{1,5}[A-Za-z]?(?:[-/]\d{1,4}[A-Za-z]?)?"
)
_STREET = re.compile(
    rf"{_NUMBER},?\s{{1,2}}(?P<middle>(?:[^\W\d_][\w'.-]{{0,24}}\s{{1,2}}){{1,4}}?)(?P<kind>{_STREET_KINDS})\b\.?",
    re.IGNORECASE,
)
_FLAT = re.compile(
    r"\b(?:flat|apt|apartment|suite)\.?\s{0,2}#?\d{1,4}[A-Za-z]?(?![A-Za-z0-9])", re.IGNORECASE
)
_BOX = re.compile(r"\bp\.?\s?o\.?\s?box\s{0,2}\d{1,6}\b", re.IGNORECASE)
_GERMAN = re.compile(
    r"(?<![\w])[^\W\d_][\w.-]{1,30}(?:straße|strasse|str\.|weg|platz|allee|gasse|laan|straat)\s{1,2}\d{1,4}\s?[a-z]?(?![\w])",
    re.IGNORECASE,
)
_ROMANCE = re.compile(
    r"(?<!\w)\d{1,4}(?:\s(?:bis|ter))?,?\s(?:rue|avenue|boulevard|chemin|place|allée|impasse|quai)\s"
    r"[^\W\d_][\w'.-]{0,24}(?:\s{1,2}[^\W\d_][\w'.-]{0,24}){0,4}"
    r"|\b(?:calle|avenida|plaza|(?-i:Via)|viale|piazza|rua)\s(?!SWIFT|IBAN)"
    r"[^\W\d_][\w'.-]{0,24}(?:\s{1,2}[^\W\d_][\w'.-]{0,24}){0,3}?,?\s{1,2}\d{1,4}(?!\d)",
    re.IGNORECASE,
)
_NOT_IN_STREETS = word_set(
    "a an the my your our his her their this that these those of in on at to for from by with and or "
    "but is was are were am be been it i you he she we they them as so if not no than then per each "
    "every all any more most less only just about times time days day weeks week months month years "
    "year hours hour minutes minute mins min seconds second pounds pound dollars dollar euros euro quid "
    "percent mbps gb mb people phones lines line bills bill calls call payments payment items orders "
    "charges emails messages texts channels engineers visits boxes out up down off over under when "
    "where which who how what why because since until till while after before again once twice half "
    "wrong right long same other got get have has had did do does went go going came come took take "
    "gave give me us him am pm gone been said say"
)
STREET_WORDS = frozenset(_STREET_KINDS.split("|"))
_CODE_WORDS = frozenset({"zip", "postcode", "zipcode", "postal", "post", "plz"})
_SAID_WORDS = word_set("address live lives living moved moving deliver send sent ship post")
_FLAT_WORDS = frozenset({"flat", "apt", "apartment", "suite"})
_ROMANCE_WORDS = word_set(
    "rue avenue boulevard chemin place allée impasse quai calle avenida plaza via viale piazza rua"
)
_TOWN = re.compile(r"[\s,.]{1,4}(?:[^\W\d_][\w'-]{1,24}[\s,.]{1,4}){0,4}")


def find_places(scan: Scan) -> Iterator[Candidate]:
    """Find postcodes and street addresses; a town between the two belongs to the address."""
    if not scan.has_digit:
        return
    text, words = scan.text, scan.words
    postcodes = list(_postcodes(text, words))
    streets = list(_streets(text, words))
    ends = {code.start: code for code in postcodes}
    starts = sorted(ends)
    for street in streets:
        end = street.end
        follower = next((start for start in starts if 0 < start - end <= 60), None)
        if follower is not None and _TOWN.fullmatch(text, end, follower):
            end = ends[follower].end
        yield Candidate(street.start, end, Kind.ADDRESS, squeezed(text[street.start : end]), Rank.PLACE)
    yield from postcodes


def _postcodes(text: str, words: frozenset[str]) -> Iterator[Candidate]:
    for match in _UK.finditer(text):
        ordinal = bool(match["gap"]) and _ORDINALS.fullmatch(match["inward"])
        if match["area"].upper() in _UK_AREAS and not ordinal:
            yield Candidate(*match.span(), Kind.POSTCODE, compact(match[0]), Rank.POSTCODE)
    for match in _US.finditer(text):
        yield Candidate(*match.span("zip"), Kind.POSTCODE, compact(match["zip"]), Rank.POSTCODE)
    if not words.isdisjoint(_CODE_WORDS):
        for match in _NAMED_CODE.finditer(text):
            yield Candidate(*match.span("code"), Kind.POSTCODE, compact(match["code"]), Rank.POSTCODE)


def _streets(text: str, words: frozenset[str]) -> Iterator[Candidate]:
    if not words.isdisjoint(STREET_WORDS):
        yield from _english(text)
    if not words.isdisjoint(_SAID_WORDS):
        yield from _said(text)
    if not words.isdisjoint(_FLAT_WORDS):
        yield from _plain(_FLAT, text)
    if "box" in words:
        yield from _plain(_BOX, text)
    if any(part in word for word in words for part in ("str", "weg", "platz", "allee", "gasse", "laan")):
        yield from _plain(_GERMAN, text)
    if not words.isdisjoint(_ROMANCE_WORDS):
        yield from _plain(_ROMANCE, text)


def _english(text: str) -> Iterator[Candidate]:
    position = 0
    while (match := _STREET.search(text, position)) is not None:
        middle = match["middle"].lower().split()
        if _NOT_IN_STREETS.isdisjoint(word.strip(".'") for word in middle):
            position = match.end()
            yield Candidate(*match.span(), Kind.ADDRESS, squeezed(match[0]), Rank.PLACE)
        else:
            position = match.start() + 1


def _plain(pattern: re.Pattern[str], text: str) -> Iterator[Candidate]:
    for match in pattern.finditer(text):
        end = match.start() + len(match[0].rstrip())
        yield Candidate(match.start(), end, Kind.ADDRESS, squeezed(match[0]), Rank.PLACE)


def _said(text: str) -> Iterator[Candidate]:
    """Take what follows "my address is" up to the end of the clause, when there's a number in it."""
    for match in _SAID.finditer(text):
        start, end = match.span("place")
        stop = _PLACE_END.search(text, start, end)
        place = text[start : stop.start() if stop else end].rstrip(" ,")
        if any(letter.isdigit() for letter in place) and any(letter.isupper() for letter in place):
            yield Candidate(start, start + len(place), Kind.ADDRESS, squeezed(place), Rank.PLACE)
