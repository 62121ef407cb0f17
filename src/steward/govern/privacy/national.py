"""Identifiers that states give to persons, where their form and check digits alone are proof enough.

Runs of digits alone are masked by `digits` whatever they are; here are those with letters or fixed signs,
and the ones whose check digits say more than "a number".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final, NamedTuple

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, word_set

_BEFORE = r"(?<![A-Za-z0-9])"
_AFTER = r"(?![A-Za-z0-9])"
_GAP = r"[ .-]?"


class _Format(NamedTuple):
    """A way of writing and the `stdnum` module that checks it; `words` must stand in the text, if any."""

    pattern: re.Pattern[str]
    module: str
    kind: Kind = Kind.NATIONAL_ID
    words: frozenset[str] = frozenset()


def _written(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}(?:{pattern}){_AFTER}", re.IGNORECASE)


_FORMATS: Final = (
    _Format(_written(
        rf"[12]{_GAP}\d\d{_GAP}\d\d{_GAP}(?:\d\d|2[AB]){_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d\d"
    ), "fr.nir"),
    _Format(_written(r"\d{7}[A-W][A-IW]?"), "ie.pps"),
    _Format(_written(r"(?:19|20)?\d{6}[-+]\d{4}"), "se.personnummer"),
    _Format(_written(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d-\d{4}"), "dk.cpr"),
    _Format(_written(r"\d{6}/\d{3,4}"), "cz.rc"),
    _Format(_written(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"), "be.nn"),
    _Format(_written(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d"), "ch.ssn"),
    _Format(_written(r"9\d\d[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])[- ]\d{4}"), "us.itin"),
    _Format(_written(r"\d{3}[ -]\d{3}[ -]\d{4}"), "gb.nhs", words=word_set("nhs")),
    _Format(_written(rf"\d\d{_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}}"), "de.idnr", words=word_set(
        "steuer id tax identifikationsnummer steueridentifikationsnummer idnr tin steuernummer"
    )),
    _Format(_written(r"\d{11}"), "pl.pesel", words=word_set("pesel")),
    _Format(_written(rf"\d{{4}}{_GAP}\d\d{_GAP}\d{{3}}|\d{{9}}"), "nl.bsn", words=word_set(
        "bsn burgerservicenummer sofi"
    )),
    _Format(_written(r"\d{13}"), "ro.cnp", words=word_set("cnp")),
    _Format(_written(r"\d{10}"), "bg.egn", words=word_set("egn")),
    _Format(_written(r"\d{11}"), "hr.oib", words=word_set("oib")),
    _Format(_written(r"\d{3} ?\d{3} ?\d{3}"), "pt.nif", words=word_set("nif contribuinte")),
    _Format(_written(r"\d{4} ?\d{6}"), "at.vnr", words=word_set(
        "svnr sozialversicherungsnummer versicherungsnummer"
    )),
)  # fmt: skip
_LICENCE = _written(
    r"[A-Z9]{5}[ -]?\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])\d[ -]?[A-Z9]{2}\d[A-Z]{2}"
)
"""A British driving licence number (DVLA): name, birth in six digits, initials, three more signs."""
_PENSION = _written(r"\d{2} ?(?:0[1-9]|[1-6]\d|7[0-2])(?:0[1-9]|1[0-2])\d\d ?[A-Z] ?\d{3}")
"""A German pension insurance number: area, birth, first letter, serial and check digit."""
_MACHINE_READABLE = re.compile(r"(?<![A-Z0-9<])(?=[A-Z0-9<]{0,43}<<)[A-Z0-9<]{30,44}(?![A-Z0-9<])")
_PENSION_FACTORS: Final = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def find_national(scan: Scan) -> Iterator[Candidate]:
    """Find numbers of persons whose form or check digits prove them."""
    text, words = scan.text, scan.words
    if "<<" in text:
        for match in _MACHINE_READABLE.finditer(text):
            yield Candidate(*match.span(), Kind.PASSPORT, match[0], Rank.SHAPE)
    if not scan.has_digit:
        return
    for form in _FORMATS:
        if form.words and form.words.isdisjoint(words):
            continue
        for match in form.pattern.finditer(text):
            if _checker(form.module)(match[0]):
                yield Candidate(*match.span(), form.kind, compact(match[0]), Rank.CONTEXT)
    for match in _LICENCE.finditer(text):
        yield Candidate(*match.span(), Kind.NATIONAL_ID, compact(match[0]), Rank.SHAPE)
    for match in _PENSION.finditer(text):
        if pension_number_holds(compact(match[0])):
            yield Candidate(*match.span(), Kind.NATIONAL_ID, compact(match[0]), Rank.CONTEXT)


def pension_number_holds(compacted: str) -> bool:
    """Tell whether a German pension insurance number's last digit checks the others (VKVV, section 2)."""
    letter = ord(compacted[8]) - 64
    digits = compacted[:8] + f"{letter:02d}" + compacted[9:11]
    total = sum(
        sum(map(int, str(int(digit) * factor)))
        for digit, factor in zip(digits, _PENSION_FACTORS, strict=True)
    )
    return total % 10 == int(compacted[11])


_CHECKERS: dict[str, Callable[[str], bool]] = {}


def _checker(module: str) -> Callable[[str], bool]:
    """Return a `stdnum` module's check; imported at its first use, because few texts need one."""
    found = _CHECKERS.get(module)
    if found is None:
        found = _CHECKERS[module] = import_module(f"stdnum.{module}").is_valid
    return found
