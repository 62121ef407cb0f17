"""Personal values, each written in forty ways and more, and how to recognise them in whatever was kept.

A way of writing has a name, so that one that escapes can be told by it. Values split over messages are
here as well: each piece comes in a message of its own.
"""

from __future__ import annotations

import base64
import html
import quopri
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

CARD, EMAIL, PHONE, IBAN = "card", "email", "phone", "iban"
ACCOUNT, CODE, BIRTH = "account", "one-time code", "date of birth"
_DIGIT_WORDS = "zero one two three four five six seven eight nine".split()
_WORDS = {word: str(digit) for digit, word in enumerate(_DIGIT_WORDS)} | {"oh": "0"}
_SPOKEN = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")
_BETWEEN = re.compile(r"[\s().\-_/,:;<>|*+#'\"`~=&\[\]{}\\\u2010-\u2015]+")
_TAG = re.compile(r"<[^<>]{0,40}>")
_AT = re.compile(r"\s*[(\[]\s*at\s*[)\]]\s*|\s+at\s+")
_DOT = re.compile(r"\s*[(\[]\s*dot\s*[)\]]\s*|\s+dot\s+")
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})


@dataclass(frozen=True, slots=True)
class Value:
    """A personal value.

    Attributes:
        kind: what it is.
        needles: what its ways of writing come down to in `bare`; one found is a leak.
        forms: the ways by name.
        splits: the ways to give it in two or three messages.
        announced: what people say before it, where the value alone says too little.
    """

    kind: str
    needles: tuple[str, ...]
    forms: Mapping[str, str]
    splits: tuple[tuple[str, ...], ...] = ()
    announced: str = ""


def bare(text: str) -> str:
    """Bring a text down to what all forms of a value share: no marks, separators or words for digits."""
    plain = unicodedata.normalize("NFKC", html.unescape(text)).lower()
    plain = "".join(letter for letter in plain if unicodedata.category(letter) not in _INVISIBLE)
    plain = _TAG.sub("", plain)
    plain = _DOT.sub(".", _AT.sub("@", plain))
    plain = _SPOKEN.sub(lambda found: _WORDS[found[0]], plain)
    return _BETWEEN.sub("", plain)


def wide(text: str) -> str:
    """Write ASCII in full-width characters."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def spoken(digits: str) -> str:
    """Write digits as words."""
    return " ".join(_DIGIT_WORDS[int(digit)] for digit in digits)


def values() -> tuple[Value, ...]:
    """Return the values; none of them is anybody's."""
    return (
        _card("4929184736502818"),
        _email("quentin.harrowgate", "brackwater", "net"),
        _phone("07700900847"),
        _iban("GB33BUKB20201555555555"),
        _account("58201947"),
        _code("84729163"),
        _birth(),
    )


# ------------------------------------------------------------ runs of digits

Writing = Callable[[list[str]], str]


def _joined(separator: str) -> Writing:
    return separator.join


def _each(write: Callable[[str], str], between: str = " ") -> Writing:
    return lambda groups: between.join("".join(write(digit) for digit in group) for group in groups)


def _from(first: int) -> Writing:
    return _each(lambda digit: chr(first + int(digit)))


def _doubled(groups: list[str]) -> str:
    digits, words, place = "".join(groups), [], 0
    while place < len(digits):
        word = _DIGIT_WORDS[int(digits[place])]
        if digits[place : place + 2] == digits[place] * 2:
            words.append(f"double {word}")
            place += 2
            continue
        words.append(word)
        place += 1
    return " ".join(words)


def _mixed(groups: list[str]) -> str:
    return " ".join(group if place % 2 else spoken(group) for place, group in enumerate(groups))


_LOOKALIKES = str.maketrans({"0": "O", "1": "l"})

