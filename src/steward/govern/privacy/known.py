"""What is known beforehand: the customer's own values, and the folder's patterns to keep and to mask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.errors import BadPattern
from steward.govern.privacy.folding import fold
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, squeezed

_KIND_SIGN = re.compile(r"[^A-Z0-9]+")
_PARTS = re.compile(r"[^\W_]+")
_LEAST_LETTERS = 3
_CLAIM_KINDS = {
    "EMAIL_ADDRESS": Kind.EMAIL,
    "PHONE_NUMBER": Kind.PHONE,
    "MOBILE": Kind.PHONE,
    "TELEPHONE": Kind.PHONE,
    "GIVEN_NAME": Kind.NAME,
    "FAMILY_NAME": Kind.NAME,
    "FIRST_NAME": Kind.NAME,
    "LAST_NAME": Kind.NAME,
    "FULL_NAME": Kind.NAME,
    "BIRTHDATE": Kind.DATE_OF_BIRTH,
    "ACCOUNT_NUMBER": Kind.ACCOUNT,
}


def kind_named(name: str) -> str:
    """Return the kind that a folder's pattern or a token's claim stands for: `account` is ACCOUNT."""
    kind = _KIND_SIGN.sub("_", name.upper()).strip("_")[:40].rstrip("_")
    if not kind or not kind[0].isalpha():
        kind = f"VALUE_{kind}"[:40].rstrip("_")
    return _CLAIM_KINDS.get(kind, kind)


def compiled(patterns: Sequence[tuple[str, str]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return named patterns ready to search.

    Raises:
        BadPattern: one isn't a regular expression.
    """
    ready: list[tuple[str, re.Pattern[str]]] = []
    for name, pattern in patterns:
        try:
            ready.append((kind_named(name), re.compile(pattern)))
        except (re.error, OverflowError, RecursionError) as error:
            raise BadPattern(name, str(error)) from error
    return tuple(ready)


def find_declared(scan: Scan, patterns: Sequence[tuple[str, re.Pattern[str]]]) -> Iterator[Candidate]:
    """Find what the folder's patterns mask."""
    for kind, pattern in patterns:
        for match in pattern.finditer(scan.text):
            if match.end() > match.start():
                yield Candidate(*match.span(), kind, compact(match[0]) or match[0], Rank.DECLARED)


def find_known(scan: Scan, known: Sequence[tuple[str, str]]) -> Iterator[Candidate]:
    """Find the customer's own values, in any case and grouping."""
    for kind, pattern in _searches(tuple(known)):
        for match in pattern.finditer(scan.text):
            value = squeezed(match[0]) if kind == Kind.NAME else compact(match[0])
            yield Candidate(*match.span(), kind, value, Rank.KNOWN)


@lru_cache(maxsize=512)
def _searches(known: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    searches: list[tuple[str, re.Pattern[str]]] = []
    for name, value in known:
        kind = kind_named(name)
        parts = _PARTS.findall(fold(value).text)
        letters = "".join(parts)
        if len(letters) < _LEAST_LETTERS:
            continue
        if letters.isdigit():
            parts = list(letters)
        searches.append((kind, _search(parts)))
        if kind == Kind.NAME and len(parts) > 1:
            searches += [(kind, _search([part])) for part in parts if len(part) >= _LEAST_LETTERS]
    return tuple(searches)


def _search(parts: Sequence[str]) -> re.Pattern[str]:
    joined = r"[\W_]{0,3}".join(re.escape(part) for part in parts)
    return re.compile(rf"(?<![^\W_]){joined}(?![^\W_])", re.IGNORECASE)
