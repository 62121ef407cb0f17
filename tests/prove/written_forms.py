"""Four personal values, each written in ten ways, and how to recognise them in whatever was kept."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

CARD, EMAIL, PHONE, IBAN = "card", "email", "phone", "iban"
_WORDS = {
    word: str(digit) for digit, word in enumerate("zero one two three four five six seven eight nine".split())
} | {"oh": "0"}
_SPOKEN = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")
_BETWEEN = re.compile(r"[\s().\-_/,:;<>\u2010-\u2015]+")
_TAG = re.compile(r"<[^<>]{0,40}>")
_AT = re.compile(r"\s*[(\[]\s*at\s*[)\]]\s*|\s+at\s+")
_DOT = re.compile(r"\s*[(\[]\s*dot\s*[)\]]\s*|\s+dot\s+")


@dataclass(frozen=True, slots=True)
class Value:
    """A personal value: its kind, what every way of writing it comes down to, and the ways."""

    kind: str
    needle: str
    forms: tuple[str, ...]


def bare(text: str) -> str:
    """Bring a text down to what all forms of a value share: no marks, separators or words for digits."""
    plain = unicodedata.normalize("NFKC", html.unescape(text)).lower()
    plain = _TAG.sub("", plain)
    plain = _DOT.sub(".", _AT.sub("@", plain))
    plain = _SPOKEN.sub(lambda found: _WORDS[found[0]], plain)
    return _BETWEEN.sub("", plain)


def wide(text: str) -> str:
    """Write ASCII in full-width characters."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def spoken(digits: str) -> str:
    """Write digits as words."""
    words = {digit: word for word, digit in _WORDS.items() if word != "oh"}
    return " ".join(words[digit] for digit in digits)


def values() -> tuple[Value, ...]:
    """Return the four values; none of them is anybody's."""
    return (_card("4929184736502818"), _email("quentin.harrowgate", "brackwater", "net"), _phone(), _iban())


def _card(digits: str) -> Value:
    groups = [digits[at : at + 4] for at in range(0, 16, 4)]
    bold = "".join(f"<b>{group}</b>" for group in groups)
    forms = (
        digits,
        " ".join(groups),
        "-".join(groups),
        ".".join(groups),
        "\n".join(groups),
        " ".join(f"({group})" for group in groups),
        "\u00a0".join(groups),
        bold,
        wide(digits),
        spoken(digits),
    )
    return Value(CARD, digits, forms)


def _email(local: str, host: str, end: str) -> Value:
    address = f"{local}@{host}.{end}"
    first, last = local.split(".")
    forms = (
        address,
        address.upper(),
        f"{local} @ {host} . {end}",
        f"{local} (at) {host} (dot) {end}",
        f"{local}[at]{host}[dot]{end}",
        f"{first} dot {last} at {host} dot {end}",
        f'<a href="mailto:{address}">write to me</a>',
        f"{local}&#64;{host}.{end}",
        wide(address),
        f"{local}@\n{host}.{end}",
    )
    return Value(EMAIL, bare(address), forms)


def _phone() -> Value:
    forms = (
        "07700900847",
        "07700 900847",
        "07700-900-847",
        "07700.900.847",
        "(07700) 900 847",
        "+44 7700 900847",
        "+44 (0)7700 900847",
        "07700\n900847",
        wide("07700900847"),
        "zero seven seven zero zero nine zero zero eight four seven",
    )
    return Value(PHONE, "7700900847", forms)


def _iban() -> Value:
    compact = "GB33BUKB20201555555555"
    groups = [compact[at : at + 4] for at in range(0, len(compact), 4)]
    forms = (
        compact,
        " ".join(groups),
        " ".join(groups).lower(),
        "-".join(groups),
        ".".join(groups),
        "\n".join(groups),
        "\u00a0".join(groups),
        "".join(f"<span>{group}</span>" for group in groups),
        wide(compact),
        f"{compact[:4]} ({compact[4:8]}) {compact[8:14]} {compact[14:]}",
    )
    return Value(IBAN, compact.lower(), forms)