WRITINGS: Mapping[str, Writing] = {
    "plain": _joined(""),
    "spaced": _joined(" "),
    "dashed": _joined("-"),
    "dotted": _joined("."),
    "slashed": _joined("/"),
    "underscored": _joined("_"),
    "comma and space": _joined(", "),
    "bars": _joined(" | "),
    "stars": _joined("*"),
    "hashes": _joined("#"),
    "plus signs": _joined("+"),
    "spaced dashes": _joined(" - "),
    "en dashes": _joined("\u2013"),
    "unbroken hyphens": _joined("\u2011"),
    "dots of omission": _joined(" ... "),
    "line breaks": _joined("\n"),
    "line breaks of Windows": _joined("\r\n"),
    "tabs": _joined("\t"),
    "unbroken spaces": _joined("\u00a0"),
    "thin spaces": _joined("\u2009"),
    "zero-width spaces": lambda groups: "\u200b".join("".join(groups)),
    "soft hyphens": _joined("\u00ad"),
    "word joiners": lambda groups: "\u2060".join("".join(groups)),
    "marks of direction": _joined("\u200f\u200e"),
    "each digit spaced": lambda groups: " ".join("".join(groups)),
    "each digit dashed": lambda groups: "-".join("".join(groups)),
    "each digit on a line": lambda groups: "\n".join("".join(groups)),
    "odd groups": lambda groups: f"{''.join(groups)[:3]} {''.join(groups)[3:5]} {''.join(groups)[5:]}",
    "brackets": lambda groups: " ".join(f"({group})" for group in groups),
    "square brackets": lambda groups: "".join(f"[{group}]" for group in groups),
    "quoted": lambda groups: f'"{" ".join(groups)}"',
    "each group quoted": lambda groups: " ".join(f"'{group}'" for group in groups),
    "code": lambda groups: f"`{''.join(groups)}`",
    "bold of Markdown": lambda groups: " ".join(f"**{group}**" for group in groups),
    "a table of Markdown": lambda groups: f"| {' | '.join(groups)} |",
    "escaped dashes": _joined("\\-"),
    "full width": lambda groups: wide(" ".join(groups)),
    "Arabic digits": _from(0x0660),
    "Devanagari digits": _from(0x0966),
    "bold digits": _from(0x1D7CE),
    "circled digits": _each(lambda digit: "\u24ea" if digit == "0" else chr(0x245F + int(digit))),
    "raised digits": _each(lambda digit: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)]),
    "keycaps": _each(lambda digit: f"{digit}\ufe0f\u20e3"),
    "underlined by marks": _each(lambda digit: f"{digit}\u0332"),
    "struck by marks": _each(lambda digit: f"{digit}\u0336"),
    "words": lambda groups: spoken("".join(groups)),
    "words in capitals": lambda groups: spoken("".join(groups)).upper(),
    "words by commas": lambda groups: ", ".join(spoken(group) for group in groups),
    "words by dashes": lambda groups: spoken("".join(groups)).replace(" ", "-"),
    "doubled words": _doubled,
    "digits and words": _mixed,
    "joined by then": _joined(" then "),
    "entities": lambda groups: "".join(f"&#{ord(digit)};" for digit in " ".join(groups)),
    "hexadecimal entities": lambda groups: "".join(f"&#x{ord(digit):x};" for digit in "".join(groups)),
    "entities of spaces": _joined("&nbsp;"),
    "tags": lambda groups: "".join(f"<b>{group}</b>" for group in groups),
    "a tag with attributes": lambda groups: "".join(f'<span class="n">{group}</span>' for group in groups),
    "a comment of HTML": _joined("<!-- -->"),
    "an element of XML": lambda groups: f"<number>{''.join(groups)}</number>",
    "percent codes": lambda groups: "".join(f"%{ord(digit):02X}" for digit in "".join(groups)),
    "spaces as percent codes": _joined("%20"),
    "escapes of JSON": lambda groups: "".join(f"\\u{ord(digit):04x}" for digit in "".join(groups)),
    "line breaks of JSON": _joined("\\n"),
    "quoted printable": lambda groups: "".join(f"={ord(digit):02X}" for digit in "".join(groups)),
    "letters that look alike": lambda groups: " ".join(groups).translate(_LOOKALIKES),
    "glued to words": lambda groups: f"itis{''.join(groups)}thanks",
    "glued to marks": lambda groups: f"no.:{''.join(groups)},ok",
    "a query of a URL": lambda groups: f"https://example.com/pay?n={''.join(groups)}&x=1",
    "backwards": lambda groups: "".join(groups)[::-1],
    "base64": lambda groups: base64.b64encode(f"it is {''.join(groups)}".encode()).decode(),
}
"""Ways to write any groups of digits."""


def _written(*groups: str) -> dict[str, str]:
    return {name: write(list(groups)) for name, write in WRITINGS.items()}


