"""Made numbers whose check digits hold, in short sentences, in the ways people write them."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module

Planted = tuple[str, int, int]
"""A text, and where the number stands in it."""

_FRAMES = ("{}", "it's {}", "my number is {}, thanks", "please use {} for this", "Here you go: {}.")


def numbers(count: int, *, seed: int = 0) -> dict[str, list[Planted]]:
    """Return planted numbers by type: bare, and in sentences that don't say what they are."""
    chance = random.Random(seed)
    made: dict[str, list[Planted]] = {}
    for name, make in _MAKERS.items():
        made[name] = []
        for place in range(count):
            frame = _FRAMES[place % len(_FRAMES)]
            value = make(chance)
            start = frame.index("{")
            made[name].append((frame.format(value), start, start + len(value)))
    return made


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _card(chance: random.Random) -> str:
    prefix, length = chance.choice(
        (("4", 16), ("51", 16), ("55", 16), ("34", 15), ("37", 15), ("6011", 16), ("36", 14))
    )
    body = prefix + _digits(chance, length - len(prefix) - 1)
    digits = body + str(import_module("stdnum.luhn").calc_check_digit(body))
    return chance.choice((digits, _grouped(digits, 4, " "), _grouped(digits, 4, "-")))


def _iban(chance: random.Random) -> str:
    country, body = chance.choice(
        (
            ("GB", "WEST" + _digits(chance, 14)), ("DE", _digits(chance, 18)), ("FR", _digits(chance, 23)),
            ("NL", "ABNA" + _digits(chance, 10)), ("ES", _digits(chance, 20)),
            ("IE", "AIBK" + _digits(chance, 14)),
        )
    )  # fmt: skip
    turned = "".join(str(int(letter, 36)) for letter in body + country + "00")
    compact = f"{country}{98 - int(turned) % 97:02d}{body}"
    return chance.choice((compact, _grouped(compact, 4, " "), compact.lower()))


def _valid(module: str, form: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    """Return a maker of numbers that a `stdnum` module accepts, by trying."""

    def make(chance: random.Random) -> str:
        check = import_module(f"stdnum.{module}").is_valid
        for _ in range(100_000):
            value = form(chance)
            if check(value):
                return value
        raise RuntimeError(f"no number that stdnum.{module} accepts was found")

    return make


def _letters(chance: random.Random, count: int, signs: str = "ABCDEFGHJKLMNPRSTW") -> str:
    return "".join(chance.choice(signs) for _ in range(count))


def _italian(chance: random.Random) -> str:
    month = chance.choice("ABCDEHLMPRST")
    day, year = chance.randint(1, 28), chance.randint(50, 99)
    body = f"{_letters(chance, 3, 'BCDFGL')}{_letters(chance, 3, 'MNPRST')}{year}{month}{day:02d}H501"
    return body + str(import_module("stdnum.it.codicefiscale").calc_check_digit(body))


def _french(chance: random.Random) -> str:
    body = f"{chance.choice('12')}{_formed('ym')(chance)}{chance.choice(('75', '13', '2A', '69'))}"
    body += f"{chance.randint(1, 900):03d}{chance.randint(1, 900):03d}"
    return body + str(import_module("stdnum.fr.nir").calc_check_digits(body))


def _spanish(chance: random.Random) -> str:
    digits = _digits(chance, 8)
    letter = str(import_module("stdnum.es.dni").calc_check_digit(digits))
    return chance.choice((f"{digits}{letter}", f"{digits}-{letter}"))


def _grouped(text: str, size: int, sign: str) -> str:
    return sign.join(text[place : place + size] for place in range(0, len(text), size))


def _formed(pattern: str) -> Callable[[random.Random], str]:
    """Return a maker of a form: `#` a digit, `+` one but 0, `?` a letter; `d`, `m`, `y` parts of a date."""

    def make(chance: random.Random) -> str:
        parts = {
            "#": lambda: chance.choice("0123456789"),
            "+": lambda: chance.choice("123456789"),
            "?": lambda: chance.choice("ABCDEFGHIJKLMNOPQRSTUVW"),
            "d": lambda: f"{chance.randint(1, 28):02d}",
            "m": lambda: f"{chance.randint(1, 12):02d}",
            "y": lambda: f"{chance.randint(50, 99)}",
        }
        return "".join(parts[sign]() if sign in parts else sign for sign in pattern)

    return make


_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "payment card": _card,
    "IBAN": _iban,
    "NHS number": _valid("gb.nhs", _formed("### ### ####")),
    "US social security number": _valid("us.ssn", _formed("###-##-####")),
    "US tax number": _valid("us.itin", _formed("9##-##-####")),
    "DE tax number": _valid("de.idnr", _formed("+##########")),
    "FR social security number": _french,
    "ES identity number": _spanish,
    "IT tax code": _italian,
    "NL citizen number": _valid("nl.bsn", _formed("+########")),
    "PL identity number": _valid("pl.pesel", _formed("ymd#####")),
    "SE personal number": _valid("se.personnummer", _formed("ymd-####")),
    "DK personal number": _valid("dk.cpr", _formed("dmy-####")),
    "FI identity code": _valid("fi.hetu", _formed("dmy-###?")),
    "BE national number": _valid("be.nn", _formed("y.m.d-###.##")),
    "IE public service number": _valid("ie.pps", _formed("#######?")),
    "RO personal code": _valid("ro.cnp", _formed("1ymd12####")),
    "HR personal number": _valid("hr.oib", _formed("+##########")),
    "CZ birth number": _valid("cz.rc", _formed("ymd/####")),
    "PT tax number": _valid("pt.nif", _formed("2########")),
    "AT insurance number": _valid("at.vnr", _formed("+###dmy")),
}
