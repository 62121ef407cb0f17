"""Where somebody of the staff says their own name: "Sam here", "my name is Sam", "Kind regards, Sam".

A customer's name is masked in what staff write as well; the writer's own isn't the customer's data. Ways of
writing that may as well speak of or to the customer ("this is Maya's line", "thanks, Maya") don't count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = r"[^\W\d_][^\W\d_'’-]{1,29}(?:[ '’-][A-Z][^\W\d_]{1,29}){0,2}"
_OWN = re.compile(
    rf"(?:\b[Mm]y name(?: is|['’]s) |\bI(?:['’]m| am) (?=[A-Z]))(?P<named>{_NAME})"
    rf"|(?<![^\s,.!?-])(?P<here>(?=[A-Z]){_NAME}) (?:here|speaking)\b"
    rf"|\b[Tt]his is (?P<this>(?=[A-Z]){_NAME})(?= (?:from|at|in|with|speaking|here)\b)"
    rf"|\b(?:[Rr]egards|[Ww]ishes|[Ss]incerely),?\s{{1,3}}(?P<signed>(?=[A-Z]){_NAME})(?=[\s.!]*$)"
)
_WORD = re.compile(r"[^\W\d_]+")


def own_names(text: str, claims: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """Return where a reply gives its writer's name, in order.

    Args:
        text: the reply as typed.
        claims: what is known of the customer; a name with a word of theirs isn't taken for the writer's.
    """
    theirs = {word for value in claims.values() for word in _WORD.findall(value.lower())}
    found = []
    for match in _OWN.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        if theirs.isdisjoint(_WORD.findall(text[start:end].lower())):
            found.append((start, end))
    return tuple(found)