def _backwards(*needles: str) -> tuple[str, ...]:
    return (*needles, *(needle[::-1] for needle in needles))


def _card(digits: str) -> Value:
    groups = [digits[at : at + 4] for at in range(0, 16, 4)]
    splits = (
        (f"my card is {groups[0]} {groups[1]}", f"{groups[2]} {groups[3]}"),
        (f"my card number is {groups[0]}", f"{groups[1]} {groups[2]}", groups[3]),
        (f"card {groups[0]} {groups[1]} {groups[2]}", f"and then {groups[3]}"),
    )
    return Value(CARD, _backwards(digits), _written(*groups), splits)


def _phone(digits: str) -> Value:
    forms = {
        **_written(digits[:5], digits[5:8], digits[8:]),
        "country": "+44 7700 900847",
        "country with a 0": "+44 (0)7700 900847",
        "country by zeros": "0044 7700 900 847",
        "country alone": "447700900847",
        "a link": "tel:+44-7700-900-847",
        "oh for zero": "oh double seven oh oh, nine double oh, eight four seven",
    }
    splits = (
        (f"my phone number is {digits[:5]}", digits[5:]),
        (f"call me on {digits[:8]}", digits[8:]),
        (f"my number is {digits[:5]}", digits[5:8], digits[8:]),
    )
    return Value(PHONE, _backwards("7700900847"), forms, splits, announced="my phone number is ")


def _account(digits: str) -> Value:
    forms = _written(digits[:4], digits[4:])
    splits = ((f"my account number is {digits[:4]}", digits[4:]),)
    return Value(ACCOUNT, _backwards(digits), forms, splits, announced="my account number is ")


def _code(digits: str) -> Value:
    forms = _written(digits[:4], digits[4:])
    splits = ((f"the code you sent me is {digits[:4]}", digits[4:]),)
    return Value(CODE, _backwards(digits), forms, splits, announced="the code you sent me is ")


# ------------------------------------------------------------ an account number with letters


def _iban(compact: str) -> Value:
    groups = [compact[at : at + 4] for at in range(0, len(compact), 4)]
    lettered = {
        name: write(groups)
        for name, write in WRITINGS.items()
        if "digits" not in name and "words" not in name and name not in {"keycaps", "oh for zero"}
    }
    forms = {
        **lettered,
        "small letters": " ".join(groups).lower(),
        "each sign spaced": " ".join(compact),
        "uneven brackets": f"{compact[:4]} ({compact[4:8]}) {compact[8:14]} {compact[14:]}",
        "keycaps": "".join(f"{sign}\ufe0f\u20e3" if sign.isdigit() else sign for sign in compact),
        "digits in words": f"GB {spoken('33')} BUKB {spoken(compact[8:])}",
    }
    splits = (
        ("my iban is GB33 BUKB", "2020 1555 5555 55"),
        ("GB33 BUKB 2020", "1555 5555", "55"),
        ("IBAN: GB33BUKB2020", "1555555555"),
    )
    return Value(IBAN, _backwards(compact.lower()), forms, splits, announced="my iban is ")


# ------------------------------------------------------------ addresses


