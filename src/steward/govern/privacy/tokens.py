"""The written form of tokens: finding them in a text and putting values in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from steward.govern.privacy.contracts import Kind, Span, TokenUse

TOKEN = re.compile(r"\[([A-Z][A-Z0-9_]{0,39})_([1-9][0-9]{0,8})\]")
"""What a token looks like: its kind and its number."""
_INVENTED: Final[Mapping[str, str]] = {
    Kind.CARD: "4111 1111 1111 1111",
    Kind.CARD_CODE: "123",
    Kind.CARD_EXPIRY: "04/29",
    Kind.IBAN: "GB29 NWBK 6016 1331 9268 19",
    Kind.EMAIL: "sam@example.com",
    Kind.PHONE: "07700 900123",
    Kind.ACCOUNT: "31926819",
    Kind.SORT_CODE: "60-16-13",
    Kind.DATE_OF_BIRTH: "4 May 1979",
    Kind.PASSWORD: "abc",
    Kind.ONE_TIME_CODE: "4410",
    Kind.POSTCODE: "LS1 4AB",
    Kind.ADDRESS: "4 Mill Lane",
    Kind.NAME: "Sam",
    Kind.NUMBER: "4410",
    Kind.FRAGMENT: "4410",
}
_ANY_VALUE: Final = "31926819"


def tokens_in(text: str) -> tuple[TokenUse, ...]:
    """Return the different tokens of a text, in order of first appearance."""
    if "[" not in text:
        return ()
    return tuple(dict.fromkeys(TokenUse(kind, int(number)) for kind, number in TOKEN.findall(text)))


def literals_in(text: str) -> tuple[Span, ...]:
    """Return what already looks like a token before masking."""
    if "[" not in text:
        return ()
    return tuple(Span(*match.span(), Kind.LITERAL, match[0]) for match in TOKEN.finditer(text))


def restored(text: str, values: Mapping[TokenUse, str]) -> str:
    """Return a text with each known token replaced by its value, in one pass; unknown ones stay."""
    return TOKEN.sub(lambda match: values.get(TokenUse(match[1], int(match[2])), match[0]), text)


def with_invented_values(text: str) -> str:
    """Return a text as it might have been written: each token replaced by a made-up value of its kind.

    A scorer that learnt from ordinary messages takes brackets, capitals and underscores for signs of an
    attack. What only looked like a token becomes a value as well.
    """
    return TOKEN.sub(lambda match: _INVENTED.get(match[1], _ANY_VALUE), text) if "[" in text else text


def replaced(text: str, spans: Sequence[Span], uses: Sequence[TokenUse]) -> str:
    """Return a text with a token in each span's place; spans stand in order and don't overlap."""
    pieces: list[str] = []
    end = 0
    for span, use in zip(spans, uses, strict=True):
        pieces += (text[end : span.start], str(use))
        end = span.end
    pieces.append(text[end:])
    return "".join(pieces)


def joined(found: Sequence[Span], literals: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return both kinds of span in order; where they overlap, one span covers both under the found kind."""
    if not literals:
        return tuple(found)
    merged: list[Span] = []
    for span in sorted((*found, *literals), key=lambda span: (span.start, -span.end)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            merged.append(span)
            continue
        start, end = last.start, max(last.end, span.end)
        kind = span.kind if last.kind == Kind.LITERAL else last.kind
        merged[-1] = Span(start, end, kind, text[start:end])
    return tuple(merged)