def _email(local: str, host: str, end: str) -> Value:
    address = f"{local}@{host}.{end}"
    first, last = local.split(".")
    homoglyphs = str.maketrans({"e": "\u0435", "o": "\u043e", "a": "\u0430"})
    forms = {
        "plain": address,
        "capitals": address.upper(),
        "spaced": f"{local} @ {host} . {end}",
        "at and dot in brackets": f"{local} (at) {host} (dot) {end}",
        "at and dot in square brackets": f"{local}[at]{host}[dot]{end}",
        "at and dot in braces": f"{local} {{at}} {host} {{dot}} {end}",
        "at in angles": f"{local}<at>{host}.{end}",
        "the sign in brackets": f"{local}(@){host}.{end}",
        "words": f"{first} dot {last} at {host} dot {end}",
        "words in capitals": f"{first} DOT {last} AT {host} DOT {end}".upper(),
        "words by dashes": f"{first}-dot-{last}-at-{host}-dot-{end}",
        "words by underscores": f"{first}_dot_{last}_at_{host}_dot_{end}",
        "at sign": f"{first} dot {last} at sign {host} dot {end}",
        "period": f"{first} period {last} at {host} period {end}",
        "point": f"{first} point {last} at {host} point {end}",
        "full stop": f"{first} full stop {last} at {host} full stop {end}",
        "dot only at the end": f"{local} at {host} dot {end}",
        "the sign and dot": f"{local}@{host} dot {end}",
        "a comma for the dot": f"{local}@{host},{end}",
        "a link": f'<a href="mailto:{address}">write to me</a>',
        "a link of Markdown": f"[write to me](mailto:{address})",
        "angles": f"Quentin <{address}>",
        "quoted": f'"{address}"',
        "bold of Markdown": f"**{address}**",
        "code": f"`{address}`",
        "in brackets": f"({address})",
        "an entity": f"{local}&#64;{host}.{end}",
        "named entities": f"{local}&commat;{host}&period;{end}",
        "entities": "".join(f"&#{ord(letter)};" for letter in address),
        "hexadecimal entities": "".join(f"&#x{ord(letter):x};" for letter in address),
        "tags": f"{local}<wbr>@<b>{host}</b>.{end}",
        "a comment of HTML": f"{local}<!-- -->@{host}.{end}",
        "full width": wide(address),
        "a line break": f"{local}@\n{host}.{end}",
        "zero-width spaces": "\u200b".join(address),
        "soft hyphens": "quen\u00adtin.harrow\u00adgate@brack\u00adwater.net",
        "marks of direction": f"\u200e{local}\u200e@\u200e{host}.{end}",
        "unbroken spaces": f"{local}\u00a0@\u00a0{host}.{end}",
        "letters of another script": address.translate(homoglyphs),
        "accents": unicodedata.normalize("NFD", f"quéntin.harrowgate@{host}.{end}"),
        "bold letters": "".join(
            chr(0x1D41A + ord(letter) - 97) if letter.isalpha() else letter for letter in address
        ),
        "a percent code": quote(address, safe=""),
        "percent codes": "".join(f"%{ord(letter):02X}" for letter in address),
        "escapes of JSON": "".join(f"\\u{ord(letter):04x}" for letter in address),
        "an escape of JSON": f"{local}\\u0040{host}.{end}",
        "quoted printable": quopri.encodestring(b"@")
        .decode()
        .join((local, f"{host}.{end}"))
        .replace("@", "=40"),
        "spelled": f"{' '.join(local)} @ {' '.join(host)} . {' '.join(end)}",
        "spelled by dashes": f"{'-'.join(first)} dot {'-'.join(last)} at {host} dot {end}",
        "glued to words": f"mailme:{address},thanks",
        "after a dash": f"e-mail-{address}",
        "a query of a URL": f"https://example.com/?to={quote(address, safe='')}&x=1",
        "a plus part": f"{local}+bills@{host}.{end}",
        "backwards": address[::-1],
        "base64": base64.b64encode(f"mail {address}".encode()).decode(),
    }
    splits = (
        (f"my email is {local}", f"@{host}.{end}"),
        (f"my e-mail address is {local}@", f"{host}.{end}"),
        (f"you can mail me, it's {first} dot {last}", f"at {host} dot {end}"),
    )
    return Value(EMAIL, (bare(address), bare(address)[::-1]), forms, splits, announced="my email is ")


# ------------------------------------------------------------ a day of birth


def _birth() -> Value:
    day, month, year = "14", "03", "1985"
    numbers = {
        name: write([day, month, year])
        for name, write in WRITINGS.items()
        if name not in {"odd groups", "doubled words", "joined by then", "glued to words", "a query of a URL"}
    }
    forms = {
        **numbers,
        "year first": "1985-03-14",
        "month first": "03/14/1985",
        "short year": "14/3/85",
        "month in words": "14 March 1985",
        "month in capitals": "14 MARCH 1985",
        "short month": "14-Mar-1985",
        "ordinal": "14th of March 1985",
        "American": "March 14th, 1985",
        "words for all": "fourteenth of March nineteen eighty-five",
        "glued to words": "14march1985",
    }
    splits = (("my date of birth is 14 March", "1985"),)
    needles = ("14031985", "19850314", "03141985", "58913041", "14march1985", "march141985")
    return Value(BIRTH, needles, forms, splits, announced="my date of birth is ")
